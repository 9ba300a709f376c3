"""Fixtures of the tests of the history."""

from collections.abc import Iterator

import pytest

from support.chat.databases import fresh
from support.chat.services import postgresql


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgresql() as url:
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
