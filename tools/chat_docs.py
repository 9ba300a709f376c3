"""Generator of the page on the chat application's settings; docs.py runs it in the application's environment."""

import json
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

# See docs.py: the docstrings below the fields become their descriptions.
BaseModel.model_config["use_attribute_docstrings"] = True

from kaito_chat.settings import PREFIX, ModelSettings, Schedule, Settings, Starter  # noqa: E402  (see above)
from kaito_chat.settings.sample import AZURE, LOCAL, RENAMED, WITHOUT_EFFECT  # noqa: E402

PAGE = "docs/reference/chat-settings.md"
HEAD = """\
# Settings of the chat application

The application reads its settings from environment variables at the start, and secrets from mounted files too, which
it [reads again when they change](../how-to/rotate-secrets.md). If a variable is misspelt, malformed or contradicts
another, the application names it on standard error and exits with code 2. This page is generated from the code (`make
docs`); do not edit it.

| Variable | Default | Description |
|---|---|---|
"""
MODELS = """
## Several models

`{prefix}MODELS` is a JSON list; each entry has these keys:

| Key | Default | Description |
|---|---|---|
"""
STARTERS = """
## Suggested questions

`{prefix}STARTERS`, and `starters` of a model, are JSON lists; each entry has these keys:

| Key | Default | Description |
|---|---|---|
"""
SCHEDULE = """
## Schedules

`schedule` of a model tells the page when another program scales the model; it scales nothing itself. It has these keys:

| Key | Default | Description |
|---|---|---|
"""
SAMPLE = """
## The sample's variables

They still work and log a warning. A variable of this application takes precedence.

| The sample's variable | Replacement |
|---|---|
"""


def main() -> None:
    """Print the page as a JSON object of its path and its text, for docs.py."""
    print(json.dumps({PAGE: page()}))


def page() -> str:
    """Return the page."""
    rows = [_row(variable(name, field), field) for name, field in Settings.model_fields.items()]
    models, starters, schedule = (
        [_row(name, field) for name, field in model.model_fields.items()]
        for model in (ModelSettings, Starter, Schedule)
    )
    renamed = RENAMED | LOCAL | AZURE
    old = [f"| `{name}` | `{PREFIX}{to.field.upper()}` |\n" for name, to in renamed.items()]
    old += [f"| `{name}` | none; it has no effect |\n" for name in WITHOUT_EFFECT]
    return "".join(
        [
            HEAD,
            *rows,
            MODELS.format(prefix=PREFIX),
            *models,
            STARTERS.format(prefix=PREFIX),
            *starters,
            SCHEDULE,
            *schedule,
            SAMPLE,
            *old,
        ]
    )


def variable(name: str, field: FieldInfo) -> str:
    """Return the environment variable of a setting."""
    return str(field.validation_alias or PREFIX + name.upper())


def _row(name: str, field: FieldInfo) -> str:
    if not field.description:
        raise SystemExit(f"{name}: the field needs a docstring below it")
    return f"| `{name}` | {_default(field)} | {' '.join(field.description.split())} |\n"


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
    main()
