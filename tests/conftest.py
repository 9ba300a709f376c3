"""Fixtures of all tests: the shipped environments and their stacks."""

import gc
import os
import socket
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from aks_kaito import jsii_client, node
from aks_kaito.settings import Environment, load
from support import forked
from support import stacks as cache
from support.project import ENVIRONMENTS, TODAY
from support.rendering import GO

# Before anything imports the CDK. As in main.py; test_main.py compares the output with that of jsii alone.
node.select()
if node.is_selected():
    jsii_client.install()
os.environ |= GO
# Programs of tests start often: they shall compile a module once, as with `make`.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return the number of processes of `--numprocesses auto`: one more than cores, as some wait for Terraform.

    One file runs in one process, where a debugger works.
    """
    one = len(config.args) == 1 and ".py" in config.args[0]
    return 0 if one else 1 + len(os.sched_getaffinity(0))


def pytest_configure(config: pytest.Config) -> None:
    """Keep synthesized stacks until the end of the run, for all its processes."""
    if cache.begin():
        config.add_cleanup(cache.end)
    config.add_cleanup(forked.stop)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give each process an equal part of the tests, which begins with its share of the slowest ones."""
    processes = getattr(config, "workerinput", {}).get("workercount", 1)
    slow = [item for item in items if "terraform" in item.path.parts]
    rest = iter([item for item in items if "terraform" not in item.path.parts])
    begun = [slow[process::processes] for process in range(processes)]
    most = -(-len(items) // processes)
    items[:] = [item for begin in begun for item in (*begin, *islice(rest, most - len(begin)))]


def pytest_collection_finish() -> None:
    """Let no collection of garbage look at the modules and tests, which live until the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def environments() -> dict[str, Environment]:
    """Return every shipped environment, by name."""
    return {path.stem: load(path, TODAY) for path in ENVIRONMENTS}


@pytest.fixture(scope="session")
def stacks(environments: dict[str, Environment]) -> dict[str, dict[str, Any]]:
    """Return the synthesized platform stack of every shipped environment, by name."""
    return {name: cache.synthesized(environment) for name, environment in environments.items()}


@pytest.fixture(scope="session")
def workloads(environments: dict[str, Environment]) -> dict[str, dict[str, Any]]:
    """Return the synthesized stack of workloads of every shipped environment, by name."""
    return {name: cache.synthesized(environment, "workloads") for name, environment in environments.items()}


@pytest.fixture
def api_server() -> Iterator[str]:
    """Listen as an API server would; its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"
