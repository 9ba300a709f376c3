"""Workflows and the examples of pipelines: pins, rights, and steps that are commands of this project."""

import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from support.needs import needs_make, needs_path, needs_program
from support.project import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EXAMPLES = ROOT / "docs" / "examples"
LINTERS = ROOT / "tools" / "pipeline_linters"
# Who may change something, by workflow and job; all others only read the repository.
WRITES = {
    ("catalog", "refresh"): {"contents", "pull-requests"},
    ("comment", "post"): {"pull-requests"},
    ("plan", "plan"): {"id-token"},
    ("release", "charts"): {"attestations", "id-token", "packages"},
    ("release", "image"): {"attestations", "id-token", "packages"},
    ("release", "publish"): {"contents"},
    ("release", "sbom"): {"attestations", "id-token", "packages"},
}
# The program of each target that a step runs; other tests run these programs, or the targets.
PROGRAMS = {
    "catalog": "tools/refresh_catalog.py",
    "chart-package": "tools/chart_release.py package",
    "chart-publish": "tools/chart_release.py publish",
    "deploy": "aks-kaito deploy",
    "docs": "tools/docs.py",
    "github-release": "tools/github_release.py",
    "plan": "aks-kaito plan",
    "post-comment": "tools/post_comment.py dist/review-comment.md",
    "release-notes": "tools/release_notes.py",
    "review-comment": "tools/review_comment.py",
    "sign": "tools/chart_release.py sign",
}
STEP = re.compile(r'make ([a-z-]+)( [A-Z]+=("\$\w+"|[\w/.-]+))*')


def read(path: Any) -> dict[str, Any]:
    """Return a workflow; YAML 1.1 reads its key `on` as true."""
    found: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {("on" if key is True else key): value for key, value in found.items()}


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in read(path)["jobs"].items():
            yield path.stem, name, job


def steps() -> Iterator[dict[str, Any]]:
    for _, _, job in jobs():
        yield from job["steps"]


def scripts_of_examples() -> list[str]:
    """Return the lines of the examples, less the sign-in of the Azure CLI."""
    gitlab = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text(encoding="utf-8"))
    lines = [line for job in gitlab.values() if isinstance(job, dict) for line in job.get("script", [])]
    text = (EXAMPLES / "azure-pipelines.yml").read_text(encoding="utf-8")
    return [*lines, *re.findall(r"(?:- script|inlineScript): (.*)", text)]


