"""What people call the types of resources and how they are grouped: `kinds.toml`, and an answer for any other type."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from aks_kaito.review.documents import Document, type_of


@dataclass(frozen=True)
class Kind:
    """A type of resource: its group, its noun, and what else is said of its hourly price (None: it has none)."""

    group: str
    noun: str
    plural: str = ""
    hourly: str | None = None

    def counted(self, count: int) -> str:
        """The noun with its number, such as `3 subnets`."""
        if count == 1:
            return f"1 {self.noun}"
        return f"{count} {self.plural or _plural(self.noun)}"


def _plural(noun: str) -> str:
    if noun.endswith("y"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x")) else f"{noun}s"


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("aks_kaito.review").joinpath("kinds.toml").read_text(encoding="utf-8"))


def known() -> frozenset[str]:
    """The types of `kinds.toml`."""
    return frozenset(_table()["types"])


def kind(terraform_type: str) -> Kind:
    """What is known of a type; an unknown one is in a group named after its provider."""
    if terraform_type in _table()["types"]:
        return Kind(**_table()["types"][terraform_type])
    provider, _, rest = terraform_type.partition("_")
    return Kind(group=provider, noun=rest.replace("_", " ") or provider)


def title(group: str) -> str:
    """A group's heading."""
    return str(_table()["groups"].get(group, group.capitalize()))


def grouped(document: Document) -> dict[str, dict[str, int]]:
    """How many resources of each type a stack has, by group, in the order of `kinds.toml`."""
    counts: dict[str, dict[str, int]] = {group: {} for group in _table()["groups"]}
    for address in document.managed:
        of_group = counts.setdefault(kind(type_of(address)).group, {})
        of_group[type_of(address)] = of_group.get(type_of(address), 0) + 1
    return {group: of_group for group, of_group in counts.items() if of_group}
