"""Former names of keys, which keep working with a warning until a later release.

See docs/reference/deprecations.md for the policy.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from aks_kaito.settings.problems import Problem


class Renamed(NamedTuple):
    """A key with another name now; `*` in both stands for each name of a table such as `[models.NAME]`.

    Attributes:
        old: The former dotted key.
        new: The key that replaces it.
        since: The release that renamed it.
        until: The first release that refuses the former name.
    """

    old: str
    new: str
    since: str
    until: str


# None so far: every key of 0.1.0 has its name still.
RENAMED: tuple[Renamed, ...] = ()


class Current(NamedTuple):
    """A file's data under today's names, with the warnings about former ones and the problems with them."""

    data: dict[str, Any]
    warnings: list[Problem]
    problems: list[Problem]


def current(data: dict[str, Any], renamed: Sequence[Renamed] | None = None) -> Current:
    """Move the values of former keys to the keys that replace them; by default those of `RENAMED`."""
    found = Current(copy.deepcopy(data), [], [])
    for each in RENAMED if renamed is None else renamed:
        for old, new in list(_places(found.data, each)):
            table = _table(found.data, old)
            if table is None or old[-1] not in table:
                continue
            value = table.pop(old[-1])
            target = _table(found.data, new, creates=True)
            key, replacement = ".".join(old), ".".join(new)
            if target is None or new[-1] in target:
                found.problems.append(Problem(key, value, f"is the former name of {replacement}: set only the latter"))
                continue
            target[new[-1]] = value
            words = f"is deprecated since {each.since}, and refused from {each.until} on: rename it to {replacement}"
            found.warnings.append(Problem(key, value, words))
    return found


def _places(data: dict[str, Any], renamed: Renamed) -> Iterator[tuple[list[str], list[str]]]:
    """Yield both keys as lists, for each name that `*` stands for."""
    old, new = renamed.old.split("."), renamed.new.split(".")
    if "*" not in old:
        yield old, new
        return
    place = old.index("*")
    named = _table(data, old[: place + 1])
    for name in named or ():
        yield [*old[:place], name, *old[place + 1 :]], [name if part == "*" else part for part in new]


def _table(data: dict[str, Any], keys: list[str], *, creates: bool = False) -> dict[str, Any] | None:
    """Return the table of a key; None if there is none, or if something else has its place."""
    found = data
    for key in keys[:-1]:
        inner = found.setdefault(key, {}) if creates else found.get(key)
        if not isinstance(inner, dict):
            return None
        found = inner
    return found
