"""Output that others' texts cannot disturb, failures as JSON, and ends by Ctrl-C and by a closed pipe."""

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aks_kaito_cli import terminal
from aks_kaito_cli.answers import Answer, Check, Finding, show, show_failure, side_by_side
from support import forked
from support import ready_subscription as ready
from support.fake_azure import FakeAzure, running
from support.preflights import DEV, written
from support.project import OWN_ID
from support.stand_ins import AKS_KAITO, environment, prepare

ODD = "\x1b[31mred\x1b[0m \x1b]0;title\x07[bold]Ünï[/bold] [/] :key: \u202e\x9b日本"
PLAIN = "red [bold]Ünï[/bold] [/] :key: 日本"


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[FakeAzure]:
    with running() as fake:
        ready.prepare(fake, written(tmp_path))
        yield fake


@pytest.fixture
def surroundings(tmp_path: Path, azure: FakeAzure) -> dict[str, str]:
    variables = {**environment(tmp_path, DEV), "AKS_KAITO_ARM_ENDPOINT": azure.endpoint, "COLUMNS": "120"}
    return prepare(tmp_path, variables=variables, answers={"account show": OWN_ID})


def preflight(surroundings: dict[str, str], *options: str) -> subprocess.CompletedProcess[bytes]:
    command = [*AKS_KAITO, "preflight", "dev", *options]
    return subprocess.run(command, env=surroundings, capture_output=True, check=False, timeout=60)


def test_texts_are_shown_without_what_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    found = Finding("Quota", ODD, "blocker", ODD, ODD)
    show(Answer([found], ODD, ODD, 1, {}), as_json=False)
    printed = capsys.readouterr().out
    # Twice in the remedy's line, then the sentence and the next command; the cells of the table wrap.
    assert printed.count(PLAIN) == 4
    assert "\x1b" not in printed
    assert show_failure(ODD, exit_status=2, as_json=False) == 2
    assert capsys.readouterr().err == f"{PLAIN}\n"


def test_a_failure_is_json_if_json_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert show_failure("No such file.", "make help", exit_status=2, as_json=True) == 2
    printed = capsys.readouterr()
    expected = {"answer": "No such file.", "next": "make help", "exit_status": 2, "findings": []}
    assert (json.loads(printed.out), printed.err) == (expected, "")


@pytest.mark.parametrize(
    "command",
    [
        ["preflight", "nowhere"],
        ["status", "nowhere"],
        ["gpu-pools", "nowhere"],
        ["gpu-pools", "dev", "--currency", "euro"],
        ["cost", "nowhere"],
        ["cost", "dev", "--hours-on", "night"],
        ["import-tfvars", "nowhere.tfvars"],
    ],
)
def test_unusable_input_is_json_too(command: list[str], surroundings: dict[str, str]) -> None:
    ran = forked.run([*command, "--json"], surroundings, seconds=60)
    assert (ran.returncode, json.loads(ran.stdout)["exit_status"], ran.stderr) == (2, 2, "")


def test_nothing_is_written_to_standard_error_without_a_terminal(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    side_by_side([Check("a", "b", lambda: [Finding("a", "b", "ok", "")])], ())
    assert capfd.readouterr().err == ""


def test_progress_is_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert not terminal.progress_console().quiet


def test_an_encoding_without_a_character_gets_a_question_mark(azure: FakeAzure, surroundings: dict[str, str]) -> None:
    azure.answer(ready.SCOPE, {**ready.SUBSCRIPTION, "displayName": "Kaito 日本"})
    ran = preflight({**surroundings, "PYTHONIOENCODING": "ascii"})
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert b"Kaito ??" in ran.stdout


def test_a_reader_that_has_gone_does_not_change_the_exit_status(surroundings: dict[str, str]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    command = [*AKS_KAITO, "preflight", "dev"]
    with os.fdopen(theirs, "wb") as closed:
        ran = subprocess.run(command, env=surroundings, stdout=closed, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_an_interrupt_ends_the_checks_at_once(azure: FakeAzure, surroundings: dict[str, str]) -> None:
    azure.seconds = 20
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        [*AKS_KAITO, "preflight", "dev"], env=surroundings, stdout=subprocess.PIPE, stderr=theirs
    )
    while not azure.requests:
        time.sleep(0.1)
    time.sleep(0.5)
    began = time.monotonic()
    started.send_signal(signal.SIGINT)
    started.communicate(timeout=60)
    os.close(theirs)
    os.close(ours)
    assert (started.returncode, time.monotonic() - began < 5) == (130, True)
