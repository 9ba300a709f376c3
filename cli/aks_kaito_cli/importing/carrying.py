"""Application of the table to a file's values: the keys of the environment file, and what is left out, with reasons."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aks_kaito_cli.importing.conversions import NOTHING, UnfitError, converted, typed
from aks_kaito_cli.importing.secret_values import holds_secret, is_secret_name
from aks_kaito_cli.importing.tfvars import Assigned
from aks_kaito_cli.importing.variables import Variable, field, own_default, variables

# Resources that the sample creates without a variable for them; values of ours that differ from the defaults.
_ALWAYS: dict[str, Any] = {
    "network.private_endpoints_enabled": True,
    "network.public_access_beside_endpoints_enabled": True,
    "bastion.enabled": True,
    "monitoring.windows_rules_enabled": True,
    "monitoring.cluster_log_categories": [
        "kube-apiserver",
        "kube-audit",
        "kube-audit-admin",
        "kube-controller-manager",
        "kube-scheduler",
        "cluster-autoscaler",
        "guard",
    ],
}
_SECRET = "holds a password, key or token, which is neither written nor shown; put it into the key vault"  # noqa: S105
_KUBERNETES_NAME = "Kubernetes accepts lower case only"


@dataclass(frozen=True)
class Entry:
    """A key of the environment file.

    Attributes:
        source: The variable, or a few words.
        origin: `set` in the file of variables, the sample's `default`, or what the sample creates `always`.
        replaceable: Whether the key's own default may take the place of a refused value.
    """

    key: str
    value: Any
    source: str
    origin: Literal["set", "default", "always"]
    replaceable: bool = False


@dataclass(frozen=True)
class Left:
    """A variable that did not carry over.

    Attributes:
        is_set: Whether the file of variables sets it; otherwise the sample's default has an effect.
        matters: Whether somebody should decide something.
    """

    variable: str
    reason: str
    is_set: bool = True
    matters: bool = False


def carried(assigned: Mapping[str, Assigned]) -> tuple[list[Entry], list[Left]]:
    """Return the keys, and the variables that are left out."""
    known = variables()
    entries = [Entry(key, value, "the sample always has it", "always") for key, value in _ALWAYS.items()]
    left: list[Left] = []
    values: dict[str, Any] = {name: variable.default for name, variable in known.items()}
    usable: set[str] = set()
    for name, item in assigned.items():
        problem = _problem(name, item.value)
        try:
            if problem is None:
                values[name] = typed(known[name], item.value)
                usable.add(name)
        except UnfitError as error:
            problem = f"{error}; Terraform refuses the value, too"
        if problem is not None:
            left.append(Left(name, problem, matters=True))
            values[name] = None
    for variable in known.values():
        if variable.name in usable or variable.name not in assigned:
            found = list(_one(variable, values, is_set=variable.name in usable))
            entries += [each for each in found if isinstance(each, Entry)]
            left += [each for each in found if isinstance(each, Left)]
    return entries, left


def _problem(name: str, value: Any) -> str | None:  # noqa: ANN401 - a value of any type
    """Return the reason why a variable is not looked at, or None."""
    known = variables().get(name)
    # An object has the keys of its type, such as secret_rotation_interval.
    has_known_keys = known is not None and "object(" in known.type
    if holds_secret(value, has_known_keys=has_known_keys) or (known is None and is_secret_name(name)):
        return _SECRET
    return None if known else "is no variable of the sample; its value is not shown"


def _one(variable: Variable, values: Mapping[str, Any], *, is_set: bool) -> Iterator[Entry | Left]:
    """Yield the key of a variable, or the reason why there is none."""
    if not variable.key:
        if is_set or variable.differs:
            yield Left(variable.name, variable.difference, is_set)
    elif variable.when and values[variable.when] is not True:
        if is_set:
            yield Left(variable.name, f"has no effect unless {variable.when} is true")
    elif is_set or not variable.placeholder:
        try:
            yield from _keyed(variable, values, is_set=is_set)
        except UnfitError as error:
            yield Left(variable.name, str(error), is_set, matters=True)


def _keyed(variable: Variable, values: Mapping[str, Any], *, is_set: bool) -> Iterator[Entry | Left]:
    """Yield the key of a variable; leave out a default of the sample that is this project's, too.

    Raises:
        UnfitError: The value has no counterpart.
    """
    value = converted(variable, values[variable.name], values)
    if value is NOTHING:
        yield from _nothing(variable, values, is_set=is_set)
        return
    if variable.convert == "lower_case" and value != values[variable.name]:
        yield Left(variable.name, f"is {value} here: {_KUBERNETES_NAME}", is_set)
    if is_set or field(variable.key).is_required() or value != own_default(variable.key):
        yield Entry(variable.key, value, variable.name, "set" if is_set else "default", variable.replaceable)


def _nothing(variable: Variable, values: Mapping[str, Any], *, is_set: bool) -> Iterator[Left]:
    """Yield the reason why a variable's value has no counterpart, unless its absence means the same."""
    is_null = values[variable.name] is None
    default = own_default(variable.key)
    if is_null and default not in (None, [], {}) and (is_set or variable.differs):
        yield Left(variable.name, f"is null there; {variable.key} = {default!r} here: {variable.difference}", is_set)
    elif is_set and not is_null and variable.convert == "nothing" and variable.name != "subdomain":
        yield Left(variable.name, variable.difference)
