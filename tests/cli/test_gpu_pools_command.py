"""The list of `gpu-pools`, over Azure, the price list and stand-ins for programs."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import fake_azure, prices
from support.fake_azure import FakeAzure, Reply, error
from support.kaito_pools import POOL, agent_pool, claim_of_node, crds, listed, node_claim, workspace
from support.pool_place import CLUSTER, POOLS, SUBSCRIPTION, Place, prepared
from support.prices import Answer, FakePrices
from support.stand_ins import DEV, environment


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


def test_owners_are_read_in_the_subscription_of_the_pools(place: Place) -> None:
    place.answers["account show"] = SUBSCRIPTION
    del place.variables["ARM_SUBSCRIPTION_ID"]
    place.owners(workspace(), node_claim())
    assert place.run("dev").returncode == 0
    (credentials,) = [line for line in place.asked if "aks get-credentials" in line]
    assert f"--subscription {SUBSCRIPTION}" in credentials


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


def test_without_a_price_list_the_price_is_unknown(place: Place, fake: FakePrices) -> None:
    fake.answers = [Answer(403, b"blocked by a proxy")]
    ran = place.run("dev")
    assert ran.returncode == 1
    assert "for an unknown price; 1 is an orphan, for an unknown price." in ran.stdout
    assert "The price list gives no new prices: " in ran.stdout
    assert "answers HTTP 403: blocked by a proxy" in ran.stdout


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


HELM = '\n[kaito]\ndistribution = "helm"\nversion = "0.12.0"\n'


def test_nodes_of_node_auto_provisioning_are_listed_by_their_claims(place: Place, azure: FakeAzure) -> None:
    azure.listed(POOLS, agent_pool("system", mode="System"))
    place.variables |= environment(place.folder, DEV + HELM)
    place.owners(workspace(), claim_of_node(), {"kind": "NodeClaim", "metadata": {"name": "default-abcde"}})
    ran = place.run("dev")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.split()[0] == "Node"
    assert "KAITO made 1 node in dev, for 4.16 USD per hour (3,037 per month); none is an orphan." in ran.stdout
    assert "default-abcde" not in ran.stdout
    place.owners(claim_of_node())
    found = json.loads(place.run("dev", "--json").stdout)
    (node,) = found["pools"]
    assert (node["name"], node["state"], node["size"]) == (
        "kaito-chat-kc-model-x7k2p",
        "left",
        "Standard_NV36ads_A10_v5",
    )
    assert node["detail"].endswith("is gone, but the NodePool kaito-chat-kc-model keeps the node")
    assert found["next"] == "kubectl delete nodepools.karpenter.sh kaito-chat-kc-model"
    ran = place.run("dev", fails="get workspaces")
    assert ran.returncode == 3
    assert "the nodes of node auto-provisioning are in the cluster, which cannot be read" in said(ran)
