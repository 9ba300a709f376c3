"""What all tests of the chat application share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.chat.processes import Running, chat, engine


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
