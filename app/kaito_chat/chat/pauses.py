"""Takes out a pause that Chainlit makes.

Chainlit 2.12 calls `time.sleep(0.001)` in the constructor of every step and message, so that no two have the same time
of creation. That stops the whole process, all conversations with it: three times per question, a fifth of a second when
fifty people ask at once. The times of creation have microseconds, so they differ without it.
"""

from importlib import import_module
from types import SimpleNamespace

MODULES = ("chainlit.message", "chainlit.step")


def take_out() -> None:
    """Let constructing a step or a message take no time. `time` is used for nothing else in these two modules."""
    for name in MODULES:  # the attribute `chainlit.step` is a function that hides the module
        import_module(name).time = SimpleNamespace(sleep=lambda _seconds: None)  # type: ignore[attr-defined]
