"""Fixtures of all tests of the chat application."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import kaito_chat  # noqa: F401 - its stand-ins, before any test imports Chainlit
from support.chat.processes import Running, chat, engine

# A loaded machine stalls single examples.
settings.register_profile("untimed", settings(), deadline=None)
settings.load_profile("untimed")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return the number of processes of `--numprocesses auto`: tests of the chat wait more than they compute.

    Chromium computes too. One file runs in one process, where a debugger works.
    """
    cores = len(os.sched_getaffinity(0))
    if len(config.args) == 1 and ".py" in config.args[0]:
        return 0
    return cores + 1 if "browser" in config.args[0] else 2 * cores


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with engine(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture(scope="session")
def app(scripted: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with chat(scripted.url, tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
