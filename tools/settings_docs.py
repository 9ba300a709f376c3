"""Generates docs/settings.md and the editors' schema of environment files from the settings model.

`--check` writes nothing and exits 1 naming each file that is out of date.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aks_kaito.settings import Settings
from aks_kaito.settings.fields import Matching

ROOT = Path(__file__).parents[1]
_HEADER = """\
# Settings

Every key of `environments/NAME.toml`. This page is generated from the model (`make docs`); do not edit it.
The file's name is the environment's. A key left out has its default; † marks what cannot change after the first
deployment without replacing resources. Editors check files against `environments/settings.schema.json`.
"""


def settings_page() -> str:
    """The Markdown of docs/settings.md."""
    return "\n".join([_HEADER, *_section("Top level", Settings), *_tables(Settings)]) + "\n"


def editor_schema() -> str:
    """The JSON Schema of an environment file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Settings.model_json_schema()}
    return json.dumps({**schema, "title": "aks-kaito environment"}, indent=2) + "\n"


def default(field: FieldInfo) -> str:
    """A default as JSON, or `required`."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return json.dumps(value.model_dump() if isinstance(value, BaseModel) else value)


def _tables(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The sections of a model's nested tables, outer ones first."""
    for name, field in model.model_fields.items():
        for nested, is_named in _nested(field.annotation):
            title = f"{prefix}{name}.NAME" if is_named else f"{prefix}{name}"
            yield from _section(f"[{title}]", nested)
            yield from _tables(nested, f"{title}.")


def _nested(annotation: Any, *, is_named: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:  # noqa: ANN401
    """The models of an annotation, and whether they are the values of a map."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, is_named
    for part in get_args(annotation):
        yield from _nested(part, is_named=is_named or get_origin(annotation) is dict)


def _section(title: str, model: type[BaseModel]) -> Iterator[str]:
    rows = [_row(name, field) for name, field in model.model_fields.items() if not any(_nested(field.annotation))]
    yield f"\n## {title}\n"
    yield f"{(model.__doc__ or '').replace(chr(10) + '    ', chr(10)).strip()}\n"
    if rows:
        yield "| Key | Type | Default | Meaning |\n|---|---|---|---|"
        yield from rows


def _row(name: str, field: FieldInfo) -> str:
    extra = field.json_schema_extra
    mark = " †" if isinstance(extra, dict) and "x-fixed-after-first-deployment" in extra else ""
    shown = "—" if default(field) == "null" else f"`{default(field)}`"
    cells = (f"`{name}`{mark}", _type(field), shown, (field.description or "").replace("\n", " "))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _type(field: FieldInfo) -> str:
    bounds = {type(item).__name__: item for item in field.metadata}
    words = " ".join(
        f"{sign} {getattr(bounds[kind], attribute)}"
        for kind, sign, attribute in (("Ge", "≥", "ge"), ("Le", "≤", "le"))
        if kind in bounds
    )
    said = [item.allowed for item in field.metadata if isinstance(item, Matching)]
    return said[0].removeprefix("must be ") if said else f"{_named(field.annotation)} {words}".strip()


def _named(annotation: Any) -> str:  # noqa: ANN401  (annotations are anything)
    """An annotation in the words of a TOML file."""
    said = [item.allowed for item in getattr(annotation, "__metadata__", ()) if isinstance(item, Matching)]
    if said:
        return str(said[0]).removeprefix("must be ")
    arguments = [part for part in get_args(annotation) if part not in (type(None), ...)]
    origin = get_origin(annotation)
    if origin is Literal:
        return ", ".join(f"`{json.dumps(part)}`" for part in arguments)
    if origin is tuple:
        return f"list of {_named(arguments[0])}"
    if origin is dict:
        return f"map to {_named(arguments[1])}"
    if arguments:
        return _named(arguments[0])
    return {str: "text", int: "number", bool: "`true` or `false`"}.get(annotation, "table")


def main() -> int:
    """Write both files, or check them."""
    wanted = {
        ROOT / "docs" / "settings.md": settings_page(),
        ROOT / "environments" / "settings.schema.json": editor_schema(),
    }
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run make docs", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
