"""What is wrong with an environment file, in the words of the person who wrote it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_LONGEST_VALUE = 80


@dataclass(frozen=True)
class Problem:
    """One thing to correct: the dotted `key`, the `value` found there and what is `allowed` instead."""

    key: str
    value: object
    allowed: str

    def __str__(self) -> str:
        """The problem on one line, without the name of its file."""
        return f"{self.key} = {shown(self.value)}: {self.allowed}"


class SettingsError(Exception):
    """All problems of one environment file, or of the choice of files; nothing has been written."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        """Remember the file and its problems; the message has a line for each."""
        self.path = path
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{near(path)}: {problem}" for problem in self.problems))


def near(path: Path) -> Path:
    """The path as somebody in the current folder would write it."""
    try:
        return path.absolute().relative_to(Path.cwd())
    except ValueError:
        return path


class Missing:
    """Stands for a value that is not there, since TOML has no null."""

    def __repr__(self) -> str:
        """How a missing value reads in a message."""
        return "(missing)"


MISSING = Missing()


def shown(value: object) -> str:
    """A value as a message shows it: near to TOML, on one line, cut when it is long."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str):
        text = '"' + value.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'
    else:
        text = " ".join(str(value).split()) if not isinstance(value, Missing) else repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."
