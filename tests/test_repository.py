"""The repository itself: its layout, its commands, its data."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from aks_kaito.catalog import CATALOG
from aks_kaito.models.tables import KAITO
from aks_kaito.settings import load
from support.needs import needs, needs_program
from support.project import ENVIRONMENTS, ROOT, TODAY


def test_source_roots_hold_no_init_file() -> None:
    for folder in ("constructs", "app", "cli", "tests/constructs"):
        assert not (ROOT / folder / "__init__.py").exists()
    assert not (ROOT / "tests" / "constructs").exists()
    assert not (ROOT / "constructs.py").exists()


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_every_environment_loads(path: Path) -> None:
    assert load(path, TODAY).name == path.stem


def test_the_cdk_cli_runs_the_same_program() -> None:
    config = json.loads((ROOT / "cdktf.json").read_text(encoding="utf-8"))
    assert config["language"] == "python"
    assert config["app"].endswith("python -O main.py")


def test_commands_in_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    used = set(re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert used
    assert used <= targets


def test_every_command_of_make_help_is_in_the_table_of_commands() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    shown = set(re.findall(r"^([a-z-]+):.* ## ", makefile, re.MULTILINE))
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Commands")[2].partition("\n## ")[0]
    assert shown - set(re.findall(r"`make ([a-z-]+)[^`]*`", table)) == {"help"}


def test_every_dependency_is_locked_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    for name, wanted in (
        ("infra", project["project"]["dependencies"]),
        ("dev", project["project"]["dependencies"] + groups["dev"]),
        ("cdktf", groups["cdktf"]),
        ("docs", groups["docs"]),
        ("kubernetes", groups["kubernetes"]),
        ("security", groups["security"]),
    ):
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        assert "://" not in text
        assert text.count("--hash=sha256:") > text.count("==") / 2
        for requirement in wanted:
            package = re.split(r"[=<>!~]", requirement)[0].lower().replace(".", "-")
            assert f"\n{package}==" in text, f"{package} is not in requirements/{name}.txt: run make lock"


def test_every_dependency_of_the_chat_application_is_locked_with_hashes() -> None:
    project = tomllib.loads((ROOT / "app" / "pyproject.toml").read_text(encoding="utf-8"))
    groups, extras = project["dependency-groups"], project["project"]["optional-dependencies"]
    for name, wanted in (
        ("app/requirements.txt", project["project"]["dependencies"]),
        ("app/requirements-build.txt", groups["build"]),
        ("app/requirements-embedded.txt", project["project"]["dependencies"] + extras["embedded"]),
        ("requirements/app-dev.txt", project["project"]["dependencies"] + groups["dev"]),
    ):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert text.count("--hash=sha256:") > text.count("==") / 2
        for requirement in wanted:
            package = re.split(r"[=<>!~\[]", requirement)[0].lower()
            assert re.search(rf"^{package}(\[\w+\])?==", text, re.MULTILINE), (
                f"{package} is not in {name}: run make lock"
            )


def test_only_the_command_line_of_make_sets_the_environment() -> None:
    make = needs_program("make", package="make")
    plan = [make, "--always-make", "--dry-run", "synth"]
    for arguments, expected in (
        ([], 'AKS_KAITO_ENV="dev"'),
        (["ENV=prod"], 'AKS_KAITO_ENV="prod"'),
        (["ENV=dev prod"], 'AKS_KAITO_ENV="dev prod"'),
    ):
        ran = subprocess.run(
            [*plan, *arguments],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "ENV": "/etc/profile", "PYTHON": "python3"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert expected in ran.stdout


def test_the_catalogs_replacements_and_models_are_consistent() -> None:
    for name, retired in CATALOG.retired_gpu_sizes.items():
        assert name not in CATALOG.gpu_sizes
        assert retired.replacement in CATALOG.gpu_sizes or retired.replacement.startswith("Standard_")
    assert all("phi-4-mini-instruct" in tables.presets for tables in KAITO.values())


def test_recording_rules_keep_azures_records() -> None:
    folder = ROOT / "constructs" / "aks_kaito" / "monitoring" / "rule_groups"
    counts = {path.stem: len(json.loads(path.read_text(encoding="utf-8"))["rules"]) for path in folder.glob("*.json")}
    linux = {"node": 11, "kubernetes": 19, "ux": 18}
    assert counts == linux | {"node-windows": 15, "node-and-kubernetes-windows": 17, "ux-windows": 8}


def test_no_text_names_a_machine() -> None:
    listed = subprocess.run(
        [shutil.which("git") or "git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    needs(listed.returncode == 0, "git and a checkout (package: git)")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.exists() and path.name != Path(__file__).name:
            text = path.read_text(encoding="utf-8", errors="ignore")
            assert not re.search(r"/(home|root|Users)/\w", text), name
