"""The differences between two synthesized outputs, by address and key.

Only Terraform's plan knows the effect on a deployment. `replacements.toml` lists the keys that replace a resource
according to the provider's documentation; for every other key, see the plan.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

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
        address: tuple(_change(address, *difference) for difference in differences(old[address], new[address]))
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


@cache
def _replacing() -> dict[str, Any]:
    return tomllib.loads(files("aks_kaito.review").joinpath("replacements.toml").read_text(encoding="utf-8"))


def replacing_keys() -> dict[str, tuple[frozenset[str], str]]:
    """Return, for each type in `replacements.toml`, the keys that replace a resource and the page that says so."""
    return {name: (frozenset(found["keys"]), found["source"]) for name, found in _replacing().items()}


def _change(address: str, key: str, old: object, new: object) -> Change:
    keys, source = replacing_keys().get(type_of(address), (frozenset(), None))
    is_managed = not address.startswith("data.")
    is_listed = any(lies_within(key, listed) for listed in keys)
    return Change(key, old, new, source if is_managed and is_listed else None)


def lies_within(key: str, listed: str) -> bool:
    """Return whether a key is a listed key or lies within one, regardless of positions and names of blocks."""
    plain = "".join(part.partition("]")[2] if "]" in part else part for part in key.split("["))
    return plain == listed or plain.startswith(f"{listed}.")
