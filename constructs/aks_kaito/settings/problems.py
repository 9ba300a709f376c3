"""Problems of environment files, in the terms of the file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_LONGEST_VALUE = 80


@dataclass(frozen=True)
class Problem:
    """A problem: the dotted `key`, its `value`, and the values that are `allowed`."""

    key: str
    value: object
    allowed: str

    def __str__(self) -> str:
        """Return the problem on one line, without the file's name."""
        return f"{self.key} = {display_value(self.value)}: {self.allowed}"


class SettingsError(Exception):
    """All problems of an environment file, or of the selection of files; nothing has been written."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        """Keep the file and its problems; the message has a line for each."""
        self.path = path
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{display_path(path)}: {problem}" for problem in self.problems))


class ManySettingsError(SettingsError):
    """Problems of several files; the message joins those of the files."""

    def __init__(self, errors: Sequence[SettingsError]) -> None:
        """Join the messages; `path` is the folder of the first file."""
        super().__init__(errors[0].path.parent, [problem for error in errors for problem in error.problems])
        self.args = ("\n".join(str(error) for error in errors),)


def unreadable(path: Path, error: OSError) -> SettingsError:
    """Return the error for a file or a folder that cannot be read."""
    return SettingsError(path, [Problem("file", path.name, f"cannot be read: {error.strerror or error}")])


def display_path(path: Path) -> Path:
    """Return the path relative to the current folder if it is inside."""
    try:
        return path.absolute().relative_to(Path.cwd())
    except ValueError:
        return path


class Missing:
    """Placeholder of a missing value, since TOML has no null."""

    def __repr__(self) -> str:
        """Return the placeholder in a message."""
        return "(missing)"


MISSING = Missing()


def display_value(value: object) -> str:
    """Return a value for a message: similar to TOML, on one line, truncated if long."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str):
        text = '"' + value.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'
    else:
        text = " ".join(str(value).split()) if not isinstance(value, Missing) else repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."
