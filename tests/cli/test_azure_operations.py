"""Operations of Azure that take longer: polled until their end, with a limit, on loopback."""

from collections.abc import Iterator
from typing import Any

import pytest

from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.azure.errors import AzureAnswerError, ForbiddenError
from aks_kaito_cli.azure.operations import OperationFailedError, StillRunningError, wait
from support.fake_azure import Credential, FakeAzure, Reply, error, running

POOL = "/subscriptions/one/providers/Microsoft.ContainerService/managedClusters/c/agentPools/p"
OPERATION = "/subscriptions/one/providers/Microsoft.ContainerService/locations/westeurope/operations/o"
NOW = {"Retry-After": "0"}


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with running() as fake:
        yield fake


def accepted(azure: FakeAzure, header: str = "Azure-AsyncOperation", **headers: str) -> Reply:
    return Reply(202, None, {header: f"{azure.endpoint}{OPERATION}?api-version=2025-05-01", **NOW, **headers})


def deleted(azure: FakeAzure, *answers: Any, begun: Reply | None = None, seconds: float = 30) -> list[float]:
    """Delete the pool, answer the questions about it, and return what was told."""
    azure.answer(f"delete {POOL}", begun or accepted(azure))
    if answers:
        azure.answer(OPERATION, *answers)
    told: list[float] = []
    arm = Arm(Credential(), azure.endpoint)
    wait(arm, arm.send("DELETE", POOL), seconds, told.append)
    return told


def test_an_operation_is_asked_until_it_has_succeeded(azure: FakeAzure) -> None:
    going = Reply(200, {"status": "InProgress"}, NOW)
    assert len(deleted(azure, going, going, {"status": "Succeeded"})) == 3
    assert len(azure.asked("operations")) == 3
    assert azure.asked("operations")[0].query == {"api-version": ["2025-05-01"]}


def test_a_location_is_asked_until_it_is_not_accepted_any_more(azure: FakeAzure) -> None:
    going = Reply(202, None, NOW)
    assert len(deleted(azure, going, Reply(204, None), begun=accepted(azure, "Location"))) == 2


@pytest.mark.parametrize("status", [200, 204])
def test_an_operation_that_is_done_at_once_is_not_asked(azure: FakeAzure, status: int) -> None:
    assert deleted(azure, begun=Reply(status, None)) == []


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            {"status": "Failed", "error": {"code": "DrainFailed", "message": "a budget forbids it"}},
            OperationFailedError,
            r"Failed \(DrainFailed: a budget forbids it\)",
        ),
        ({"status": "Canceled"}, OperationFailedError, "Canceled$"),
        ({"state": "odd"}, AzureAnswerError, "has no status"),
        (Reply(200, b"<html>"), AzureAnswerError, "has no status"),
        (error(403, "AuthorizationFailed"), ForbiddenError, "AuthorizationFailed"),
    ],
)
def test_each_bad_end_is_told_apart(azure: FakeAzure, answer: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        deleted(azure, answer)


def test_an_operation_that_does_not_end_ends_the_wait(azure: FakeAzure) -> None:
    with pytest.raises(StillRunningError, match="Azure continues it"):
        deleted(azure, Reply(200, {"status": "InProgress"}, {"Retry-After": "1"}), seconds=2)
    assert len(azure.asked("operations")) == 2


def test_a_wait_longer_than_the_limit_is_not_begun(azure: FakeAzure) -> None:
    with pytest.raises(StillRunningError):
        deleted(azure, begun=accepted(azure, **{"Retry-After": "600"}), seconds=20)
    assert azure.asked("operations") == []


def test_another_host_gets_no_token(azure: FakeAzure) -> None:
    with running() as other, pytest.raises(AzureAnswerError, match="which gets no token"):
        deleted(azure, begun=accepted(other))
    assert other.requests == []
