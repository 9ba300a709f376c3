"""The wait of `status --watch`: its end, and the lines that it writes."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from aks_kaito.settings import Environment
from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.project import environment_named
from aks_kaito_cli.status import command
from aks_kaito_cli.status.command import Status
from aks_kaito_cli.status.look import Look, look
from aks_kaito_cli.status.reach import Cluster
from support.fake_azure import Credential, FakeAzure
from support.kaito_cluster import (
    CLUSTER,
    MODEL,
    NODE_READY_06,
    NOW,
    READY_06,
    SUBSCRIPTION,
    Given,
    azure_with_cluster,
    cluster,
    condition,
    log,
    pod,
    running,
    workspace,
)

READY: dict[str, Any] = {"workspaces": [workspace(*READY_06)], "pods": [pod(running(50), condition("Ready", "True"))]}


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


@pytest.mark.parametrize(
    ("given", "settled"),
    [
        (READY, True),
        ({}, True),
        ({"workspaces": [workspace(*NODE_READY_06)]}, False),
        (
            {"workspaces": [workspace(*NODE_READY_06)], "pods": [pod(running(5))], "logs": log("CUDA out of memory")},
            True,
        ),
        ({"sets": [{"metadata": {"name": "phi"}, "spec": {"replicas": 2}, "status": {"readyReplicas": 1}}]}, False),
    ],
)
def test_a_wait_ends_when_it_would_change_nothing(
    azure: FakeAzure,
    environment: Environment,
    given: dict[str, Any],
    settled: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert seen(azure, environment, Given(cluster(**given))).settled is settled


def test_a_wait_looks_again_and_writes_changes_only(
    azure: FakeAzure, environment: Environment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_PAUSE_SECONDS", {"direct": 0.01})
    loading = cluster(workspaces=[workspace(*NODE_READY_06)], pods=[pod(running(50))])
    looks = [loading, loading, cluster(**READY)]
    given = Given(loading)
    status = Status(environment, Arm(Credential(), azure.endpoint), SUBSCRIPTION, given)  # type: ignore[arg-type]

    def next_look(_status: Status) -> Look:
        given.found = looks.pop(0)
        return replace(seen(azure, environment, given), now=NOW)

    monkeypatch.setattr(Status, "look", next_look)
    found = command._watched(status, status.look(), 5)  # noqa: SLF001 - without the subcommand's start
    assert found.settled
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"12:00:00 {MODEL}: model download and load", f"12:00:00 {MODEL}: answers"]


def test_a_wait_survives_a_cluster_that_is_away_for_a_moment(
    azure: FakeAzure, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_PAUSE_SECONDS", {"direct": 0.01, "none": 0.01})
    loading = cluster(workspaces=[workspace(*NODE_READY_06)], pods=[pod(running(50))])
    away = Cluster("none", ("the API server does not answer from here",))
    for looks, last in (([loading, away, away, cluster(**READY)], "direct"), ([loading, away, away, away], "none")):
        given = Given(loading)
        status = Status(environment, Arm(Credential(), azure.endpoint), SUBSCRIPTION, given)  # type: ignore[arg-type]

        def next_look(_status: Status, looks: list[Cluster] = looks, given: Given = given) -> Look:
            given.found = looks.pop(0)
            return seen(azure, environment, given)

        monkeypatch.setattr(Status, "look", next_look)
        assert command._watched(status, status.look(), 5).cluster.path == last  # noqa: SLF001 - without the start
        assert looks == []


def test_a_wait_ends_in_time(azure: FakeAzure, environment: Environment) -> None:
    given = Given(cluster(workspaces=[workspace(*NODE_READY_06)]))
    status = Status(environment, Arm(Credential(), azure.endpoint), SUBSCRIPTION, given)  # type: ignore[arg-type]
    assert command._watched(status, status.look(), 0).settled is False  # noqa: SLF001 - likewise
