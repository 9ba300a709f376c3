"""What differs between two synthesized outputs, address by address and key by key.

Terraform alone knows what a change does to what is deployed; `replacements.toml` lists keys of which the provider's
documentation says that a change replaces the resource, and for every other key the plan has to be asked.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from aks_kaito.review.documents import Document, type_of


class Absent:
    """Stands for a value that one side does not have, since JSON has a null of its own."""

    def __repr__(self) -> str:
        """How an absent value reads."""
        return "(absent)"


ABSENT = Absent()


@dataclass(frozen=True)
class Change:
    """A key whose value differs; `replaced_by` is the page that says it replaces the resource, None: see the plan."""

    key: str
    old: Any
    new: Any
    replaced_by: str | None


@dataclass(frozen=True)
class StackChanges:
    """What differs in a stack, itself added, removed or changed; addresses are sorted."""

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
    """The stacks that differ between two outputs, by name; a stack that one side lacks is added or removed whole."""
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
    """The keys in which two values differ, dotted, with both values.

    Blocks in a list are matched by their `name` where all have one, else by their position; a list of plain values
    is one value.
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
    """Both lists as maps, by name where that tells all blocks apart, else by position."""
    if all(len({str(block.get("name", "")) for block in blocks} - {""}) == len(blocks) for blocks in (old, new)):
        return {block["name"]: block for block in old}, {block["name"]: block for block in new}
    return dict(enumerate(old)), dict(enumerate(new))


@cache
def _replacing() -> dict[str, Any]:
    return tomllib.loads(files("aks_kaito.review").joinpath("replacements.toml").read_text(encoding="utf-8"))


def replacing_keys() -> dict[str, tuple[frozenset[str], str]]:
    """For each type of `replacements.toml`, the keys that replace a resource, and the page that says so."""
    return {name: (frozenset(found["keys"]), found["source"]) for name, found in _replacing().items()}


def _change(address: str, key: str, old: object, new: object) -> Change:
    keys, source = replacing_keys().get(type_of(address), (frozenset(), None))
    is_managed = not address.startswith("data.")
    is_listed = any(lies_within(key, listed) for listed in keys)
    return Change(key, old, new, source if is_managed and is_listed else None)


def lies_within(key: str, listed: str) -> bool:
    """Whether a changed key is a listed one, or lies within one; positions and names of blocks do not count."""
    plain = "".join(part.partition("]")[2] if "]" in part else part for part in key.split("["))
    return plain == listed or plain.startswith(f"{listed}.")
