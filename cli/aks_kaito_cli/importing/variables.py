"""The sample's variables and their counterparts, from variables.toml."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aks_kaito.settings import Settings


@dataclass(frozen=True)
class Variable:
    """A variable of the sample's root module.

    Attributes:
        type: Terraform's type; empty if any value is allowed.
        default: None if the variable is null without a value.
        key: The dotted key here; empty if there is none.
        convert: The function of `conversions` that makes the key's value; empty if it is the same.
        when: The variable that must be true for this one to have an effect.
        replaceable: Whether the key's own default may take the place of a refused value.
        placeholder: Whether the default is the author's own.
        differs: Whether the default has an effect that cannot carry over.
        difference: The difference between variable and key, or the reason why there is no key.
    """

    name: str
    type: str = ""
    required: bool = False
    default: Any = None
    key: str = ""
    convert: str = ""
    when: str = ""
    replaceable: bool = False
    placeholder: bool = False
    differs: bool = False
    difference: str = ""


@cache
def variables() -> dict[str, Variable]:
    """Return all variables by name, in the sample's order."""
    text = files("aks_kaito_cli.importing").joinpath("variables.toml").read_text(encoding="utf-8")
    return {name: Variable(name, **facts) for name, facts in tomllib.loads(text).items()}


def field(key: str) -> FieldInfo:
    """Return the field of a dotted key."""
    model: type[BaseModel] = Settings
    *tables, name = key.split(".")
    for table in tables:
        annotation = model.model_fields[table].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            raise KeyError(key)
        model = annotation
    return model.model_fields[name]


def own_default(key: str) -> Any:  # noqa: ANN401 - a value of any type
    """Return the default of a key as in a file; None also if the key is required."""
    found = field(key)
    value = None if found.is_required() else found.get_default()
    value = value.model_dump() if isinstance(value, BaseModel) else value
    return list(value) if isinstance(value, tuple) else value
