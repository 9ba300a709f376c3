"""The embedded engine: real generation where the extra is installed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaito_chat.backends import Finish, Message, Sampling, Text, Timeouts, Usage, pool
from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.engine import CANNOT_RUN, embedded
from support.chat.backends import backend_at_url, events_of
from support.needs import needs

APP = Path(__file__).parents[3] / "app"


@pytest.fixture(scope="module")
def engine() -> Iterator[tuple[subprocess.Popen[str], str]]:
    needs(embedded.model_file(), "kaito-chat[embedded] (make test installs it where it has a wheel)")
    process = subprocess.Popen(
        (sys.executable, "-m", "kaito_chat.engine.embedded", "--port", "0", "--with-parent"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(APP)},
    )
    assert process.stdout
    line = process.stdout.readline()
    if not line and process.wait(10) == CANNOT_RUN:
        needs(None, "a CPU that can run kaito-chat[embedded]")
    yield process, line.removeprefix("listening on ").strip()
    process.kill()
    process.communicate()


async def test_it_generates(engine: tuple[subprocess.Popen[str], str]) -> None:
    async with pool(5, 1) as client:
        backend = await backend_at_url(engine[1], client, Timeouts())
        served = await backend.describe()
        sampling = Sampling(temperature=0.0, top_p=1.0, max_tokens=8)
        events = await events_of(backend, served, [Message("user", "Say hello.")], sampling)
    assert served.id == embedded.MODEL
    assert "".join(event.text for event in events if isinstance(event, Text)).strip()
    assert Finish("length") in events
    assert any(isinstance(event, Usage) and event.completion_tokens == 8 for event in events)


async def test_a_question_beyond_its_window_is_too_long(engine: tuple[subprocess.Popen[str], str]) -> None:
    async with pool(5, 1) as client:
        backend = await backend_at_url(engine[1], client, Timeouts())
        messages = [Message("user", "hello " * (embedded.WINDOW_TOKENS + 10))]
        with pytest.raises(BackendError) as refused:
            _ = await events_of(backend, await backend.describe(), messages, Sampling(0.0, 1.0, 8))
    assert refused.value.kind is Kind.TOO_LONG


def test_it_ends_within_two_seconds(engine: tuple[subprocess.Popen[str], str]) -> None:
    process, _ = engine  # the last test of this module, as it ends the engine
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    assert time.monotonic() - began < 2


def test_a_missing_extra_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(embedded, "model_file", lambda: None)
    monkeypatch.setattr(sys, "argv", ["embedded", "--port", "0"])
    assert embedded.main() == CANNOT_RUN
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "kaito-chat[embedded]" in said
    assert "scripted" in said


def test_a_cpu_that_is_too_old_is_said_in_one_line() -> None:
    """Run in another process: the engine forks, and installs signal handlers."""
    code = (
        "import os, signal, sys; from kaito_chat.engine import embedded as e; from pathlib import Path;"
        "e.model_file = lambda: Path('x'); e.serve = lambda *_: os.kill(os.getpid(), signal.SIGILL);"
        "sys.argv = ['embedded']; sys.exit(e.main())"
    )
    ended = subprocess.run(
        (sys.executable, "-c", code),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(APP)},
    )
    assert ended.returncode == CANNOT_RUN
    assert ended.stderr.count("\n") == 1
    assert "AVX2" in ended.stderr
