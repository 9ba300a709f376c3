"""The command itself: help, completion, usage errors."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aks_kaito import __version__
from support import forked
from support.project import ENVIRONMENTS, ROOT
from support.stand_ins import AKS_KAITO

OF_ENVIRONMENTS = (
    "synth",
    "diff",
    "preflight",
    "plan",
    "deploy",
    "destroy",
    "release",
    "gpu-pools",
    "cost",
    "size",
    "status",
)
SUBCOMMANDS = (*OF_ENVIRONMENTS, "import-tfvars", "doctor")


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command on a terminal of the usual width."""
    return forked.run(arguments, {**os.environ, "COLUMNS": "80", **variables}, seconds=60)


def completions(line: str, **variables: str) -> list[str]:
    """Complete the last word of a line as bash does."""
    words = {"_AKS_KAITO_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    return run(**words, **variables).stdout.split()


def test_the_console_script_lists_the_subcommands_with_a_whole_line_each() -> None:
    program = Path(sys.executable).with_name("aks-kaito")
    ran = subprocess.run([program, "--help"], capture_output=True, text=True, check=True, timeout=60)
    listed, _, epilog = ran.stdout.partition("Commands:\n")[2].partition("\n\n")
    lines = listed.splitlines()
    assert tuple(line.split()[0] for line in lines) == SUBCOMMANDS
    assert all(line.endswith(".") and not line.endswith("...") for line in lines)
    assert "Example: aks-kaito synth dev" in epilog


def test_the_version_is_that_of_the_project() -> None:
    ran = run("--version")
    assert (ran.stdout, ran.returncode) == (f"aks-kaito {__version__}\n", 0)


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_help_says_what_a_subcommand_needs_and_gives_an_example(subcommand: str) -> None:
    ran = run(subcommand, "--help")
    assert ran.returncode == 0
    for text in ("Needs ", "Exit status: 0", f"Example: aks-kaito {subcommand} "):
        assert text in ran.stdout


def test_subcommands_and_environments_complete(tmp_path: Path) -> None:
    assert completions("aks-kaito d") == ["diff", "deploy", "destroy", "doctor"]
    names = [path.stem for path in ENVIRONMENTS]
    for subcommand in OF_ENVIRONMENTS:
        assert completions(f"aks-kaito {subcommand} ") == names
    assert completions("aks-kaito deploy p") == ["prod"]
    (tmp_path / "mine.toml").touch()
    assert completions("aks-kaito deploy ", AKS_KAITO_ENVIRONMENTS_DIR=str(tmp_path)) == ["mine"]
    assert completions("aks-kaito deploy ", AKS_KAITO_ENVIRONMENTS_DIR=str(tmp_path / "gone")) == []


def test_completion_can_be_installed() -> None:
    ran = run("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert (ran.returncode, "_AKS_KAITO_COMPLETE=complete_bash" in ran.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sideways"], "No such command 'sideways'"),
        (["deploy"], "Missing argument 'ENV'"),
        (["deploy", "dev"], "Missing argument 'TAG'"),
        (["deploy", "dev", "0.2.0", "more"], "unexpected extra argument"),
        (["destroy", "dev"], "Missing argument 'CONFIRM'"),
        (["release", "dev"], "Missing argument 'TAG'"),
        (["diff", "--frobnicate"], "No such option"),
        (["synth", "--show", "poem"], "'poem'"),
    ],
)
def test_a_usage_error_exits_2_with_a_message(arguments: list[str], words: str) -> None:
    ran = run(*arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr


def test_synth_is_main_py_from_any_folder(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("prefix = 3", encoding="utf-8")
    command = [*AKS_KAITO, "synth", "nowhere"]
    variables = {**os.environ, "AKS_KAITO_ENVIRONMENTS_DIR": str(tmp_path)}
    ran = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False, timeout=60)
    assert (ran.returncode, 'AKS_KAITO_ENV = "nowhere": must be one of: bad' in ran.stderr) == (2, True)


def test_synthesis_does_not_import_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", "main.py"]
    variables = {**os.environ, "AKS_KAITO_ENV": "dev", "CDKTF_OUTDIR": str(tmp_path)}
    ran = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True, timeout=60)
    imported = ran.stderr
    assert "aks_kaito.settings" in imported
    assert not {"typer", "aks_kaito_cli"} & {line.rpartition("|")[2].strip() for line in imported.splitlines()}
