"""Signals that stop a deployment or a release, and the signals that its programs receive then."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.needs import needs_make
from support.project import ROOT
from support.stand_ins import AKS_KAITO, DEV, environment, prepare, without_placeholders

# Makes the terminal the program's controlling terminal: closing it sends SIGHUP.
WITH_A_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.fixture(autouse=True)
def _sigint_has_its_default_action() -> Iterator[None]:
    """Undo for children that a runner in the background ignores SIGINT: they would inherit it, but no handler."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def stopped(
    folder: Path, subcommand: str, word: str, stop: Callable[[int], None], root: Path | None = None
) -> tuple[int, str]:
    """Stop a subcommand while a program works whose command line has this word; return its status and errors."""
    chosen = {"SLEEPS": word, "HELM_BIN": str(folder / "helm"), **without_placeholders(folder)}
    variables = prepare(folder, variables=chosen, root=root)
    (folder / "built").touch()
    process = started([*AKS_KAITO, subcommand, "dev", "0.2.0"], variables)
    stop(process.pid)
    _, said = process.communicate(timeout=20)
    return process.returncode, said


def started(command: list[str], variables: dict[str, str]) -> subprocess.Popen[str]:
    """Start a command in a process group of its own, as a terminal does, and wait until a program of it works."""
    process = subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    )
    assert process.stdout is not None
    while process.stdout.readline() != "begun\n":
        assert process.poll() is None
    return process


def press(process: int) -> None:
    os.killpg(process, signal.SIGINT)


def press_twice(process: int) -> None:
    press(process)
    time.sleep(0.4)
    press(process)


def cancel(process: int) -> None:
    """Signal the group, as GitLab does, and once more the process, as GitHub does."""
    os.killpg(process, signal.SIGTERM)
    time.sleep(0.4)
    os.kill(process, signal.SIGTERM)


@pytest.mark.parametrize(("stop", "told"), [(press, "1"), (press_twice, "2"), (cancel, "1")])
def test_a_signal_lets_terraform_write_its_state(tmp_path: Path, stop: Callable[[int], None], told: str) -> None:
    status, said = stopped(tmp_path, "deploy", "kaito-dev-platform", stop)
    assert (tmp_path / "ended").read_text() == told
    assert status == 1
    assert "Stopped. Resume with: make deploy ENV=dev TAG=0.2.0" in said
    assert "Traceback" not in said


def test_programs_can_be_stopped_where_sigint_is_ignored(tmp_path: Path) -> None:
    # As in the background of a script.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    chosen = {"CDK_CLI": "sh -c 'echo begun; exec sleep 30'", **without_placeholders(tmp_path)}
    variables = prepare(tmp_path, variables=chosen)
    process = started([*AKS_KAITO, "deploy", "dev", "0.2.0"], variables)
    os.kill(process.pid, signal.SIGINT)
    time.sleep(0.4)
    assert process.poll() is None
    process.terminate()
    _, said = process.communicate(timeout=10)
    assert (process.returncode, "Stopped. Resume with" in said) == (1, True)


def test_make_passes_signals_on(tmp_path: Path) -> None:
    variables = prepare(tmp_path, variables={"SLEEPS": "kaito-dev-platform"})
    variables = {key: value for key, value in variables.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    # make puts its own kubectl before our stand-in, and that one finds no cluster; mode gateway asks none.
    variables |= environment(tmp_path, f'{DEV}\n[ingress]\nmode = "gateway"\n')
    process = subprocess.Popen(
        [*needs_make(), "deploy", "ENV=dev", "TAG=0.2.0"],
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    while process.stdout.readline() != "begun\n":
        assert process.poll() is None
    process.terminate()
    process.communicate(timeout=20)
    assert (tmp_path / "ended").read_text() == "1"


def test_a_closed_terminal_lets_terraform_write_its_state(tmp_path: Path) -> None:
    variables = prepare(tmp_path, variables={"SLEEPS": "kaito-dev-platform", **without_placeholders(tmp_path)})
    command = [sys.executable, "-c", WITH_A_TERMINAL, *AKS_KAITO[1:], "deploy", "dev", "0.2.0"]
    ours, its = pty.openpty()
    process = subprocess.Popen(command, env=variables, stdin=its, stdout=its, stderr=its)
    os.close(its)
    said = b""
    while b"begun" not in said:
        said += os.read(ours, 4096)
    os.close(ours)
    process.wait(20)
    assert (tmp_path / "ended").read_text() == "1"


def test_a_key_that_stops_a_release_lets_helm_roll_back(tmp_path: Path, project: Path) -> None:
    status, said = stopped(tmp_path, "release", "--install", press, project)
    assert (tmp_path / "ended").read_text() == "1"
    assert (status, said.strip()) == (1, "Stopped.")
