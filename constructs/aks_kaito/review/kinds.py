"""Names and groups of resource types, from `kinds.toml`, with a fallback for other types."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from aks_kaito.review.documents import Document, type_of


@dataclass(frozen=True)
class Kind:
    """A type of resource.

    Attributes:
        hourly: A note on its hourly price; None if it is not billed by the hour.
        use: The use that is billed, such as data per GiB; None if its use costs nothing.
        holds: The content that is lost with the resource and that no deployment brings back; None if there is none.
    """

    group: str
    noun: str
    plural: str = ""
    hourly: str | None = None
    use: str | None = None
    holds: str | None = None

    def counted(self, count: int) -> str:
        """Return the noun with a number, such as `3 subnets`."""
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
    """Return the types in `kinds.toml`."""
    return frozenset(_table()["types"])


def kind(terraform_type: str) -> Kind:
    """Return the kind of a type; an unknown type belongs to a group named after its provider."""
    if terraform_type in _table()["types"]:
        return Kind(**_table()["types"][terraform_type])
    provider, _, rest = terraform_type.partition("_")
    return Kind(group=provider, noun=rest.replace("_", " ") or provider)


def title(group: str) -> str:
    """Return the heading of a group."""
    return str(_table()["groups"].get(group, group.capitalize()))


def grouped(document: Document) -> dict[str, dict[str, int]]:
    """Return the number of resources per type, by group, in the order of `kinds.toml`."""
    counts: dict[str, dict[str, int]] = {group: {} for group in _table()["groups"]}
    for address in document.managed:
        of_group = counts.setdefault(kind(type_of(address)).group, {})
        of_group[type_of(address)] = of_group.get(type_of(address), 0) + 1
    return {group: of_group for group, of_group in counts.items() if of_group}
