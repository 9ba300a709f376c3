"""Chainlit still sleeps in constructors, and the patch removes it."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

APP = Path(__file__).parents[3] / "app"
# Runs in a subprocess: Chainlit writes files when it is imported, and patches stay.
SCRIPT = """
import time
from contextlib import suppress
from importlib import import_module
from kaito_chat.chat import chainlit_patches

slept = []
time.sleep = slept.append
Message = import_module("chainlit.message").Message
Step = import_module("chainlit.step").Step

def sleeps_made():
    slept.clear()
    for make in (lambda: Message("text"), lambda: Step(name="step")):
        with suppress(Exception):  # both need a session, after their sleep
            make()
    return slept

print(*sleeps_made())
chainlit_patches.remove_sleeps()
print(*sleeps_made(), "none")
"""
MODULES = "from kaito_chat.chat.chainlit_patches import SLEEPING; print(*SLEEPING)"


def test_chainlit_sleeps_for_each_message_and_step_unless_patched(tmp_path: Path) -> None:
    """If this fails after an upgrade because Chainlit no longer sleeps, remove `remove_sleeps`."""
    assert printed(SCRIPT, tmp_path) == ["0.001", "0.001", "none"]


def test_the_two_modules_use_time_for_nothing_else(tmp_path: Path) -> None:
    chainlit = find_spec("chainlit")
    assert chainlit
    assert chainlit.submodule_search_locations
    names = printed(MODULES, tmp_path)
    assert len(names) == 2
    for name in names:
        source = Path(chainlit.submodule_search_locations[0], name.removeprefix("chainlit.") + ".py").read_text()
        assert re.findall(r"\btime\.\w+\(", source) == ["time.sleep("], name


def printed(script: str, folder: Path) -> list[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(APP)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
