"""Writes docs/reference/chat-settings.md from the application's settings; `--check` only compares."""

import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from kaito_chat.settings import PREFIX, ModelSettings, Settings
from kaito_chat.settings.sample import AZURE, LOCAL, RENAMED, WITHOUT_EFFECT

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "chat-settings.md"
HEAD = """\
# Settings of the chat application

Read from environment variables once, at the start. A variable that is misspelt, malformed or contradicts another stops
the start with exit code 2 and a line that names it. This page is generated from the code: `make docs`.

| Variable | Default | What it is |
|---|---|---|
"""
MODELS = """
## Several models

`{prefix}MODELS` is a JSON list; each entry has these keys:

| Key | Default | What it is |
|---|---|---|
"""
SAMPLE = """
## The sample's variables

They still work and log a warning. A variable of this application goes first.

| The sample's | Now |
|---|---|
"""


def main() -> int:
    """Write the page, or check it."""
    text = page()
    if "--check" in sys.argv[1:]:
        current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        if current != text:
            print("docs/reference/chat-settings.md is out of date: run make docs", file=sys.stderr)
        return int(current != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


def page() -> str:
    """The whole page."""
    rows = [
        _row(variable(name, field), field, field.description or "") for name, field in Settings.model_fields.items()
    ]
    described = attributes(ModelSettings)
    entries = [_row(name, field, described[name]) for name, field in ModelSettings.model_fields.items()]
    renamed = RENAMED | LOCAL | AZURE
    old = [f"| `{name}` | `{PREFIX}{to.field.upper()}` |\n" for name, to in renamed.items()]
    old += [f"| `{name}` | without effect |\n" for name in WITHOUT_EFFECT]
    return "".join([HEAD, *rows, MODELS.format(prefix=PREFIX), *entries, SAMPLE, *old])


def variable(name: str, field: FieldInfo) -> str:
    """The environment variable of a setting."""
    return str(field.validation_alias or PREFIX + name.upper())


def attributes(model: type[object]) -> dict[str, str]:
    """What a docstring says of each attribute."""
    found: dict[str, str] = {}
    name = ""
    for line in (model.__doc__ or "").split("Attributes:")[1].split("See:")[0].splitlines():
        if line.startswith(" " * 8) and not line.startswith(" " * 9):
            name, _, text = line.strip().partition(": ")
            found[name] = text
        elif line.strip():
            found[name] += " " + line.strip()
    return found


def _row(name: str, field: FieldInfo, description: str) -> str:
    return f"| `{name}` | {_default(field)} | {description} |\n"


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value is PydanticUndefined:
        return "required"
    if value is None or value in ((), "") or isinstance(value, SecretStr):
        return ""
    if isinstance(value, tuple):
        return f"{len(value)} questions"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    sys.exit(main())
