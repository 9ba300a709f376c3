"""The subcommand `gpu-pools`: the list and the deletion, over Azure, the price list and stand-ins for programs."""

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import fake_azure, prices, stand_ins
from support.fake_azure import FakeAzure, Reply, error
from support.kaito_pools import POOL, agent_pool, crds, listed, node_claim, workspace
from support.prices import FakePrices

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-kaito-dev-westeurope"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-kaito-dev-westeurope"
POOLS = f"{CLUSTER}/agentPools"
OPERATION = f"{CLUSTER}/operations/one"


@pytest.fixture
def fake() -> Iterator[FakePrices]:
    with prices.running() as found:
        yield found


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with fake_azure.running() as found:
        found.answer(CLUSTER, {"properties": {"powerState": {"code": "Running"}}})
        found.listed(POOLS, agent_pool("system", mode="System"), agent_pool("user", labels=None), agent_pool())
        found.answer(f"get {POOLS}/{POOL}", agent_pool())
        yield found


class Place:
    """The fakes, and the command that uses them.

    Attributes:
        answers: Output of programs, by words of their command lines.
        asked: The command lines of the programs of the last run.
    """

    def __init__(self, folder: Path, azure: FakeAzure, fake: FakePrices) -> None:
        self._folder = folder
        self.azure = azure
        self.answers = {
            "account get-access-token": json.dumps({"accessToken": fake_azure.TOKEN, "expires_on": 4102444800}),
            "get customresourcedefinitions": crds(),
            "get workspaces.kaito.sh": json.dumps(listed()),
        }
        self.variables = {
            "AKS_KAITO_ARM_ENDPOINT": azure.endpoint,
            "AKS_KAITO_PRICES_ENDPOINT": fake.endpoint,
            "ARM_SUBSCRIPTION_ID": SUBSCRIPTION,
            "XDG_CACHE_HOME": str(folder / "cache"),
            "COLUMNS": "80",
        }
        self.asked: list[str] = []

    def owners(self, *items: dict[str, Any]) -> None:
        self.answers["get workspaces.kaito.sh"] = json.dumps(listed(*items))

    def run(self, *arguments: str, fails: str = "", typed: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command; `typed` is what the user types on a terminal."""
        surroundings = stand_ins.prepare(self._folder, fails=fails, answers=self.answers, variables=self.variables)
        command = [*stand_ins.AKS_KAITO, "gpu-pools", *arguments]
        ours, theirs = pty.openpty() if typed is not None else (-1, subprocess.DEVNULL)
        if typed is not None:
            os.write(ours, f"{typed}\n".encode())
        try:
            done = subprocess.run(
                command, stdin=theirs, capture_output=True, text=True, check=False, timeout=120, env=surroundings
            )
        finally:
            for each in (ours, theirs) if typed is not None else ():
                os.close(each)
        noted = self._folder / "noted"
        lines = noted.read_text().splitlines() if noted.exists() else []
        self.asked = [" ".join(json.loads(line)[0]) for line in lines]
        return done

    @property
    def deletions(self) -> int:
        return len([each for each in self.azure.requests if each.method == "DELETE"])


@pytest.fixture
def place(tmp_path: Path, azure: FakeAzure, fake: FakePrices) -> Place:
    return Place(tmp_path, azure, fake)


def said(ran: subprocess.CompletedProcess[str]) -> str:
    return re.sub(r"\s+", " ", ran.stdout)


def test_an_owned_pool_in_a_terminal(place: Place) -> None:
    place.owners(workspace(), node_claim())
    ran = place.run("dev")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"{POOL} 1 NV36ads_A10_v5 " in said(ran)
    assert "KAITO made 1 node pool in dev, for 4.16 USD per hour (3,037 per month); none is an orphan." in ran.stdout
    assert "Do not stop the cluster (az aks stop)" in ran.stdout
    assert "system" not in ran.stdout
    assert any(line.startswith("kubectl --kubeconfig ") for line in place.asked)


def test_an_orphan_as_json(place: Place) -> None:
    ran = place.run("dev", "--json", "--currency", "eur")
    found = json.loads(ran.stdout)
    assert (ran.returncode, found["exit_status"], found["currency"]) == (1, 1, "EUR")
    (pool,) = found["pools"]
    assert (pool["name"], pool["state"], pool["hourly"], pool["nodes"]) == (POOL, "orphan", 3.744, 1)
    assert pool["created"] == "2026-11-20T09:30:00+00:00"
    assert found["next"] == f"make gpu-pools ENV=dev DELETE={POOL}"


def test_the_run_command_is_taken_where_kubectl_does_not_reach_the_cluster(place: Place) -> None:
    texts = {"get customresourcedefinitions": crds(), "get workspaces.kaito.sh": json.dumps(listed(workspace()))}
    place.answers = {
        "account get-access-token": place.answers["account get-access-token"],
        **{
            f"--command kubectl --namespace kaito-chat {words}": json.dumps({"exitCode": 0, "logs": text})
            for words, text in texts.items()
        },
    }
    ran = place.run("dev", fails="kubelogin convert")
    assert (ran.returncode, "none is an orphan" in ran.stdout) == (0, True), ran


def test_an_unreadable_cluster_is_undecided(place: Place) -> None:
    invoked = json.dumps({"exitCode": 1, "logs": "Error: Unauthorized\n"})
    place.answers = {"aks command invoke": invoked, **place.answers}
    ran = place.run("dev", fails="kubelogin convert")
    assert ran.returncode == 3
    assert "unknown" in ran.stdout
    assert "so none is called an orphan" in ran.stdout
    assert "kubectl ended with exit status 1: Error: Unauthorized" in ran.stdout
    ran = place.run("dev", "--delete", POOL, "--yes", fails="kubelogin convert")
    assert (ran.returncode, place.deletions) == (3, 0)
    assert "Nothing was deleted: whether ws1a2b3c4d5 has an owner cannot be decided" in ran.stderr


def test_a_stopped_cluster_is_undecided_without_asking_it(place: Place, azure: FakeAzure) -> None:
    azure.answer(CLUSTER, {"properties": {"powerState": {"code": "Stopped"}}})
    ran = place.run("dev")
    assert (ran.returncode, "the cluster is stopped" in ran.stdout) == (3, True)
    assert not any("kubectl" in line for line in place.asked)


def test_without_pools_the_cluster_is_not_asked(place: Place, azure: FakeAzure) -> None:
    azure.listed(POOLS, agent_pool("system", mode="System"))
    ran = place.run("dev")
    assert (ran.returncode, ran.stdout.splitlines()[0]) == (0, "KAITO has no node pools in dev.")
    assert not any("kubectl" in line for line in place.asked)


@pytest.mark.parametrize(
    ("path", "reply", "status", "words"),
    [
        (CLUSTER, error(404, "ResourceNotFound"), 2, "dev has no cluster in Azure"),
        (CLUSTER, error(403, "AuthorizationFailed"), 3, "Azure does not tell the node pools of dev: HTTP 403"),
        (POOLS, error(429, "TooMany", Retry_After="600"), 3, "asks to wait 600 seconds"),
        (POOLS, Reply(200, b"<html>"), 3, "no JSON object"),
        (POOLS, {"value": [{"name": "x"}]}, 3, "another form than expected"),
    ],
)
def test_azure_that_does_not_tell(
    place: Place, azure: FakeAzure, path: str, reply: Any, status: int, words: str
) -> None:
    azure.answer(path, reply)
    ran = place.run("dev")
    assert (ran.returncode, ran.stdout) == (status, "")
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr


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
