"""Generator of docs/reference/settings.md and of the JSON Schema of environment files, from the settings model."""

import inspect
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aks_kaito.catalog import CATALOG
from aks_kaito.settings import Settings
from aks_kaito.settings.addresses import ApiServerSource, Cidr, IpAddress, PublicSource
from aks_kaito.settings.fields import (
    EFFECT,
    Effect,
    Guid,
    KaitoVersion,
    Location,
    Matching,
    SshPublicKey,
)
from aks_kaito.settings.model_parts import VllmParameters
from aks_kaito.settings.tuning import ConfigSections

ROOT = Path(__file__).parents[1]
_HEADER = """\
# Settings

All keys of `environments/NAME.toml`. This page is generated from the model (`make docs`); do not edit it.
The file's name is the environment's name. An omitted key has its default. Editors check files against
`environments/settings.schema.json`.
"""
# The marks of keys that cannot freely change after the first deployment.
_MARKS = {Effect.REPLACES: "†", Effect.REFUSED: "‡", Effect.LOWER_REFUSED: "‡‡", Effect.IGNORED: "§"}
# Descriptions of the checks whose annotations contain none.
_WORDS = {
    get_args(kind)[1]: words
    for kind, words in (
        (Cidr, "an IPv4 range, such as 10.240.0.0/16"),
        (IpAddress, "an IPv4 address, such as 172.16.0.10"),
        (PublicSource, "a public IPv4 address or range"),
        (ApiServerSource, "a public IPv4 address or range, or 0.0.0.0/32"),
        (Guid, "a GUID"),
        (Location, "an Azure region, such as westeurope"),
        (SshPublicKey, "an OpenSSH public key (ssh-rsa or ssh-ed25519)"),
        (VllmParameters, "map to: text, number, `true` or `false`"),
        (ConfigSections, "map of KAITO's sections to their parameters"),
        (KaitoVersion, ", ".join(f'`"{version}"`' for version in CATALOG.kaito_versions)),
    )
}


def pages() -> dict[Path, str]:
    """Return the text of each file."""
    return {
        ROOT / "docs" / "reference" / "settings.md": settings_page(),
        ROOT / "environments" / "settings.schema.json": editor_schema(),
    }


def settings_page() -> str:
    """Return docs/reference/settings.md."""
    return "\n".join([_HEADER.rstrip(), *_section("Top level", Settings), *_tables(Settings)]) + "\n"


def editor_schema() -> str:
    """Return the JSON Schema of an environment file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_closed(Settings.model_json_schema())}
    return json.dumps({**schema, "title": "aks-kaito environment"}, indent=2) + "\n"


def _closed(schema: Any) -> Any:  # noqa: ANN401  (any part of a schema)
    """Make maps refuse names outside their pattern, as the model does."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(part) for key, part in schema.items()}
    return {**closed, "additionalProperties": False} if "patternProperties" in closed else closed


def default(field: FieldInfo) -> str:
    """Return a default as JSON, or `required`."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return json.dumps(value.model_dump() if isinstance(value, BaseModel) else value)


def _tables(
    model: type[BaseModel], prefix: str = "", described: dict[type[BaseModel], str] | None = None
) -> Iterator[str]:
    """Yield the sections of a model's nested tables, outer tables first; of tables with the same keys the first one."""
    described = {} if described is None else described
    for name, field in model.model_fields.items():
        for nested, is_named in _nested(field.annotation):
            title = f"{prefix}{name}.NAME" if is_named else f"{prefix}{name}"
            if first := described.get(nested):
                yield f"\n## [{title}]\n\nThe keys of `[{first}]`, for another one.\n"
                continue
            described[nested] = title
            yield from _section(f"[{title}]", nested, field.description or "")
            yield from _tables(nested, f"{title}.", described)


def _nested(annotation: Any, *, is_named: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:  # noqa: ANN401
    """Yield the models in an annotation, and whether each is the value of a map."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, is_named
    for part in get_args(annotation):
        yield from _nested(part, is_named=is_named or get_origin(annotation) is dict)


def _section(title: str, model: type[BaseModel], note: str = "") -> Iterator[str]:
    """Yield a heading, the model's docstring, and a row for each key."""
    rows = [_row(name, field) for name, field in model.model_fields.items() if not any(_nested(field.annotation))]
    yield f"\n## {title}\n"
    yield f"{inspect.getdoc(model)}\n"
    if note:
        yield f"{note}\n"
    yield "| Key | Type / allowed | Default | Meaning |\n|---|---|---|---|"
    yield from rows
    effects = {_effect(field) for field in model.model_fields.values()}
    notes = [
        f"{mark} After the first deployment, a change {effect}." for effect, mark in _MARKS.items() if effect in effects
    ]
    if notes:
        yield "\n" + "<br>\n".join(notes)


def _row(name: str, field: FieldInfo) -> str:
    """Return the row of a key."""
    effect = _effect(field)
    mark = f" {_MARKS[effect]}" if effect else ""
    value = default(field)
    shown = {"null": "—", "required": "required"}.get(value, f"`{value}`")
    cells = (f"`{name}`{mark}", _type(field), shown, _meaning(name, field))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _meaning(name: str, field: FieldInfo) -> str:
    """Return a key's description on one line."""
    if not field.description:
        raise SystemExit(f"{name}: the field needs a docstring below it")
    return field.description.replace("\n", " ")


def _effect(field: FieldInfo) -> Effect | None:
    extra = field.json_schema_extra
    return Effect(str(extra[EFFECT])) if isinstance(extra, dict) else None


def _type(field: FieldInfo) -> str:
    """Describe the allowed values; pydantic keeps the outermost checks beside the annotation."""
    return _described(field.annotation, field.metadata)


def _described(annotation: Any, checks: Iterable[Any]) -> str:  # noqa: ANN401  (annotations are anything)
    """Describe an annotation and its checks."""
    checks = tuple(checks)
    for check in checks:
        if isinstance(check, Matching):
            return check.allowed.removeprefix("must be ")
        if check in _WORDS:
            return _WORDS[check]
    return " ".join((_named(annotation), *_bounds(checks)))


def _bounds(checks: Iterable[Any]) -> Iterable[str]:
    """Describe the limits among the checks; a later limit replaces an earlier one of its kind."""
    # Field() nested in an annotation holds its limits as metadata of its own.
    limits = [part for check in checks for part in (check.metadata if isinstance(check, FieldInfo) else [check])]
    words: dict[type, str] = {}
    for limit in limits:
        match limit:
            case Ge():
                words[Ge] = f"≥ {limit.ge}"
            case Le():
                words[Le] = f"≤ {limit.le}"
            case MinLen():
                words[MinLen] = f"(at least {limit.min_length})"
            case MaxLen():
                words[MaxLen] = f"(at most {limit.max_length})"
    return words.values()


def _named(annotation: Any) -> str:  # noqa: ANN401  (annotations are anything)
    """Describe an annotation in the terms of a TOML file."""
    origin = get_origin(annotation)
    arguments = [part for part in get_args(annotation) if part not in (type(None), ...)]
    if origin is Annotated:
        return _described(arguments[0], arguments[1:])
    if origin is Literal:
        return ", ".join(f"`{json.dumps(part)}`" for part in arguments)
    if origin is tuple:
        return f"list of: {_named(arguments[0])}"
    if origin is dict:
        return f"map to: {_named(arguments[1])}"
    if arguments:
        return _named(arguments[0])
    return {str: "text", int: "number", float: "number", bool: "`true` or `false`"}[annotation]
