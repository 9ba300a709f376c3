"""Conversion of pydantic's errors into problems, in the terms of the file."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from aks_kaito.settings.environment import Settings
from aks_kaito.settings.problems import MISSING, Problem

_TYPES = {
    "bool_type": "must be true or false",
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a whole number with fewer digits",
    "tuple_type": "must be a list in square brackets",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
}


def path(detail: ErrorDetails) -> tuple[str, ...]:
    """Return the keys that lead to an error, without positions in lists."""
    return tuple(part for part in detail["loc"] if isinstance(part, str) and part != "[key]")


def problems(details: list[ErrorDetails]) -> list[Problem]:
    """Convert errors, except those of lists that are too short because an item is broken."""
    blamed = {path(detail) for detail in details if detail["type"] != "too_short"}
    return [_problem(detail) for detail in details if detail["type"] != "too_short" or path(detail) not in blamed]


def _problem(detail: ErrorDetails) -> Problem:
    keys = path(detail)
    value = MISSING if detail["type"] == "missing" else detail["input"]
    return Problem(".".join(keys), value, _allowed(detail, keys))


def _allowed(detail: ErrorDetails, keys: tuple[str, ...]) -> str:
    kind = detail["type"]
    context: dict[str, Any] = detail.get("ctx", {})
    if kind == "missing":
        return "must be set"
    if kind == "extra_forbidden":
        return _unknown(keys)
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"must be {context['expected']}".replace("'", '"')
    return _TYPES.get(kind) or detail["msg"].replace("Input should", "must").replace("Tuple should", "must")


def _unknown(keys: tuple[str, ...]) -> str:
    known = list(_known(keys[:-1]))
    close = get_close_matches(keys[-1], known, n=1)
    where = f"[{'.'.join(keys[:-1])}]" if keys[:-1] else "the file"
    hint = f"did you mean {close[0]}? " if close else ""
    return f"is not a key of {where}; {hint}known: {', '.join(known)}"


def _known(keys: tuple[str, ...]) -> Iterator[str]:
    model: type[BaseModel] = Settings
    for key in keys:
        if key in model.model_fields:
            model = next(_models(model.model_fields[key].annotation), model)
    yield from model.model_fields


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
