"""Fixtures of the tests that run Terraform."""

from collections.abc import Iterator

import pytest

from support import stub_providers


@pytest.fixture(autouse=True)
def _stub_providers_end_with_their_test() -> Iterator[None]:
    yield
    stub_providers.stop()
