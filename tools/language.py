"""Report phrases that CONTRIBUTING.md bans, in docstrings, comments, messages and pages."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
SUFFIXES = {".css", ".js", ".cjs", ".md", ".py", ".sh", ".toml", ".tpl", ".txt", ".yaml", ""}
LOCKED = ("requirements/", "app/requirements", "LICENSE")
# A line's or a sentence's beginning, less quotes and the marks of comments, headings and lists.
_START = r"(?:^[\s#>*/\-]*(?:[0-9]+\.\s+)?[rf]*[\"'(]*|[.!?:][\"'`)*]*\s+|[rf]*\"+|\*\*)"
_OPENING = re.compile(rf"{_START}(?P<found>(?:What|Whoever|Whatever)\b)", re.MULTILINE)
_PHRASE = re.compile(r"\b(?P<found>for\s+ever|tells?\s+how\s+it\s+is)\b", re.IGNORECASE)
# A sentence ends before white space, a quote or the end of a table's cell; or with its paragraph.
_END = re.compile(r"[.!?](?=[\s\"'`)*|]|$)|\n[\s#>]*\n")


class Finding(NamedTuple):
    """A banned phrase.

    Attributes:
        line: Line number, from 1.
        text: The phrase.
        reason: The rule that it breaks.
    """

    line: int
    text: str
    reason: str


def findings(text: str) -> Iterator[Finding]:
    """Find banned phrases in a text; an opening is allowed in a question."""
    for match in _OPENING.finditer(text):
        end = _END.search(text, match.end())
        if end is None or end.group() != "?":
            yield _finding(text, match, "name the subject first: no sentence begins with this word")
    for match in _PHRASE.finditer(text):
        yield _finding(text, match, "use the usual technical term")


def _finding(text: str, match: re.Match[str], reason: str) -> Finding:
    start = match.start("found")
    return Finding(text.count("\n", 0, start) + 1, " ".join(match["found"].split()), reason)


def files() -> Iterator[Path]:
    """Return the texts of the repository, tracked or new."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in sorted(set(listed.stdout.splitlines())):
        path = ROOT / name
        if path.suffix in SUFFIXES and not name.startswith(LOCKED) and path.is_file():
            yield path


def main(arguments: list[str]) -> int:
    """Check the named files, or all texts of the repository; return 1 if there are findings."""
    found = 0
    for path in map(Path, arguments) if arguments else files():
        for line, text, reason in sorted(findings(path.read_text(encoding="utf-8", errors="ignore"))):
            found += 1
            shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
            print(f"{shown}:{line}: {text!r}: {reason}", file=sys.stderr)
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
