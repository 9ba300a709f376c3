"""Synthesized stacks, read from their JSON."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

_REFERENCE = re.compile(r"\$\{((?:data\.)?[a-z][a-z0-9_]*\.[A-Za-z][\w-]*)[.\[}]")
# The CDK appends a hash to names of more than one part.
_HASH = re.compile(r"_[0-9A-F]{8}$")
FILE = "cdk.tf.json"


@dataclass(frozen=True)
class Document:
    """A synthesized stack: its name, and the arguments of its resources and data sources by Terraform address."""

    name: str
    resources: dict[str, dict[str, Any]]
    rest: dict[str, dict[str, Any]]
    """Outputs, providers and the settings of Terraform itself, by an address of the same form (`output.x`)."""

    @cached_property
    def managed(self) -> dict[str, dict[str, Any]]:
        """The resources without the data sources."""
        return {address: found for address, found in self.resources.items() if not address.startswith("data.")}

    def of_type(self, *types: str) -> dict[str, dict[str, Any]]:
        """The resources of these types."""
        return {address: found for address, found in self.managed.items() if type_of(address) in types}


def read(path: Path) -> Document:
    """The stack in a `cdk.tf.json`, named after its folder; the CDK's own notes (`//`) are left out."""
    return document(path.parent.name, json.loads(path.read_text(encoding="utf-8")))


def read_all(folder: Path) -> dict[str, Document]:
    """Every stack under an output folder such as `cdktf.out`, by name."""
    return {path.parent.name: read(path) for path in sorted((folder / "stacks").glob(f"*/{FILE}"))}


def document(name: str, synthesized: dict[str, Any]) -> Document:
    """A stack's document from its JSON."""
    resources: dict[str, dict[str, Any]] = {}
    rest: dict[str, dict[str, Any]] = {}
    for block, content in _without_notes(synthesized).items():
        if block in ("resource", "data"):
            prefix = "data." if block == "data" else ""
            for kind, named in content.items():
                resources |= {f"{prefix}{kind}.{key}": arguments for key, arguments in named.items()}
        else:
            rest |= {
                f"{block}.{key}": value if isinstance(value, dict) else {block: value} for key, value in content.items()
            }
    return Document(name, resources, rest)


def _without_notes(value: Any) -> Any:  # noqa: ANN401  (JSON is anything)
    if isinstance(value, dict):
        return {key: _without_notes(item) for key, item in value.items() if key != "//"}
    if isinstance(value, list):
        return [_without_notes(item) for item in value]
    return value


def type_of(address: str) -> str:
    """The Terraform type of an address, such as `azurerm_subnet`."""
    return address.removeprefix("data.").partition(".")[0]


def path_of(address: str) -> str:
    """The construct path of an address, which reads better than its name with a hash."""
    return _HASH.sub("", address.rpartition(".")[2]).replace("_", "/")


def references(value: object) -> Iterator[str]:
    """The addresses that an argument, or all arguments of a resource, refer to."""
    if isinstance(value, dict):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, str):
        yield from _REFERENCE.findall(value)


def block(arguments: dict[str, Any], name: str) -> dict[str, Any]:
    """A nested block, which JSON writes as an object or as a list of one; empty when it is not there."""
    found = arguments.get(name) or {}
    return (found[0] if found else {}) if isinstance(found, list) else found
