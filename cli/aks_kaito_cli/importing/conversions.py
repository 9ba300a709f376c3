"""The values of keys, from those of the sample's variables: Terraform's types, and a function per difference."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from aks_kaito_cli.importing.variables import Variable

Values = Mapping[str, Any]
# No value for the key; the variable's difference says why.
NOTHING = object()
_DURATION = re.compile(r"(\d+)(s|m|h)")
_MINUTES = {"s": 1 / 60, "m": 1, "h": 60}


class UnfitError(Exception):
    """A value that cannot be one of the key; the message is the rest of a sentence."""


def typed(variable: Variable, value: Any) -> Any:  # noqa: ANN401 - values of any type
    """Return a value as Terraform converts it to the variable's type.

    Raises:
        UnfitError: Terraform refuses it, too.
    """
    if value is None:
        return None
    outer, _, inner = variable.type.partition("(")
    if outer in ("list", "set"):
        if not isinstance(value, list):
            raise UnfitError("must be a list")
        return [_text(item) for item in value] if inner == "string)" else value
    if outer in ("map", "object", ""):
        if not isinstance(value, dict):
            raise UnfitError("must be a map")
        return (
            value if outer == "object" else {key: _text(item) for key, item in value.items()} if _flat(value) else value
        )
    return {"string": _text, "number": _number, "bool": _bool}[outer](value)


def _flat(value: Mapping[str, Any]) -> bool:
    return not any(isinstance(item, dict | list) for item in value.values())


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise UnfitError("must be text in quotes")


def _number(value: Any) -> int:  # noqa: ANN401
    text = value if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    try:
        number = float(text)
    except ValueError:
        raise UnfitError("must be a number") from None
    if not number.is_integer():
        raise UnfitError("must be a whole number")
    return int(number)


def _bool(value: Any) -> bool:  # noqa: ANN401
    found = {"true": True, "false": False}.get(_text(value))
    if found is None:
        raise UnfitError("must be true or false")
    return found


def converted(variable: Variable, value: Any, values: Values) -> Any:  # noqa: ANN401
    """Return the value of the variable's key, or `NOTHING`; `values` has those of all variables.

    Raises:
        UnfitError: The value has no counterpart.
    """
    if value is None:
        return NOTHING
    return _FUNCTIONS[variable.convert](value, values) if variable.convert else value


def _nothing(_: Any, __: Values) -> Any:  # noqa: ANN401
    return NOTHING


def _only_item(value: list[str], _: Values) -> Any:  # noqa: ANN401
    if len(value) != 1:
        raise UnfitError(f"has {len(value)} ranges; the key has one")
    return value[0]


def _lower_case(value: str, _: Values) -> str:
    return value.lower()


def _minor_version(value: str, values: Values) -> str:
    """Return the minor version where AKS chooses the patch."""
    is_full = re.fullmatch(r"(\d+\.\d+)\.\d+", value)
    return is_full[1] if is_full and values["automatic_upgrade_channel"] == "patch" else value


def _without_hyphens(value: str, _: Values) -> str:
    return value.replace("-", "")


def _is_spot(value: str, _: Values) -> bool:
    if value not in ("Regular", "Spot"):
        raise UnfitError('must be "Regular" or "Spot"')
    return value == "Spot"


def _ingress_mode(value: bool, _: Values) -> str:  # noqa: FBT001 - a value
    return "webapprouting" if value else "nginx"


def _rotation_minutes(value: Mapping[str, Any], _: Values) -> int:
    found = _DURATION.fullmatch(str(value.get("secret_rotation_interval", "2m")))
    if not found:
        raise UnfitError('must have a secret_rotation_interval such as "2m"')
    return max(1, round(int(found[1]) * _MINUTES[found[2]]))


def _one_administrator(value: str, _: Values) -> dict[str, str]:
    return {"admin": value}


def _tags(value: Mapping[str, Any], _: Values) -> dict[str, str]:
    return {key: _text(item) for key, item in value.items()}


def _unless(minimum: str) -> Callable[[Any, Values], Any]:
    """Return the number of nodes, unless it is the value of `minimum`, which a missing key means."""
    return lambda value, values: NOTHING if value == values[minimum] else value


def _host_name(value: str, values: Values) -> str:
    return f"{values['subdomain']}.{value}" if values["subdomain"] else value


def _deployments(value: list[Any], _: Values) -> dict[str, dict[str, Any]]:
    found = {}
    for item in value:
        try:
            name, model = str(item["name"]), item["model"]
            facts = {"model": str(model["name"]), "version": str(model["version"]), "capacity": 1}
            sku = model.get("sku") or item.get("sku")
        except (KeyError, TypeError, AttributeError):
            raise UnfitError("must be a list of objects with name and model (name, version)") from None
        found[name] = facts | ({"sku_name": str(sku)} if sku else {"sku_name": "Standard"})
    return found


_FUNCTIONS: dict[str, Callable[[Any, Values], Any]] = {
    "nothing": _nothing,
    "only_item": _only_item,
    "lower_case": _lower_case,
    "minor_version": _minor_version,
    "without_hyphens": _without_hyphens,
    "is_spot": _is_spot,
    "ingress_mode": _ingress_mode,
    "rotation_minutes": _rotation_minutes,
    "one_administrator": _one_administrator,
    "tags": _tags,
    "unless_system_minimum": _unless("system_node_pool_min_count"),
    "unless_user_minimum": _unless("user_node_pool_min_count"),
    "host_name": _host_name,
    "deployments": _deployments,
}
FUNCTIONS = frozenset(_FUNCTIONS)
