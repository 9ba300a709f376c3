"""`make demo-recording`: record a demonstration as an asciicast, and draw pictures of some of its chapters.

See: https://docs.asciinema.org/manual/asciicast/v2/
"""

import codecs
import fcntl
import io
import json
import os
import pty
import re
import struct
import sys
import termios
import time
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from demo.stage import COLUMNS

IMAGES = Path(__file__).parents[2] / "docs" / "images"
CAST = IMAGES / "demo.cast"
# The chapters of each picture.
PICTURES = {"demo-change": (2, 3), "demo-chat": (4,), "demo-status": (5,)}
_ROWS = 40
# A viewer waits no longer, however slow the recording machine was.
_LONGEST_PAUSE_SECONDS = 2.0
_READ_BYTES = 65536
# Only of the system: a picture on a web page loads nothing.
_FONTS = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)


def record(command: list[str]) -> tuple[str, int]:
    """Run a command in a pseudo-terminal; return its asciicast and its exit status."""
    header = {"version": 2, "width": COLUMNS, "height": _ROWS, "env": {"TERM": "xterm-256color"}}
    lines = [json.dumps(header)]
    process, terminal = pty.fork()
    if process == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(command[0], command)  # noqa: S606 - no shell wanted
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, COLUMNS, 0, 0))
    decoder, last, shown = codecs.getincrementaldecoder("utf-8")(), time.monotonic(), 0.0
    while data := _read(terminal):
        now = time.monotonic()
        shown, last = shown + min(now - last, _LONGEST_PAUSE_SECONDS), now
        lines.append(json.dumps([round(shown, 3), "o", decoder.decode(data)], ensure_ascii=False))
    os.close(terminal)
    return "\n".join(lines) + "\n", os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _read(terminal: int) -> bytes:
    """Return the next output; empty at the end, which Linux reports as an error."""
    try:
        return os.read(terminal, _READ_BYTES)
    except OSError:
        return b""


def chapters(cast: str) -> dict[int, str]:
    """Return the text of each chapter of an asciicast, with its escape sequences."""
    output = "".join(json.loads(line)[2] for line in cast.splitlines()[1:]).replace("\r\n", "\n")
    parts = re.split(r"(?m)^(?=(?:\x1b\[[\d;]*m)*━━ \d+\. )", output)
    return {number: part for number, part in enumerate(parts) if number}


def picture(text: str, title: str) -> str:
    """Return a picture of a terminal with a text."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    # A line more, since the last one is cut.
    console.print(Text.from_ansi(text.strip() + "\n "))
    fonts = _FONTS.sub("", CONSOLE_SVG_FORMAT).replace("Fira Code", "Menlo, Consolas, DejaVu Sans Mono")
    return console.export_svg(title=title, theme=MONOKAI, code_format=fonts, unique_id=title.replace(" ", "-"))


def main() -> int:
    """Write the recording and its pictures; exit status of the demonstration."""
    cast, status = record([sys.executable, "-m", "demo", *sys.argv[1:]])
    if status:
        print(cast, file=sys.stderr)
        return status
    CAST.write_text(cast, encoding="utf-8")
    found = chapters(cast)
    for name, numbers in PICTURES.items():
        text = "\n".join(found[number].strip() + "\n" for number in numbers)
        (IMAGES / f"{name}.svg").write_text(picture(text, "make demo"), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
