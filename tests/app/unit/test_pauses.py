"""Chainlit's pause: it is still there to be taken out, and taking it out works."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from kaito_chat.chat import pauses

APP = Path(__file__).parents[3] / "app"
# In a process of its own, because what it changes would stay.
SCRIPT = """
import time
from contextlib import suppress
from importlib import import_module
from kaito_chat.chat import pauses

paused = []
time.sleep = paused.append
Message = import_module("chainlit.message").Message
Step = import_module("chainlit.step").Step

def pauses_made():
    paused.clear()
    for make in (lambda: Message("text"), lambda: Step(name="step")):
        with suppress(Exception):  # both want a conversation, after their pause
            make()
    return paused

print(*pauses_made())
pauses.take_out()
print(*pauses_made(), "none")
"""


def test_chainlit_pauses_for_each_message_and_step_unless_that_is_taken_out(tmp_path: Path) -> None:
    """If this fails after an upgrade because Chainlit no longer pauses, `pauses.py` can go."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(APP)}  # Chainlit writes where it is started
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.split() == ["0.001", "0.001", "none"], done.stderr


def test_the_two_modules_use_time_for_nothing_else() -> None:
    chainlit = find_spec("chainlit")
    assert chainlit
    assert chainlit.submodule_search_locations
    for name in pauses.MODULES:
        source = Path(chainlit.submodule_search_locations[0], name.removeprefix("chainlit.") + ".py").read_text()
        assert re.findall(r"\btime\.\w+\(", source) == ["time.sleep("], name
