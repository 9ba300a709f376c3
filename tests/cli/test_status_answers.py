"""The answer of a look: Azure on loopback, and a cluster whose answers are given."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aks_kaito.settings import Environment, load
from aks_kaito_cli.answers import Answer
from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.project import environment_named
from aks_kaito_cli.status.command import Status
from aks_kaito_cli.status.look import Look, look
from aks_kaito_cli.status.questions import Section
from aks_kaito_cli.status.reach import Cluster
from support.fake_azure import Credential, FakeAzure, Reply, error
from support.kaito_cluster import (
    ACTIVITY,
    CLAIM,
    CLUSTER,
    MODEL,
    NODE_READY_06,
    NODE_UP,
    NOW,
    PENDING_06,
    READY_06,
    SUBSCRIPTION,
    Given,
    azure_with_cluster,
    claim,
    cluster,
    condition,
    controllers,
    failed_operation,
    log,
    managed_cluster,
    pod,
    pool,
    running,
    workspace,
)
from support.project import TODAY
from support.stand_ins import DEV

READY: dict[str, Any] = {"workspaces": [workspace(*READY_06)], "pods": [pod(running(50), condition("Ready", "True"))]}
QUOTA = {"code": "ErrCode_InsufficientVCPUQuota", "message": "Insufficient vcpu quota requested 24, remaining 0"}

STARTS = condition("Progressing", "True", "ReplicaSetUpdated")
REFUSED = 'failed calling webhook "validation.workspace.kaito.sh": no endpoints available for service "kaito-workspace"'
SET_WITHOUT_WEBHOOK = {
    "metadata": {"name": "phi"},
    "spec": {"replicas": 1},
    "status": {"conditions": [condition("InferenceSetReady", "False", "inferencesetFailed", REFUSED)]},
}


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with azure_with_cluster() as fake:
        yield fake


@pytest.fixture
def environment() -> Environment:
    return environment_named("dev")


def seen(azure: FakeAzure, environment: Environment, given: Given) -> Look:
    arm = Arm(Credential(), azure.endpoint)
    return look(environment, arm, CLUSTER, given, NOW)  # type: ignore[arg-type]  # a stand-in for the reader


def answered(azure: FakeAzure, environment: Environment, found: Cluster) -> Answer:
    given = Given(found)
    arm = Arm(Credential(), azure.endpoint)
    status = Status(environment, arm, SUBSCRIPTION, given)  # type: ignore[arg-type]  # likewise
    return status.answer(seen(azure, environment, given), lambda _host: {"52.174.1.2"})


def states(found: Answer, *groups: str) -> dict[str, str]:
    return {each.subject: each.state for each in found.findings if each.group in groups}


def test_a_ready_model_is_one_sentence_and_a_command(azure: FakeAzure, environment: Environment) -> None:
    found = answered(azure, environment, cluster(**READY))
    assert (found.exit_status, found.sentence) == (0, f"dev is ready: {MODEL} answers.")
    assert found.next_command == "kubectl --namespace kaito-chat port-forward service/kaito-chat 8000:80"
    assert states(found, "Cluster", "Model") == {"Azure": "ok", "path": "ok", "KAITO version": "ok", MODEL: "ok"}
    assert azure.asked("eventtypes") == []


def test_a_model_on_its_way_is_not_decided_yet(azure: FakeAzure, environment: Environment) -> None:
    given = cluster(
        workspaces=[workspace(*NODE_READY_06)], pods=[pod(running(50))], logs=log("INFO loading", "INFO shard 3")
    )
    found = answered(azure, environment, given)
    assert found.exit_status == 3
    assert found.sentence == (
        f"dev: {MODEL} is not ready yet: model download and load since 50 s (typically 2 min 37 s)."
    )
    assert found.next_command == "make status ENV=dev WATCH=1"
    (model,) = found.more["models"]
    assert (model["last_words"], model["ready"], model["cause"]) == ("INFO shard 3", False, None)
    assert model["stages"][3] == {
        "stage": "model download and load",
        "state": "now",
        "seconds": 50.0,
        "typical_seconds": 157,
    }


def test_a_remedy_names_the_table_of_the_model(azure: FakeAzure, tmp_path: Path) -> None:
    path = tmp_path / "dev.toml"
    path.write_text(f'{DEV}\n[models.large]\npreset = "phi-4"\n', encoding="utf-8")
    several = load(path, TODAY)
    labels = {"labels": {"kaito-chat/model": "large"}}
    given = cluster(
        workspaces=[workspace(*NODE_READY_06, name="phi-4", metadata=labels)],
        pods=[pod(running(9), model="phi-4")],
        logs=log("torch.OutOfMemoryError: CUDA out of memory.", model="phi-4"),
    )
    found = answered(azure, several, given)
    assert found.sentence == "dev is not ready: the GPU has too little memory for phi-4."
    assert found.next_command.startswith("lower models.large.max_model_len in environments/dev.toml")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("95.5", "; the download takes 1 min 36 s more."),
        ("-1", "(typically 2 min 37 s)."),
        ("0", "37 s)."),
        ("NaN", "37 s)."),
    ],
)
def test_the_rest_of_a_download_is_said_while_it_is_known(
    azure: FakeAzure, environment: Environment, value: str, words: str
) -> None:
    metrics = (
        f"{MODEL}-0 kaito_model_download_remaining_seconds {value}\nother-0 kaito_model_download_remaining_seconds 900"
    )
    loading = cluster(workspaces=[workspace(*NODE_READY_06)], pods=[pod(running(50))], downloads=metrics)
    assert answered(azure, environment, loading).sentence.endswith(words)


def test_a_slow_stage_is_said_to_be_slow(azure: FakeAzure, environment: Environment) -> None:
    given = cluster(workspaces=[workspace(*NODE_READY_06)], pods=[pod(running(785))])
    assert "since 13 min 5 s, 5 times the typical 2 min 37 s" in answered(azure, environment, given).sentence


def test_a_refused_pool_is_found_in_the_activity_log(azure: FakeAzure, environment: Environment) -> None:
    azure.listed(f"{CLUSTER}/agentPools", pool("system"))
    azure.listed(ACTIVITY, {"status": {"value": "Succeeded"}}, failed_operation(QUOTA))
    found = answered(azure, environment, cluster(workspaces=[workspace(*PENDING_06)], claims=[claim()]))
    assert found.exit_status == 1
    assert found.sentence == (
        "dev is not ready: the subscription has no quota left for Standard_NC24ads_A100_v4 in westeurope."
    )
    (model,) = [each for each in found.findings if each.subject == MODEL]
    assert f"(activity log of node pool {CLAIM}: ErrCode_InsufficientVCPUQuota: Insufficient vcpu" in model.detail
    assert found.next_command == "az vm list-usage --location westeurope --output table"
    (asked,) = azure.asked("eventtypes")
    assert asked.query["$filter"] == [
        "eventTimestamp ge '2026-11-27T12:00:00Z' and resourceGroupName eq 'rg-kaito-dev-westeurope'"
    ]


def test_the_error_of_a_pool_is_read_with_its_details(azure: FakeAzure, environment: Environment) -> None:
    details = {"code": "Provisioning", "message": "failed", "details": [QUOTA]}
    azure.listed(f"{CLUSTER}/agentPools", pool(state="Failed", error=details))
    found = answered(azure, environment, cluster(workspaces=[workspace(*PENDING_06)], claims=[claim()]))
    (model,) = found.more["models"]
    assert model["cause"] == "quota"
    assert model["evidence"]["place"] == f"node pool {CLAIM}"


@pytest.mark.parametrize(
    ("properties", "sentence", "following"),
    [
        ({"powerState": {"code": "Stopped"}}, "the cluster is stopped", "az aks start --resource-group rg-kaito"),
        ({"provisioningState": "Deleting"}, "the cluster is being deleted", "make destroy ENV=dev CONFIRM=..."),
    ],
)
def test_a_cluster_that_does_not_run_is_not_read(
    azure: FakeAzure, environment: Environment, properties: dict[str, Any], sentence: str, following: str
) -> None:
    azure.answer(CLUSTER, managed_cluster(**properties))
    given = Given(cluster(**READY))
    assert seen(azure, environment, given).cluster.path == "none"
    assert given.hosts == []
    found = answered(azure, environment, given.found)
    assert found.exit_status == 1
    assert sentence in found.sentence
    assert found.next_command.startswith(following)


def test_a_cluster_that_is_not_there_is_to_be_deployed(azure: FakeAzure, environment: Environment) -> None:
    azure.answer(CLUSTER, error(404, "ResourceGroupNotFound"))
    found = answered(azure, environment, cluster(**READY))
    assert (found.exit_status, found.next_command) == (1, "make deploy ENV=dev TAG=...")
    assert states(found, "Cluster", "Model", "Chat", "Day two") == {"Azure": "blocker"}


@pytest.mark.parametrize(
    "reply",
    [
        error(403, "AuthorizationFailed", "The client does not have authorization"),
        error(401, "InvalidAuthenticationToken"),
        error(429, "TooManyRequests", Retry_After="600"),
        Reply(200, b"<html>"),
        Reply(400, b""),
    ],
)
def test_azure_that_does_not_say_is_never_a_pass(azure: FakeAzure, environment: Environment, reply: Reply) -> None:
    azure.answer(CLUSTER, reply)
    found = answered(azure, environment, cluster(**READY))
    assert found.exit_status == 3
    assert states(found, "Cluster", "Model") == {"Azure": "unknown", "path": "ok", "KAITO version": "ok", MODEL: "ok"}


def test_azure_alone_says_so_and_still_finds_a_failed_pool(azure: FakeAzure, environment: Environment) -> None:
    unread = Cluster("none", ("the API server does not answer from here", "cluster.run_command_enabled = false"))
    found = answered(azure, environment, unread)
    assert found.exit_status == 3
    assert found.sentence.endswith("the cluster cannot be read, and Azure alone shows no failed node pool.")
    assert found.next_command == "make status ENV=dev, inside the environment's network"
    (path,) = [each for each in found.findings if each.subject == "path"]
    assert path.detail.startswith("Azure's answers only: the API server does not answer from here; cluster.run_command")

    azure.listed(ACTIVITY, failed_operation(QUOTA, name="ws000000001"), failed_operation(QUOTA, name="ws000000001"))
    found = answered(azure, environment, unread)
    assert (found.exit_status, states(found, "Model")) == (1, {"node pool ws000000001": "blocker"})
    # A later try succeeded.
    azure.listed(f"{CLUSTER}/agentPools", pool("ws000000001"))
    assert states(answered(azure, environment, unread), "Model") == {}
    azure.answer(ACTIVITY, error(403, "AuthorizationFailed"))
    assert states(answered(azure, environment, unread), "Model") == {"activity log": "unknown"}


@pytest.mark.parametrize(
    ("given", "subject", "state", "words"),
    [
        ({}, "Workspaces", "blocker", "there is no Workspace in the namespace kaito-chat"),
        ({"workspaces": Section(absent=True)}, "Workspaces", "blocker", "does not know the kind Workspace"),
        ({"workspaces": Section(error="Forbidden")}, "Workspaces", "unknown", "Forbidden"),
        ({**READY, "controllers": []}, "KAITO", "blocker", "is missing"),
        ({**READY, "controllers": controllers(available=0)}, "KAITO", "blocker", "kaito-workspace is not available"),
        ({**READY, "controllers": Section(error="Forbidden")}, "KAITO", "unknown", "Forbidden"),
        ({**READY, "webhooks": []}, "KAITO's webhook", "warning", "there is no validation.workspace.kaito.sh"),
        ({**READY, "controllers": controllers()[:1]}, "KAITO version", "ok", "the cluster runs 0.6.0"),
        ({**READY, "chat": []}, "pods", "blocker", "the chat is not deployed"),
        ({**READY, "chat": Section(error="Forbidden")}, "pods", "unknown", "Forbidden"),
        ({**READY, "chat": [{"spec": {"replicas": 2}, "status": {"readyReplicas": 1}}]}, "pods", "warning", "1 of 2"),
        ({**READY, "chat": [{"spec": {"replicas": 2}, "status": {}}]}, "pods", "blocker", "0 of 2 are ready"),
        ({**READY, "chat": [{"spec": {"replicas": 0}}]}, "pods", "blocker", "scaled to no pod"),
        (
            {**READY, "chat": [{"spec": {"replicas": 1}, "status": {"conditions": [STARTS]}}]},
            "pods",
            "unknown",
            "0 of 1 are ready",
        ),
        ({"sets": [SET_WITHOUT_WEBHOOK]}, "phi", "blocker", "KAITO's controller or its webhook does not run"),
        ({**READY, "controllers": controllers("0.12.0")}, "KAITO version", "warning", 'but kaito.version = "0.6.0"'),
        ({**READY, "controllers": controllers("latest")}, "KAITO version", "unknown", "unknown"),
        ({"workspaces": [workspace(metadata={"deletionTimestamp": "x"})]}, MODEL, "unknown", "is being deleted"),
        ({"sets": [{"metadata": {"name": "phi"}, "spec": {"replicas": 0}}]}, "phi", "info", "scaled to no replica"),
        ({"sets": [{"metadata": {"name": "phi"}, "spec": {"replicas": 2}}]}, "phi", "unknown", "0 of 2 replicas"),
    ],
)
def test_the_parts_of_kaito_are_checked(
    azure: FakeAzure, environment: Environment, given: dict[str, Any], subject: str, state: str, words: str
) -> None:
    found = answered(azure, environment, cluster(**given))
    (finding,) = [each for each in found.findings if each.subject == subject]
    assert finding.state == state
    assert words in finding.detail


def test_the_webhook_is_the_cause_of_a_model_that_waits_for_it(azure: FakeAzure, environment: Environment) -> None:
    given = cluster(workspaces=[workspace(*PENDING_06)], controllers=controllers(available=0))
    (model,) = answered(azure, environment, given).more["models"]
    assert model["cause"] == "webhook"


def test_several_models_are_answered_together(azure: FakeAzure, environment: Environment) -> None:
    both = cluster(
        workspaces=[workspace(*READY_06), workspace(*NODE_READY_06, name="phi-4")],
        pods=[pod(running(50), condition("Ready", "True")), pod(running(9), model="phi-4")],
        claims=[claim(*NODE_UP, model="phi-4")],
    )
    found = answered(azure, environment, both)
    assert (found.exit_status, states(found, "Model")) == (3, {MODEL: "ok", "phi-4": "unknown"})
    assert "phi-4 is not ready yet" in found.sentence
