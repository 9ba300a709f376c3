"""What stops a deployment or a release, and what the program that it runs then hears."""

import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import ROOT
from support.stand_ins import DEV, environment, prepare

# The terminal becomes the program's own, so that whoever closes it tells it.
WITH_A_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def stopped(folder: Path, tool: str, word: str, stop: Callable[[int], None]) -> tuple[int, str]:
    """How a tool ends, and what it says, that is stopped while a program works whose command has this word."""
    variables = prepare(folder, variables={"SLEEPS": word, "HELM_BIN": str(folder / "helm")})
    (folder / "built").touch()
    arguments = ["up"] if tool == "deploy" else []
    command = [sys.executable, str(ROOT / "tools" / f"{tool}.py"), *arguments, "dev", "0.2.0"]
    # A group of its own, as a terminal gives.
    process = subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    )
    assert process.stdout is not None
    while process.stdout.readline() != "begun\n":
        assert process.poll() is None
    stop(process.pid)
    _, said = process.communicate(timeout=20)
    return process.returncode, said


def press(process: int) -> None:
    os.killpg(process, signal.SIGINT)


def press_twice(process: int) -> None:
    press(process)
    time.sleep(0.4)
    press(process)


def cancel(process: int) -> None:
    """As GitLab does, to the group; and as GitHub does, first one signal and then another."""
    os.killpg(process, signal.SIGTERM)
    time.sleep(0.4)
    os.kill(process, signal.SIGTERM)


@pytest.mark.parametrize(("stop", "told"), [(press, "1"), (press_twice, "2"), (cancel, "1")])
def test_what_stops_it_lets_terraform_write_its_state(tmp_path: Path, stop: Callable[[int], None], told: str) -> None:
    status, said = stopped(tmp_path, "deploy", "kaito-dev-platform", stop)
    assert (tmp_path / "ended").read_text() == told
    assert status == 1
    assert "Stopped. Go on with: make deploy ENV=dev TAG=0.2.0" in said
    assert "Traceback" not in said


def test_make_passes_on_what_stops_it(tmp_path: Path) -> None:
    make = shutil.which("make") or pytest.skip("needs make (package: make)")
    variables = prepare(tmp_path, variables={"SLEEPS": "kaito-dev-platform"})
    variables = {key: value for key, value in variables.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    # make puts its own kubectl before our stand-in, and that finds no cluster; for mode gateway, none is asked.
    variables |= environment(tmp_path, f'{DEV}\n[ingress]\nmode = "gateway"\n')
    process = subprocess.Popen(
        [make, "deploy", "ENV=dev", "TAG=0.2.0"],
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
    variables = prepare(tmp_path, variables={"SLEEPS": "kaito-dev-platform"})
    command = [sys.executable, "-c", WITH_A_TERMINAL, str(ROOT / "tools" / "deploy.py"), "up", "dev", "0.2.0"]
    ours, its = pty.openpty()
    process = subprocess.Popen(command, env=variables, stdin=its, stdout=its, stderr=its)
    os.close(its)
    said = b""
    while b"begun" not in said:
        said += os.read(ours, 4096)
    os.close(ours)
    process.wait(20)
    assert (tmp_path / "ended").read_text() == "1"


def test_a_key_that_stops_a_release_lets_helm_take_it_back(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "main.py"], cwd=ROOT, check=True, capture_output=True, timeout=120)
    status, said = stopped(tmp_path, "release", "--install", press)
    assert (tmp_path / "ended").read_text() == "1"
    assert (status, said.strip()) == (1, "Stopped.")
