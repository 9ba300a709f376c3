"""`aks-kaito diff` in a temporary repository: its output, its exit status, and the files that it leaves alone."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import prices
from support.needs import needs_program
from support.project import ROOT
from support.stand_ins import AKS_KAITO


@pytest.fixture(autouse=True)
def _git() -> None:
    needs_program("git", package="git")


SIZE = ('vm_size = "Standard_D4ads_v5"', 'vm_size = "Standard_D8ads_v5"')


def git(repository: Path, *arguments: str) -> str:
    """Run git without the user's configuration."""
    who = {f"GIT_{role}_{what}": "a@b.invalid" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "PATH": os.environ["PATH"], **who}
    program = shutil.which("git")
    assert program is not None
    ran = subprocess.run([program, *arguments], cwd=repository, env=alone, capture_output=True, text=True, check=True)
    return ran.stdout


@pytest.fixture(scope="session")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the program and two small environments, `dev` and `dev-two`, committed."""
    folder = tmp_path_factory.mktemp("committed") / "repository"
    folder.mkdir()
    for name in ("charts", "cli", "constructs", "requirements"):
        # With the bytecode, which git ignores.
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "main.py", folder)
    (folder / "environments").mkdir()
    for name in ("dev", "dev-two"):
        shutil.copy(ROOT / "environments" / "dev.toml", folder / "environments" / f"{name}.toml")
    (folder / ".gitignore").write_text("__pycache__/\ncdktf.out/\n", encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=base")
    return folder


@pytest.fixture
def repository(committed: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(committed, tmp_path / "repository"))


def diff(repository: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return run(repository, "diff", *arguments, **variables)


def run(repository: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*AKS_KAITO, *arguments],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": f"{repository / 'cli'}:{repository / 'constructs'}", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def everything(repository: Path) -> dict[str, str]:
    """Return a hash of every file, git's own included, except bytecode."""
    files = (path for path in repository.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(repository)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_dirty_tree_is_compared_and_left_as_it_is(repository: Path) -> None:
    edit(repository / "environments" / "dev.toml", *SIZE)
    edit(repository / "constructs" / "aks_kaito" / "services" / "storage.py", '"StorageV2"', '"BlobStorage"')
    shutil.copy(repository / "environments" / "dev.toml", repository / "environments" / "new.toml")
    (repository / "environments" / "dev-two.toml").unlink()
    (repository / "cdktf.out").mkdir()
    (repository / "cdktf.out" / "kept").write_text("kept", encoding="utf-8")
    before = everything(repository)
    ran = diff(repository, "--exit-code")
    assert ran.returncode == 1, ran.stderr
    assert everything(repository) == before
    assert "kaito-dev-platform: 2 changed" in ran.stdout
    assert 'default_node_pool.vm_size: "Standard_D4ads_v5" → "Standard_D8ads_v5"  (see plan)' in ran.stdout
    assert 'account_kind: "StorageV2" → "BlobStorage"' in ran.stdout
    assert "kaito-new-platform: a new stack, " in ran.stdout
    assert "kaito-dev-two-platform: a stack that is gone, " in ran.stdout
    assert "\x1b" not in ran.stdout


def test_equal_sides_are_equal_and_variables_select_nothing(repository: Path) -> None:
    ran = diff(repository, "--base=HEAD", "--exit-code", AKS_KAITO_ENV="nope", AKS_KAITO_ENVIRONMENTS_DIR="/nowhere")
    assert (ran.returncode, ran.stdout) == (0, "The synthesized Terraform is the same as that of HEAD.\n"), ran.stderr


def test_markdown_of_one_environment(repository: Path) -> None:
    for name in ("dev", "dev-two"):
        edit(repository / "environments" / f"{name}.toml", 'location = "westeurope"', 'location = "northeurope"')
    ran = diff(repository, "dev", "--base=main", "--markdown")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("### Synthesized Terraform, compared with `main`\n\n**† Likely to be replaced**")
    assert "`azurerm_resource_group.resource-group` in `kaito-dev-platform`" in ran.stdout
    assert "dev-two" not in ran.stdout


@pytest.mark.parametrize("base", ["nope", "--exec=x", "HEAD:main.py"])
def test_an_unknown_revision_is_named(repository: Path, base: str) -> None:
    ran = diff(repository, f"--base={base}")
    assert ran.returncode == 2
    assert ran.stderr == f"base {base!r}: must be a branch, a tag or a commit of this repository\n"
    assert ran.stdout == ""


def test_an_environment_that_neither_side_has_is_named(repository: Path) -> None:
    ran = diff(repository, "nope", "--base=HEAD")
    assert ran.returncode == 2
    assert "ENV = 'nope': neither side has such an environment" in ran.stderr


def test_a_side_that_cannot_be_synthesized_says_why(repository: Path) -> None:
    edit(repository / "environments" / "dev.toml", 'location = "westeurope"', 'location = "atlantis"')
    ran = diff(repository, "--base=HEAD")
    assert ran.returncode == 2
    assert ran.stderr.startswith("the working tree cannot be synthesized:\n")
    assert 'dev.toml: location = "atlantis"' in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_revision_without_the_program_is_refused_and_other_dependencies_are_noted(repository: Path) -> None:
    git(repository, "rm", "--quiet", "main.py", "requirements/infra.txt")
    git(repository, "commit", "--quiet", "--message=empty")
    git(repository, "checkout", "--quiet", "HEAD~1", "--", ".")
    ran = diff(repository, "--base=HEAD")
    assert ran.returncode == 2
    assert ran.stderr == "HEAD has no main.py to synthesize\n"
    edit(repository / "requirements" / "infra.txt", "# This file was autogenerated", "# It was autogenerated")
    noted = diff(repository, "--base=HEAD~1")
    assert noted.returncode == 0
    assert "requirements/infra.txt differs" in noted.stderr


def test_outside_a_repository_it_says_so(repository: Path) -> None:
    shutil.rmtree(repository / ".git")
    ran = diff(repository, "--base=HEAD", GIT_CEILING_DIRECTORIES=str(repository.parent))
    assert ran.returncode == 2
    assert "not a git repository" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_cost_of_a_change_is_that_of_both_synthesized_sides(repository: Path, tmp_path: Path) -> None:
    file = repository / "environments" / "dev.toml"
    edit(file, 'instance_type = "Standard_NV36ads_A10_v5"', 'instance_type = "Standard_NC24ads_A100_v4"')
    edit(
        file,
        'vm_size = "Standard_D2ads_v5"\nzones = ["1"]\nmin_count = 1',
        'vm_size = "Standard_D2ads_v5"\nzones = ["1"]\nmin_count = 2',
    )
    with prices.running() as fake:
        variables = {"AKS_KAITO_PRICES_ENDPOINT": fake.endpoint, "XDG_CACHE_HOME": str(tmp_path / "cache")}
        ran = run(repository, "cost", "dev", "--diff", "main", "--format", "markdown", **variables)
        data = run(repository, "cost", "dev", "--diff", "main", "--json", **variables)
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert lines[:3] == [
        "### Cost of `dev`, compared with `main`",
        "",
        "The change since main changes the cost of dev by +540.20 to +448.95 USD per month.",
    ]
    for line in (
        "| user nodes, Standard_D2ads_v5 | 1-3 → 2-3 | +91.25 | +45.63 | 0.00 |",
        "| GPU nodes of the model, Standard_NC24ads_A100_v4 | 0 → 1 | +3,485.75 | +3,485.75 | +3,485.75 |",
        "| GPU nodes of the model, Standard_NV36ads_A10_v5 | 1 → 0 | -3,036.80 | -3,036.80 | -3,036.80 |",
        "| **all together** |  | +540.20 | +494.58 | +448.95 |",
    ):
        assert line in lines
    found = json.loads(data.stdout)
    assert found["difference"]["totals"] == {"minimum": 540.2, "expected": 494.58, "maximum": 448.95}
    assert found["base"]["revision"] == "main"


def test_the_cost_of_an_environment_that_neither_side_has_is_refused(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text((repository / "environments" / "dev.toml").read_text(), encoding="utf-8")
    variables = {"AKS_KAITO_ENVIRONMENTS_DIR": str(tmp_path), "AKS_KAITO_PRICES_ENDPOINT": "http://127.0.0.1:9"}
    ran = run(repository, "cost", "mine", "--diff", "main", **variables)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "ENV = 'mine': neither side has such an environment" in ran.stderr


def test_the_comment_of_a_review_has_the_difference_and_the_cost(repository: Path, tmp_path: Path) -> None:
    (repository / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "review_comment.py", repository / "tools")
    git(repository, "rm", "--quiet", "environments/dev-two.toml")
    git(repository, "commit", "--quiet", "--message=one environment")
    base = git(repository, "rev-parse", "HEAD").strip()
    edit(repository / "environments" / "dev.toml", *SIZE)
    with prices.running() as fake:
        ran = subprocess.run(
            [sys.executable, str(repository / "tools" / "review_comment.py"), base],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": f"{repository / 'cli'}:{repository / 'constructs'}",
                "AKS_KAITO_PRICES_ENDPOINT": fake.endpoint,
                "XDG_CACHE_HOME": str(tmp_path / "cache"),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    assert ran.returncode == 0, ran.stderr
    text = (repository / "dist" / "review-comment.md").read_text(encoding="utf-8")
    assert text == ran.stdout.removesuffix("\n")
    assert text.startswith(f"### Synthesized Terraform, compared with `{base[:10]}`\n")
    assert '| `"Standard_D4ads_v5"` | `"Standard_D8ads_v5"` |' in text
    assert f"### Cost of `dev`, compared with `{base[:10]}`" in text
    assert f"The change since {base[:10]} changes the cost of dev by -182.50 to -547.50 USD per month" in text
