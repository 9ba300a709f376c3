"""Output on a terminal: texts of others as they are, progress, and threads that Ctrl-C ends."""

import os
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.text import Text

# Escape sequences, and characters that a terminal obeys or that change the direction of a text.
_OBEYED = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)


class Terminal(Console):
    """A console for texts of Azure, of a cluster and of files, which may contain anything."""

    def __init__(self, *, stderr: bool = False) -> None:
        """Write to standard output or standard error, without highlighting and without names of emoji."""
        super().__init__(stderr=stderr, highlight=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401 - rich's own options
        """Return a text without what a terminal would obey."""
        return super().render_str(plain(text), **options)

    def on_broken_pipe(self) -> None:
        """Write nothing more where the reader has gone, as in `| head`; the exit status stays that of the answer."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def plain(text: str) -> str:
    """Return a text without escape sequences and other characters that a terminal obeys."""
    return _OBEYED.sub("", text)


def say(text: str) -> None:
    """Write a sentence to standard error."""
    sys.stderr.write(f"{plain(text)}\n")


def progress_console() -> Terminal:
    """Return a console for progress, which writes nothing without a terminal, whatever FORCE_COLOR says."""
    found = Terminal(stderr=True)
    found.quiet = not sys.stderr.isatty()
    return found


@contextmanager
def threads(number: int | None = None) -> Iterator[ThreadPoolExecutor]:
    """Yield threads, whose work is not waited for after Ctrl-C."""
    pool = ThreadPoolExecutor(number)
    try:
        yield pool
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    except BaseException:
        pool.shutdown()
        raise
    pool.shutdown()


def accept_every_character() -> None:
    """Write a question mark for a character that the terminal's encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
