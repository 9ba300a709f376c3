"""Headings, commands and their output, at the pace of a reader."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

# Width of the recording, and at most of the output in a terminal.
COLUMNS = 100
_LINE_SECONDS = 0.02
_CHAPTER_SECONDS = 2.5
_COMMAND_SECONDS = 240
_END_SECONDS = 20


class Stage:
    """Where the demonstration is shown.

    Attributes:
        speed: How many times faster than a reader it shows; 0 for no pauses.
        hidden: Texts of the output, such as paths of temporary folders, and what stands for them.
    """

    def __init__(self, speed: float = 1) -> None:
        """Show on standard output."""
        self.speed = speed
        self.hidden: dict[str, str] = {}
        self._console = Console(highlight=False, emoji=False, soft_wrap=True)

    def heading(self, number: int, title: str, words: str) -> None:
        """Begin a chapter."""
        self._console.print()
        self._console.print(Text(f"━━ {number}. {title} ", style="bold cyan"))
        self.say(words)

    def say(self, words: str) -> None:
        """Explain something in a line."""
        self._console.print(Text(words, style="italic"))
        self.pause(0.8)

    def line(self, text: str, style: str = "") -> None:
        """Show a line."""
        for found, shown in self.hidden.items():
            text = text.replace(found, shown)
        self._console.print(Text.from_ansi(text, style=style))
        self.pause(_LINE_SECONDS)

    def typed(self, command: str) -> None:
        """Show a command as a user types it."""
        self.line(f"\n$ {command}", style="bold green")
        self.pause(0.6)

    def run(self, shown: str, words: Sequence[str], variables: Mapping[str, str]) -> int:
        """Run a program and show its output, under the command that a user would type; return its exit status."""
        self.typed(shown)
        process = subprocess.Popen(
            words,
            env={**os.environ, **variables, "COLUMNS": str(columns()), "FORCE_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        with process:
            try:
                for line in process.stdout or ():
                    self.line(line.rstrip())
                return process.wait(_COMMAND_SECONDS)
            finally:
                # After Ctrl-C, which it may ignore.
                if process.poll() is None:
                    process.terminate()
                    process.wait(_END_SECONDS)

    def chapter_ends(self) -> None:
        """Leave time to read a chapter."""
        self.pause(_CHAPTER_SECONDS)

    def pause(self, seconds: float) -> None:
        """Wait, unless pauses are off."""
        sys.stdout.flush()
        if self.speed:
            time.sleep(seconds / self.speed)


def columns() -> int:
    """Return the width that programs write for: the terminal's, or the recording's if that is smaller."""
    return min(COLUMNS, shutil.get_terminal_size((COLUMNS, 24)).columns)
