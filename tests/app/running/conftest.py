"""Fixtures of the tests of the history."""

import os
from collections.abc import Iterator

import pytest

from support.chat.databases import fresh
from support.chat.services import shared_postgresql


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of PostgreSQL, which all processes of a test run share."""
    folder = tmp_path_factory.getbasetemp()
    with shared_postgresql(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('history')}/history.db"
    return await fresh(request.getfixturevalue("postgres_server"))


@pytest.fixture
async def postgres_url(postgres_server: str) -> str:
    """The address of an empty database of PostgreSQL."""
    return await fresh(postgres_server)
