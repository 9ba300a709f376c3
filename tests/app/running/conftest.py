"""Databases of the history, and an application with sign-in and history."""

import os
from collections.abc import Iterator

import pytest

from support.chat.databases import fresh
from support.chat.processes import Running, chat
from support.chat.services import shared_postgresql
from support.chat.signed_in import SIGN_IN


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server, which all processes of a test run share."""
    folder = tmp_path_factory.getbasetemp()
    with shared_postgresql(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('history')}/history.db"
    return await fresh(request.getfixturevalue("postgres_server"))


@pytest.fixture
async def postgres_url(postgres_server: str) -> str:
    """The URL of an empty PostgreSQL database."""
    return await fresh(postgres_server)


@pytest.fixture(scope="module")
def kept(scripted: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An application with sign-in and history."""
    folder = tmp_path_factory.mktemp("kept")
    with chat(scripted.url, folder, database_url=f"sqlite:///{folder}/history.db", **SIGN_IN) as running:
        yield running
