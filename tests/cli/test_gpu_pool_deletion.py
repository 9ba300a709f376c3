"""The deletion of a pool by `gpu-pools --delete`: its checks, its wait, and every end."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import fake_azure, prices
from support.fake_azure import FakeAzure, Reply, error
from support.kaito_pools import POOL, agent_pool, node_claim, workspace
from support.pool_place import CLUSTER, POOLS, Place, prepared
from support.prices import FakePrices


@pytest.fixture
def fake() -> Iterator[FakePrices]:
    with prices.running() as found:
        yield found


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with fake_azure.running() as found:
        yield prepared(found)


@pytest.fixture
def place(tmp_path: Path, azure: FakeAzure, fake: FakePrices) -> Place:
    return Place(tmp_path, azure, fake)


OPERATION = f"{CLUSTER}/operations/one"


def deletes(azure: FakeAzure, *statuses: str) -> None:
    """Let Azure delete the pool through an operation of these states."""
    place = f"{azure.endpoint}{OPERATION}?api-version=2025-05-01"
    azure.answer(f"delete {POOLS}/{POOL}", Reply(202, None, {"Azure-AsyncOperation": place, "Retry-After": "0"}))
    azure.answer(OPERATION, *(Reply(200, {"status": each}, {"Retry-After": "0"}) for each in statuses))
    gone = error(404, "NotFound")
    azure.answer(
        f"get {POOLS}/{POOL}", agent_pool(), agent_pool(), gone if statuses[-1] == "Succeeded" else agent_pool()
    )


def test_an_orphan_is_deleted_and_waited_for(place: Place, azure: FakeAzure) -> None:
    deletes(azure, "InProgress", "Succeeded")
    ran = place.run("dev", "--delete", POOL, "--yes")
    assert (ran.returncode, place.deletions) == (0, 1), ran
    assert f"{POOL} is deleted, and its nodes are not billed any more." in ran.stdout
    assert f"Azure deletes {POOL}: 0 s" in ran.stderr
    # The owner is checked twice.
    assert len([line for line in place.asked if "get workspaces.kaito.sh" in line]) == 2


@pytest.mark.parametrize(("typed", "status", "deletions"), [(POOL, 0, 1), ("yes", 2, 0), ("", 2, 0)])
def test_the_user_types_the_name(place: Place, azure: FakeAzure, typed: str, status: int, deletions: int) -> None:
    deletes(azure, "Succeeded")
    ran = place.run("dev", "--delete", POOL, typed=typed)
    assert (ran.returncode, place.deletions) == (status, deletions), ran
    assert "Delete ws1a2b3c4d5, 1 × Standard_NV36ads_A10_v5, made for Workspace kaito-chat/kc-model? Type its name" in (
        ran.stdout + ran.stderr
    )


def test_without_a_terminal_nothing_is_deleted(place: Place, azure: FakeAzure) -> None:
    deletes(azure, "Succeeded")
    ran = place.run("dev", "--delete", POOL)
    assert (ran.returncode, place.deletions) == (2, 0)
    assert "--yes deletes without asking" in ran.stderr


@pytest.mark.parametrize(
    ("name", "pool", "words"),
    [
        ("gone", error(404, "NotFound"), "there is no node pool gone"),
        ("user", agent_pool("user"), "KAITO did not make the node pool user"),
        ("system", agent_pool("system", mode="System"), "KAITO did not make the node pool system"),
        ("gpu", agent_pool("gpu", labels={"kaito.sh/workspace": "x"}), "KAITO did not make the node pool gpu"),
        (POOL, agent_pool(state="Deleting"), "is no orphan: Azure deletes the pool"),
    ],
)
def test_another_pool_is_never_deleted(place: Place, azure: FakeAzure, name: str, pool: Any, words: str) -> None:
    azure.answer(f"{POOLS}/{name}", pool)
    azure.answer(f"get {POOLS}/{name}", pool)
    ran = place.run("dev", "--delete", name, "--yes")
    assert (ran.returncode, place.deletions) == (2, 0)
    assert words in ran.stderr


@pytest.mark.parametrize("name", ["../../x", "a/b", "WS1A2B3C4D5", "ws1a2b3c4d5x1", "1ws", "ws?x=1"])
def test_another_name_is_never_a_part_of_a_path(place: Place, azure: FakeAzure, name: str) -> None:
    ran = place.run("dev", "--delete", name, "--yes")
    assert (ran.returncode, place.deletions) == (2, 0)
    assert "is no name of a node pool" in ran.stderr
    assert azure.asked("agentPools") == []


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([workspace(), node_claim()], "kubectl delete workspace kc-model --namespace kaito-chat"),
        ([node_claim()], f"kubectl delete nodeclaim {POOL}"),
        ([node_claim(going=True)], "KAITO deletes the NodeClaim"),
    ],
)
def test_a_pool_with_an_owner_is_never_deleted(place: Place, items: list[dict[str, Any]], words: str) -> None:
    place.owners(*items)
    ran = place.run("dev", "--delete", POOL, "--yes")
    assert (ran.returncode, place.deletions) == (2, 0)
    assert words in ran.stderr


def test_a_pool_that_changes_while_the_user_types_is_not_deleted(place: Place, azure: FakeAzure) -> None:
    deletes(azure, "Succeeded")
    azure.answer(f"get {POOLS}/{POOL}", agent_pool(), agent_pool(state="Deleting"))
    ran = place.run("dev", "--delete", POOL, "--yes")
    assert (ran.returncode, place.deletions) == (2, 0)


@pytest.mark.parametrize(
    ("answers", "status", "words"),
    [
        (
            error(403, "AuthorizationFailed", "no right to delete"),
            1,
            "is not deleted, or Azure does not say so: HTTP 403",
        ),
        (error(409, "OperationNotAllowed", "another operation is in progress"), 1, "another operation is in progress"),
    ],
)
def test_a_refused_deletion_is_said(place: Place, azure: FakeAzure, answers: Any, status: int, words: str) -> None:
    azure.answer(f"delete {POOLS}/{POOL}", answers)
    ran = place.run("dev", "--delete", POOL, "--yes")
    assert (ran.returncode, ran.stdout) == (status, "")
    assert words in ran.stderr


def test_a_failed_deletion_is_said(place: Place, azure: FakeAzure) -> None:
    deletes(azure, "Failed")
    ran = place.run("dev", "--delete", POOL, "--yes")
    assert (ran.returncode, "Azure reports Failed" in ran.stderr) == (1, True)


def test_a_pool_that_is_still_there_is_said(place: Place, azure: FakeAzure) -> None:
    azure.answer(f"delete {POOLS}/{POOL}", Reply(204, None))
    azure.answer(f"get {POOLS}/{POOL}", agent_pool())
    ran = place.run("dev", "--delete", POOL, "--yes")
    assert (ran.returncode, f"Azure still has {POOL}, in the state Succeeded." in ran.stderr) == (1, True)
