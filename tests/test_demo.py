"""The demonstration: in a pseudo-terminal, and its recording."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from demo import chapters as story
from demo.recording import CAST, IMAGES, PICTURES, chapters, picture, record
from demo.stage import COLUMNS, columns
from support.needs import needs_path
from support.project import ROOT

TITLES = ["Synthesize", "Review a change", "Plan and apply", "Chat", "Status", "Costs"]
ESCAPES = re.compile(r"\x1b\[[\d;]*m")


def plain(text: str) -> str:
    return ESCAPES.sub("", text)


def titles(cast: str) -> list[str]:
    return [re.findall(r"━━ \d\. (.*?) *\n", plain(text))[0] for text in chapters(cast).values()]


@pytest.fixture(scope="module")
def shown() -> dict[int, str]:
    """The chapters of a demonstration without pauses, in a terminal, with the scripted model."""
    needs_path(ROOT / ".venv-app", ".venv-app (make test installs it)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{ROOT / 'tools'}:{ROOT / 'tests'}")
        cast, status = record([sys.executable, "-m", "demo", "--speed", "0", "--engine", "scripted"])
    assert status == 0, cast
    assert titles(cast) == TITLES
    return {number: plain(text) for number, text in chapters(cast).items()}


def test_a_synthesis_and_the_review_of_a_change(shown: dict[int, str]) -> None:
    assert "Written: cdktf.out/stacks/kaito-dev-platform/cdk.tf.json" in shown[1]
    assert "max_count: 3 → 5  (see plan)" in shown[2]
    assert "daily_quota_gb: 1 → 2  (see plan)" in shown[2]
    assert "/aks-kaito-demo-" not in "".join(shown.values())


def test_both_stacks_are_planned_and_applied_where_terraform_is(shown: dict[int, str]) -> None:
    applied = shown[3].count("A second plan has no change.")
    assert applied == (0 if "Skipped" in shown[3] else 2)


def test_the_chat_waits_for_its_model(shown: dict[int, str]) -> None:
    states = re.findall(r"^after +([\d.]+) s +(\w+)", shown[4], re.MULTILINE)
    assert [state for _, state in states][-2:] == ["warming_up", "ready"]
    assert "Model:  This is answer 1." in shown[4]


def test_the_status_has_a_remedy_and_the_costs_a_total(shown: dict[int, str]) -> None:
    assert "dev is not ready: the GPU has too little memory for phi-4-mini-instruct." in shown[5]
    assert "dev is ready: phi-4-mini-instruct answers." in shown[5]
    assert "save 2,133 USD per month" in shown[6]


def test_ctrl_c_ends_the_demonstration_without_a_traceback() -> None:
    needs_path(ROOT / ".venv-app", ".venv-app (make test installs it)")
    variables = {**os.environ, "PYTHONPATH": f"{ROOT / 'tools'}:{ROOT / 'tests'}"}
    process = subprocess.Popen(
        [sys.executable, "-m", "demo"],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    while "Synthesize" not in process.stdout.readline():
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert errors == "\nThe demonstration was stopped.\n"
    assert process.returncode == 130


@pytest.mark.parametrize("speed", ["-1", "nan", "inf", "fast"])
def test_a_speed_that_is_none_is_refused(speed: str) -> None:
    variables = {**os.environ, "PYTHONPATH": f"{ROOT / 'tools'}:{ROOT / 'tests'}"}
    command = [sys.executable, "-m", "demo", f"--speed={speed}"]
    ran = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert f"argument --speed: '{speed}' must be a number from 0 on" in ran.stderr


@pytest.mark.parametrize(("terminal", "width"), [("80", 80), ("220", COLUMNS)])
def test_programs_write_for_the_width_of_the_terminal(
    terminal: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", terminal)
    assert columns() == width


def test_a_machine_without_the_embedded_engine_is_recognized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    for body, expected in (("exit 0", True), ("exit 1", False), ("kill -ILL $$", False)):
        python.write_text(f"#!/bin/sh\n{body}\n")
        python.chmod(0o755)
        monkeypatch.setattr(story, "APPLICATION_PYTHON", python)
        assert story.embedded_runs() is expected


def test_the_recording_and_its_pictures_are_of_this_demonstration() -> None:
    cast = CAST.read_text(encoding="utf-8")
    assert json.loads(cast.splitlines()[0])["version"] == 2
    assert titles(cast) == TITLES
    times = [json.loads(line)[0] for line in cast.splitlines()[1:]]
    assert times == sorted(times)
    assert times[-1] < 120
    for name, numbers in PICTURES.items():
        drawn = (IMAGES / f"{name}.svg").read_text(encoding="utf-8")
        text = "\n".join(chapters(cast)[number].strip() + "\n" for number in numbers)
        assert drawn == picture(text, "make demo"), "run make demo-recording"
        assert "url(http" not in drawn


def test_the_page_says_how_the_demonstration_starts() -> None:
    makefile = (Path(ROOT) / "Makefile").read_text(encoding="utf-8")
    assert "\ndemo: " in makefile
    assert "\nmake demo\n" in (ROOT / "README.md").read_text(encoding="utf-8")
