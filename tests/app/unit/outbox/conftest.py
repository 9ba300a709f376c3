"""A database for the tests of the outbox."""

import pytest

from support.chat.outbox import Disk


@pytest.fixture
def disk() -> Disk:
    return Disk()
