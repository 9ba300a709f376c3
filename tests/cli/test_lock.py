"""One command at a time in a checkout; the others say who holds it."""

import getpass
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.stand_ins import AKS_KAITO, Ran, linked, prepare, run, without_placeholders

ARGUMENTS = {
    "deploy": ("deploy", "dev", "0.2.0"),
    "destroy": ("destroy", "dev", "dev"),
    "release": ("release", "dev", "0.2.0"),
}


@contextmanager
def working(folder: Path, project: Path, subcommand: str, word: str) -> Iterator[subprocess.Popen[str]]:
    """Run a subcommand in a project while a program of it works, and end it at the end."""
    chosen = {"SLEEPS": word, "HELM_BIN": str(folder / "helm"), **without_placeholders(folder)}
    variables = prepare(folder, variables=chosen, root=project)
    (folder / "built").touch()
    process = subprocess.Popen(
        [*AKS_KAITO, *ARGUMENTS[subcommand]], env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        while process.stdout.readline() != "begun\n":
            assert process.poll() is None
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


def other(tmp_path: Path, project: Path, *arguments: str) -> Ran:
    """Run another command in the same project, with stand-ins of its own."""
    (tmp_path / "other").mkdir(exist_ok=True)
    return run(tmp_path / "other", *arguments, root=project)


@pytest.mark.parametrize(
    ("first", "word", "second"),
    [
        ("deploy", "kaito-dev-platform", "deploy"),
        ("deploy", "kaito-dev-workloads", "destroy"),
        ("destroy", "kaito-dev-platform", "deploy"),
        ("deploy", "kaito-dev-platform", "release"),
        ("release", "--install", "destroy"),
    ],
)
def test_a_second_command_is_refused_and_names_the_first(
    tmp_path: Path, project: Path, first: str, word: str, second: str
) -> None:
    with working(tmp_path, project, first, word) as process:
        refused = other(tmp_path, project, *ARGUMENTS[second])
    assert (refused.done.returncode, refused.asked, refused.done.stdout) == (2, [], "")
    holder = f"{getpass.getuser()}@{socket.gethostname()} (process {process.pid}) has used this checkout since "
    assert refused.done.stderr.startswith(holder)
    typed = {"deploy": "TAG=0.2.0", "destroy": "CONFIRM=dev", "release": "TAG=0.2.0"}[first]
    assert f": make {first} ENV=dev {typed}\n" in refused.done.stderr
    assert f"kill {process.pid}" in refused.done.stderr


def test_another_environment_of_the_checkout_waits_too(tmp_path: Path, project: Path) -> None:
    with working(tmp_path, project, "deploy", "kaito-dev-platform"):
        refused = other(tmp_path, project, "deploy", "sample", "0.2.0")
    assert (refused.done.returncode, "make deploy ENV=dev TAG=0.2.0" in refused.done.stderr) == (2, True)


def test_the_lock_ends_with_its_command(tmp_path: Path, project: Path) -> None:
    with working(tmp_path, project, "deploy", "kaito-dev-platform"):
        pass
    done = other(tmp_path, project, "deploy", "dev", "0.2.0")
    assert (done.done.returncode, done.done.stderr) == (0, "")
    assert other(tmp_path, project, "deploy", "dev", "0.2.0").done.returncode == 0


def test_the_lock_of_a_killed_command_is_taken_over_in_words(tmp_path: Path, project: Path) -> None:
    with working(tmp_path, project, "deploy", "kaito-dev-platform") as process:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    done = other(tmp_path, project, "destroy", "dev", "dev")
    assert done.done.returncode == 0, done.done.stderr
    assert done.done.stderr.startswith(
        f"note: {getpass.getuser()}@{socket.gethostname()} (process {process.pid}) ended"
    )
    assert "make deploy ENV=dev TAG=0.2.0\nThe lock is taken over." in done.done.stderr
    # The note is said once.
    assert other(tmp_path, project, "destroy", "dev", "dev").done.stderr == ""


@pytest.mark.parametrize("text", ["", "{", "[]", '["a"]', "3"])
def test_a_damaged_note_of_the_holder_stops_nobody(tmp_path: Path, text: str) -> None:
    folder = linked(tmp_path / "project")
    (folder / ".driver.json").write_text(text, encoding="utf-8")
    assert run(tmp_path, "destroy", "dev", "dev").done.returncode == 0


def test_a_note_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (linked(tmp_path / "project") / ".driver.json").mkdir()
    ran = run(tmp_path, "destroy", "dev", "dev")
    assert (ran.done.returncode, ran.done.stderr) == (0, "")


def test_a_lock_that_cannot_be_had_is_a_refusal(tmp_path: Path) -> None:
    (linked(tmp_path / "project") / ".driver.lock").mkdir()
    ran = run(tmp_path, "destroy", "dev", "dev")
    assert (ran.done.returncode, ran.asked) == (2, [])
    assert ran.done.stderr.startswith(".driver.lock cannot be locked: ")
    assert "Traceback" not in ran.done.stderr


def test_the_holder_is_noted_while_it_works(tmp_path: Path, project: Path) -> None:
    with working(tmp_path, project, "deploy", "kaito-dev-platform") as process:
        user, host, number, since, command = json.loads((project / ".driver.json").read_text(encoding="utf-8"))
    assert (user, host, number) == (getpass.getuser(), socket.gethostname(), process.pid)
    assert command == "make deploy ENV=dev TAG=0.2.0"
    assert since.endswith("+00:00")
    assert not (project / ".driver.json").exists()
    assert os.access(project / ".driver.lock", os.W_OK)
