"""The differences between two synthesized outputs, by address and key.

Only Terraform's plan knows the effect on a deployment. `replacements.toml` lists the keys that replace a resource
according to the provider's documentation; for every other key, see the plan.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import nan
from typing import Any, Literal

from aks_kaito.review import kinds
from aks_kaito.review.documents import Document, type_of


class Absent:
    """Placeholder of a value that one side lacks, since null is a value in JSON."""

    def __repr__(self) -> str:
        """Return the placeholder in a report."""
        return "(absent)"


ABSENT = Absent()


@dataclass(frozen=True)
class Change:
    """A key whose value differs; `replaced_by` is the page that says so if the change replaces the resource."""

    key: str
    old: Any
    new: Any
    replaced_by: str | None


@dataclass(frozen=True)
class StackChanges:
    """The differences of a stack that was added, removed or changed; addresses are sorted."""

    name: str
    status: Literal["added", "removed", "changed"]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: dict[str, tuple[Change, ...]]

    @property
    def replaced(self) -> tuple[str, ...]:
        """The addresses that are likely to be replaced."""
        return tuple(
            address for address, changes in self.changed.items() if any(change.replaced_by for change in changes)
        )

    @property
    def lost(self) -> dict[str, str]:
        """The removed addresses whose resources hold something, and what they hold."""
        held = {address: kinds.kind(type_of(address)).holds for address in self.removed}
        return {address: what for address, what in held.items() if what}


def compare(old: Mapping[str, Document], new: Mapping[str, Document]) -> list[StackChanges]:
    """Return the stacks that differ, sorted by name; a stack that one side lacks counts as added or removed."""
    found = []
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        status: Literal["added", "removed", "changed"] = "changed"
        if before is None:
            status = "added"
        elif after is None:
            status = "removed"
        changes = _stack(name, status, _parts(before), _parts(after))
        if changes.added or changes.removed or changes.changed:
            found.append(changes)
    return found


def _parts(document: Document | None) -> dict[str, dict[str, Any]]:
    return {**document.resources, **document.rest} if document else {}


def _stack(
    name: str,
    status: Literal["added", "removed", "changed"],
    old: dict[str, dict[str, Any]],
    new: dict[str, dict[str, Any]],
) -> StackChanges:
    changed = {
        address: tuple(
            _change(address, *difference, ignored=_ignored(new[address]))
            for difference in differences(old[address], new[address])
        )
        for address in sorted(old.keys() & new.keys())
        if old[address] != new[address]
    }
    return StackChanges(
        name=name,
        status=status,
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=changed,
    )


def differences(old: Any, new: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401  (JSON is anything)
    """Yield the dotted keys whose values differ, with both values.

    Blocks in a list are matched by `name` if all of them have one, else by position. A list of plain values is
    one value.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(name for name in new if name not in old)]:
            yield from differences(old.get(name, ABSENT), new.get(name, ABSENT), f"{key}.{name}" if key else name)
    elif _are_blocks(old) and _are_blocks(new):
        before, after = _by_name(old, new)
        for name in [*before, *(name for name in after if name not in before)]:
            yield from differences(before.get(name, ABSENT), after.get(name, ABSENT), f"{key}[{name}]")
    elif old != new or type(old) is not type(new):
        yield key, old, new


def _are_blocks(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _by_name(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> tuple[dict[object, Any], dict[object, Any]]:
    """Return both lists as maps, by name if all names are present and differ, else by position."""
    if all(len({str(block.get("name", "")) for block in blocks} - {""}) == len(blocks) for blocks in (old, new)):
        return {block["name"]: block for block in old}, {block["name"]: block for block in new}
    return dict(enumerate(old)), dict(enumerate(new))


@dataclass(frozen=True)
class Replacing:
    """Arguments of a resource type that replace the resource: at any change, or if the new value is lower."""

    keys: Sequence[str]
    source: str
    if_lower: Sequence[str] = ()

    def replaces(self, key: str, old: object, new: object) -> bool:
        """Return whether a change of a key replaces the resource."""
        if any(lies_within(key, listed) for listed in self.keys):
            return True
        return key in self.if_lower and _number(new) < _number(old)


# Service tiers, in ascending order.
_TIERS = ("Basic", "Standard", "Premium")


def _number(value: object) -> float:
    """Return a number, a version or a tier as a number; a missing one, the default, is neither lower nor higher."""
    if value in _TIERS:
        return _TIERS.index(str(value))
    try:
        return float(str(value))
    except ValueError:
        return nan


@cache
def replacing() -> dict[str, Replacing]:
    """Return the arguments in `replacements.toml` by resource type."""
    text = files("aks_kaito.review").joinpath("replacements.toml").read_text(encoding="utf-8")
    return {kind: Replacing(**found) for kind, found in tomllib.loads(text).items()}


def _change(address: str, key: str, old: object, new: object, *, ignored: list[str]) -> Change:
    found = None if address.startswith("data.") else replacing().get(type_of(address))
    replaces = (
        found is not None and found.replaces(key, old, new) and not any(lies_within(key, each) for each in ignored)
    )
    return Change(key, old, new, found.source if found and replaces else None)


def is_ignored(key: str, resource: dict[str, Any]) -> bool:
    """Return whether Terraform ignores changes of a key of a synthesized resource."""
    return any(lies_within(key, each) for each in _ignored(resource))


def _ignored(resource: dict[str, Any]) -> list[str]:
    """Return the keys whose changes Terraform ignores."""
    lifecycle = resource.get("lifecycle", {})
    return [_plain(key) for key in lifecycle.get("ignore_changes", [])]


def lies_within(key: str, listed: str) -> bool:
    """Return whether a key is a listed key or lies within one, regardless of positions and names of blocks.

    A listed key of a block may omit the blocks around it.
    """
    plain = _plain(key)
    return f"{plain}.".startswith(f"{listed}.") or ("." in listed and f".{listed}." in f".{plain}.")


def _plain(key: str) -> str:
    return "".join(part.partition("]")[2] if "]" in part else part for part in key.split("["))
