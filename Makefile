# The only list of commands; CI runs the same ones. `make` alone prints it.

# Bytecode of the 250 MB of bindings must be kept, or every run compiles it anew.
unexport PYTHONDONTWRITEBYTECODE

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The environment to synthesize. Shells use a variable of this name, so only make's command line sets it.
ifneq ($(origin ENV),command line)
override ENV := dev
endif

# What make synth prints (table, json or paths), and what make diff compares with.
SHOW ?= table
BASE ?= main

SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
# The first Python on the PATH that is >=3.11 and <3.14.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c '$(SUPPORTED)' 2>/dev/null && { echo "$$python"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
INFRA := $(VENV)/.infra-installed
DEV := $(VENV)/.dev-installed
SECURITY := .venv-security/.installed
PIP := -m pip --quiet --disable-pip-version-check install

.PHONY: help
help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | \
		while IFS=$$'\t' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

.PHONY: synth
synth: $(INFRA) ## Synthesize the Terraform of one environment (ENV=dev) to cdktf.out
	@AKS_KAITO_ENV=$(ENV) $(BIN)/python -O main.py --show $(SHOW)

.PHONY: diff
diff: $(INFRA) ## Show what the working tree changes in the synthesized Terraform (BASE=main)
	@$(BIN)/python tools/diff.py "$(BASE)" $(if $(findstring command,$(origin ENV)),--env "$(ENV)")

.PHONY: test
test: $(DEV) ## Run the tests
	$(BIN)/pytest

.PHONY: check
check: format-check lint types imports test security ## Everything that must hold before a change lands

.PHONY: format
format: $(DEV) ## Format the code, and apply what the linter can fix
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: format-check
format-check: $(DEV)
	$(BIN)/ruff format --check

.PHONY: lint
lint: $(DEV) ## Lint with ruff
	$(BIN)/ruff check

.PHONY: types
types: $(DEV) ## Check types with mypy
	$(BIN)/mypy

.PHONY: imports
imports: $(DEV) ## Check that imports only point down
	$(BIN)/lint-imports

.PHONY: security
security: $(INFRA) $(SECURITY) ## Check the synthesized Terraform with checkov
	$(BIN)/python tools/security.py .venv-security/bin/checkov

.PHONY: docs
docs: $(DEV) ## Regenerate the pages and blocks that are made from settings and stacks
	$(BIN)/python tools/docs.py

.PHONY: benchmark
benchmark: $(DEV) ## Measure how long a synthesis takes, for docs/benchmarks.md
	$(BIN)/python benchmarks/synth.py

.PHONY: snapshots
snapshots: $(DEV) ## Accept what the snapshot tests see; review the diff
	$(BIN)/pytest tests/snapshots --snapshot-update

.PHONY: lock
lock: $(DEV) ## Resolve the dependencies of pyproject.toml anew into requirements/
	$(foreach group,infra dev security,$(call compile,$(group)))

.PHONY: clean
clean: ## Remove what the commands made, except Terraform's state
	rm -rf $(VENV) .venv-security cdktf.out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(INFRA): requirements/infra.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python >=3.11,<3.14 on the PATH; install one, or set PYTHON=/path/to/python" >&2; exit 2; }
	@"$(PYTHON)" -c '$(SUPPORTED)' || { echo "$(PYTHON) is not Python >=3.11,<3.14" >&2; exit 2; }
	@echo "Setting up $(VENV) (once; about a minute)" >&2
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python $(PIP) --require-hashes -r requirements/infra.txt
	$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements/dev.txt $(INFRA)
	$(BIN)/python $(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

$(SECURITY): requirements/security.txt
	@test -n "$(PYTHON)" || { echo "No Python >=3.11,<3.14 on the PATH; install one, or set PYTHON=/path/to/python" >&2; exit 2; }
	"$(PYTHON)" -m venv .venv-security
	.venv-security/bin/python $(PIP) --require-hashes -r requirements/security.txt
	@touch $@

# The three sets of dependencies: infra is the project itself, dev adds a group to it, security stands alone.
infra_group :=
dev_group := --group dev --constraint requirements/infra.txt
security_group := --group security
infra_source := pyproject.toml
dev_source := pyproject.toml
security_source :=

define compile
$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--custom-compile-command "make lock" $($(1)_source) $($(1)_group) --output-file requirements/$(1).txt

endef
