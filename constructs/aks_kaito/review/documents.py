"""Reader of synthesized stacks."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

_REFERENCE = re.compile(r"\$\{((?:data\.)?[a-z][a-z0-9_]*\.[A-Za-z][\w-]*)[.\[}]")
# The CDK appends a hash to names with more than one part.
_HASH = re.compile(r"_[0-9A-F]{8}$")
FILE = "cdk.tf.json"


@dataclass(frozen=True)
class Document:
    """A synthesized stack: its name, and its resources and data sources with their arguments, by Terraform address."""

    name: str
    resources: dict[str, dict[str, Any]]
    rest: dict[str, dict[str, Any]]
    """Outputs, providers and Terraform's own settings, by addresses of the same form (`output.x`)."""

    @cached_property
    def managed(self) -> dict[str, dict[str, Any]]:
        """The resources without data sources."""
        return {address: found for address, found in self.resources.items() if not address.startswith("data.")}

    def of_type(self, *types: str) -> dict[str, dict[str, Any]]:
        """Return the resources of these types."""
        return {address: found for address, found in self.managed.items() if type_of(address) in types}


def read(path: Path) -> Document:
    """Read the stack in a `cdk.tf.json`, named after its folder, without the CDK's metadata (`//`)."""
    return document(path.parent.name, json.loads(path.read_text(encoding="utf-8")))


def read_all(folder: Path) -> dict[str, Document]:
    """Read every stack in an output folder such as `cdktf.out`, by name."""
    return {path.parent.name: read(path) for path in sorted((folder / "stacks").glob(f"*/{FILE}"))}


def document(name: str, synthesized: dict[str, Any]) -> Document:
    """Return the document of a stack's JSON."""
    resources: dict[str, dict[str, Any]] = {}
    rest: dict[str, dict[str, Any]] = {}
    for block, content in _without_notes(synthesized).items():
        if block in ("resource", "data"):
            prefix = "data." if block == "data" else ""
            for kind, named in content.items():
                resources |= {f"{prefix}{kind}.{key}": arguments for key, arguments in named.items()}
        elif isinstance(content, list):  # resources that leave the state without being destroyed
            rest |= {f"{block}.{item['from']}": item for item in content}
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
    """Return the Terraform type of an address, such as `azurerm_subnet`."""
    return address.removeprefix("data.").partition(".")[0]


def path_of(address: str) -> str:
    """Return the construct path of an address, which is more readable than its name with a hash."""
    return _HASH.sub("", address.rpartition(".")[2]).replace("_", "/")


def references(value: object) -> Iterator[str]:
    """Yield the addresses that an argument or a map of arguments refers to."""
    if isinstance(value, dict):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, str):
        yield from _REFERENCE.findall(value)


def block(arguments: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a nested block, which JSON writes as an object or as a list of one; empty if absent."""
    found = arguments.get(name) or {}
    return (found[0] if found else {}) if isinstance(found, list) else found
