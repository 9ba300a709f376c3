"""Snapshots of each environment's stacks, and of the sorted addresses, in which renames stand out.

Explain a change in CHANGELOG.md; `make snapshots` accepts it.
"""

import json
import re
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from support.inventory import addresses
from support.project import ENVIRONMENTS


@pytest.fixture
def json_snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Write each snapshot to its own JSON file."""
    return snapshot.use_extension(JSONSnapshotExtension)


def without_fingerprints(document: dict[str, Any]) -> dict[str, Any]:
    """Return a stack without the fingerprints of the charts, which have their own tests."""
    found: dict[str, Any] = json.loads(re.sub(r"files [0-9a-f]{12}", "files <fingerprint>", json.dumps(document)))
    return found


@pytest.mark.parametrize("name", [path.stem for path in ENVIRONMENTS])
def test_stack_is_as_reviewed(name: str, stacks: dict[str, dict[str, Any]], json_snapshot: SnapshotAssertion) -> None:
    assert stacks[name] == json_snapshot(name=f"{name}-platform")


@pytest.mark.parametrize("name", [path.stem for path in ENVIRONMENTS])
def test_addresses_are_as_reviewed(
    name: str, stacks: dict[str, dict[str, Any]], json_snapshot: SnapshotAssertion
) -> None:
    assert sorted(addresses(stacks[name])) == json_snapshot(name=f"{name}-addresses")


@pytest.mark.parametrize("name", [path.stem for path in ENVIRONMENTS])
def test_workloads_are_as_reviewed(
    name: str, workloads: dict[str, dict[str, Any]], json_snapshot: SnapshotAssertion
) -> None:
    assert without_fingerprints(workloads[name]) == json_snapshot(name=f"{name}-workloads")
