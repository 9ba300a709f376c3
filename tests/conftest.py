"""Fixtures of all tests: the shipped environments, and their stacks synthesized once a session."""

import json
import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from aks_kaito import node
from aks_kaito.settings import Environment, load

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = sorted((ROOT / "environments").glob("*.toml"))
TODAY = date(2026, 11, 23)

# Before anything imports the CDK.
node.select()


def synthesized(environment: Environment, part: str = "platform") -> dict[str, Any]:
    """The Terraform JSON of one of an environment's stacks, without backend and paths."""
    from cdktn import Testing as CdkTesting  # noqa: PLC0415  (starts Node.js, which pure tests do without)

    from aks_kaito.stacks.platform import PlatformStack  # noqa: PLC0415  (likewise)
    from aks_kaito.stacks.workloads import WorkloadsStack  # noqa: PLC0415  (likewise)

    stack = {"platform": PlatformStack, "workloads": WorkloadsStack}[part](CdkTesting.app(), environment)
    document: dict[str, Any] = json.loads(CdkTesting.synth(stack, True))  # noqa: FBT003  (jsii takes no keyword)
    return document


@pytest.fixture(scope="session")
def environments() -> dict[str, Environment]:
    """Every shipped environment, by name."""
    return {path.stem: load(path, TODAY) for path in ENVIRONMENTS}


@pytest.fixture(scope="session")
def stacks(environments: dict[str, Environment]) -> dict[str, dict[str, Any]]:
    """The synthesized platform stack of every shipped environment, by name."""
    return {name: synthesized(environment) for name, environment in environments.items()}


@pytest.fixture(scope="session")
def workloads(environments: dict[str, Environment]) -> dict[str, dict[str, Any]]:
    """The synthesized stack of workloads of every shipped environment, by name."""
    return {name: synthesized(environment, "workloads") for name, environment in environments.items()}


@pytest.fixture
def api_server() -> Iterator[str]:
    """The address of something that can be connected to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"