def test_the_workflows_are_those_that_the_pages_describe() -> None:
    assert [path.stem for path in WORKFLOWS] == ["catalog", "check", "comment", "plan", "release", "review"]
    triggers = {path.stem: set(read(path)["on"]) for path in WORKFLOWS}
    assert triggers == {
        "catalog": {"schedule", "workflow_dispatch"},
        "check": {"push", "pull_request"},
        "comment": {"workflow_run"},
        "plan": {"pull_request"},
        "release": {"push"},
        "review": {"pull_request"},
    }
    assert read(ROOT / ".github/workflows/release.yml")["on"]["push"] == {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_a_commit_and_names_its_version(path: Any) -> None:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert lines
    for line in lines:
        assert re.fullmatch(r" +(- )?uses: [\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_an_action_has_one_version() -> None:
    pins = {re.split("[@ ]", step["uses"])[0]: set[str]() for step in steps() if "uses" in step}
    for step in steps():
        if "uses" in step:
            pins[step["uses"].partition("@")[0]].add(step["uses"])
    assert {action for action, found in pins.items() if len(found) > 1} == set()


def test_all_jobs_have_the_same_terraform() -> None:
    found = [step["with"]["terraform_version"] for step in steps() if "setup-terraform" in step.get("uses", "")]
    assert len(found) == 3
    assert len(set(found)) == 1


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_no_rights_and_one_run_at_a_time(path: Any) -> None:
    found = read(path)
    assert found["permissions"] == {}
    assert found["concurrency"]["group"]
    assert all(0 < job["timeout-minutes"] <= 90 for job in found["jobs"].values())


def test_a_release_publishes_the_artifacts_of_its_own_steps_only() -> None:
    found = read(ROOT / ".github/workflows/release.yml")["jobs"]
    (download,) = (step for step in found["publish"]["steps"] if "download-artifact" in step.get("uses", ""))
    assert download["with"] == {"path": "dist/files", "merge-multiple": True}
    all_steps = [step for job in found.values() for step in job["steps"]]
    builds = [step for step in all_steps if "build-push-action" in step.get("uses", "")]
    assert [step["env"] for step in builds] == [{"DOCKER_BUILD_RECORD_UPLOAD": "false"}]
    sboms = [step for step in all_steps if "sbom-action" in step.get("uses", "")]
    assert [step["with"]["upload-artifact"] for step in sboms] == [False, False]
    assert [step["with"]["tags"] for step in builds] == ["${{ env.IMAGE }}:${{ needs.notes.outputs.version }}"]
    assert found["notes"]["outputs"] == {"version": "${{ steps.notes.outputs.version }}"}
    assert {step["run"] for step in all_steps if step.get("id") == "notes"} == {
        'make release-notes TAG="$GITHUB_REF_NAME"'
    }
    uploads = [step["with"]["name"] for step in all_steps if "upload-artifact" in step.get("uses", "")]
    assert uploads == ["release-notes", "sbom-${{ matrix.platform }}", "charts"]


def test_jobs_have_the_least_rights() -> None:
    found = {
        (workflow, name): {right for right, level in job["permissions"].items() if level == "write"}
        for workflow, name, job in jobs()
    }
    assert {place: rights for place, rights in found.items() if rights} == WRITES
    assert all("write-all" not in str(job["permissions"]) for _, _, job in jobs())


def test_what_publishes_or_signs_in_waits_for_an_environment() -> None:
    guarded = {(workflow, name): job.get("environment") for workflow, name, job in jobs() if "environment" in job}
    assert guarded == {
        ("plan", "plan"): "plan",
        **{("release", name): "release" for name in ("charts", "image", "publish", "sbom")},
    }


def test_a_fork_gets_no_identity_and_no_token_that_writes() -> None:
    plan = read(ROOT / ".github/workflows/plan.yml")["jobs"]["plan"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in plan["if"]
    assert "vars.AZURE_CLIENT_ID != ''" in plan["if"]
    # The workflow with the token checks out the default branch, and nothing of the pull request.
    (checkout,) = [
        step
        for step in read(ROOT / ".github/workflows/comment.yml")["jobs"]["post"]["steps"]
        if step.get("uses", "").startswith("actions/checkout")
    ]
    assert checkout["with"] == {"persist-credentials": False}


def test_no_checkout_keeps_its_token() -> None:
    checkouts = [step for step in steps() if step.get("uses", "").startswith("actions/checkout")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_no_step_has_a_secret_but_the_token_of_its_job() -> None:
    for path in WORKFLOWS:
        assert "secrets." not in path.read_text(encoding="utf-8")
    with_token = [step["run"] for step in steps() if "run" in step and "github.token" in str(step.get("env"))]
    assert with_token == ["make post-comment", 'make github-release TAG="$GITHUB_REF_NAME"']


def test_every_shell_step_is_a_target_that_tests_run() -> None:
    lines = [step["run"] for step in steps() if "run" in step]
    assert all(STEP.fullmatch(line) for line in [*lines, *scripts_of_examples()])
    used = {line.split()[1] for line in [*lines, *scripts_of_examples()]}
    assert used == {"check", *PROGRAMS}
    # No test runs all tests; `make check` is what the CI of this repository runs, step by step.
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (wanted,) = re.findall(r"^check: (.*) ##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(wanted.split()) <= {"test", *re.findall(r"[a-z-]+", run.splitlines()[-1])}


def test_tests_that_lack_something_are_skipped_in_every_pipeline() -> None:
    gitlab = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text(encoding="utf-8"))
    assert gitlab["check"]["variables"] == {"CI": ""}
    azure = yaml.safe_load((EXAMPLES / "azure-pipelines.yml").read_text(encoding="utf-8"))
    (check,) = [step for step in azure["stages"][0]["jobs"][0]["steps"] if step.get("script") == "make check"]
    assert check["env"] == {"CI": ""}
    checked = [job["env"] for _, name, job in jobs() if name == "check"]
    assert checked == [{"CI": ""}, {"CI": ""}]


def test_each_target_runs_its_program() -> None:
    make = [*needs_make(), "--dry-run", "--no-print-directory", "PYTHON=python3"]
    ran = subprocess.run([*make, *PROGRAMS], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    for target, program in PROGRAMS.items():
        assert re.search(rf"[ /]{re.escape(program)}\s", ran.stdout), target


BAD = """\
name: bad
on: push
jobs:
  job:
    runs-on: ubuntu-24.04
    permissions: {contnets: read}
    steps:
      - uses: actions/checkout@v4
      - run: echo ${{ github.event.head_commit.message }} ${{ matrx.a }}
"""


def test_the_linters_find_what_they_are_for(tmp_path: Any) -> None:
    needs_path(LINTERS / "node_modules", "the linters of workflows (make test installs them from npm)")
    path = tmp_path / "bad.yml"
    path.write_text(BAD, encoding="utf-8")
    node = needs_program("node", "nodejs", path=str(ROOT / ".venv" / "bin"))
    command = [node, str(LINTERS / "lint.cjs"), str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 1
    for words in ('unknown permission scope "contnets"', "potentially untrusted", "Unrecognized named-value: 'matrx'"):
        assert words in ran.stderr
    zizmor = needs_program("zizmor", "zizmor on PyPI", path=str(ROOT / ".venv" / "bin"))
    ran = subprocess.run([zizmor, "--offline", str(path)], capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode != 0
    assert "template-injection" in ran.stdout
    assert "unpinned-uses" in ran.stdout


def test_the_linted_files_are_all_there_are() -> None:
    make = [*needs_make(), "--dry-run", "pipelines"]
    plan = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    for name in ("gitlab-ci.yml", "azure-pipelines.yml"):
        assert f"docs/examples/{name}" in plan
    assert {path.name for path in EXAMPLES.iterdir()} == {"gitlab-ci.yml", "azure-pipelines.yml"}
    forms = {path.name for path in (ROOT / ".github" / "ISSUE_TEMPLATE").iterdir()}
    assert forms == {"bug.yml", "config.yml", "feature.yml"}
