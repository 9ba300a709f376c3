"""Partial inventories: YAML files that list the resources and arguments of a synthesized stack that matter.

`counts` is the number of resources by type; 0 asserts absence. `values` are arguments by path; `__absent__` asserts
that a key is missing. Everything else is ignored.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ABSENT = "__absent__"


def addresses(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the arguments of every resource and data source by Terraform address."""
    found = {}
    for block, prefix in (("resource", ""), ("data", "data.")):
        for kind, resources in document.get(block, {}).items():
            for name, arguments in resources.items():
                found[f"{prefix}{kind}.{name}"] = arguments
    return found


def paths(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the arguments of every resource by type and construct path, without the hash of an address."""
    found = {}
    for kind, resources in document["resource"].items():
        for name, arguments in resources.items():
            found[f"{kind}:{re.sub(r'_[0-9A-F]{8}$', '', name).replace('_', '/')}"] = arguments
    return found


def of_kind(document: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the arguments of all resources of one type."""
    return list(document["resource"].get(kind, {}).values())


def differences(document: dict[str, Any], inventory: Path) -> list[str]:
    """Return a line per difference between a stack and an inventory, with the file and the dotted path."""
    expected = yaml.safe_load(inventory.read_text(encoding="utf-8"))
    found = [
        f"{inventory.name}: counts.{kind}: expected {count}, found {len(of_kind(document, kind))}"
        for kind, count in expected.get("counts", {}).items()
        if len(of_kind(document, kind)) != count
    ]
    actual = paths(document)
    for key, values in expected.get("values", {}).items():
        if key in actual:
            found += (f"{inventory.name}: {key}{line}" for line in _compare(values, actual[key]))
        elif values != ABSENT:
            found.append(f"{inventory.name}: {key}: not in the stack")
    return found


def _compare(expected: Any, actual: Any, path: str = "") -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in expected.items():
            if value == ABSENT and key in actual:
                yield f"{path}.{key}: expected to be absent, found {actual[key]!r}"
            elif value != ABSENT:
                yield from _compare(value, actual.get(key, ABSENT), f"{path}.{key}")
    elif expected != actual:
        yield f"{path}: expected {expected!r}, found {actual!r}"
