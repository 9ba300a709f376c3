"""`status` with the open-source KAITO: its controllers, the nodes of node auto-provisioning, and remedies."""

import shlex
from typing import Any

import pytest

from aks_kaito.settings import Environment, load
from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.status import models
from aks_kaito_cli.status.causes import causes, diagnose
from aks_kaito_cli.status.models import words_of
from aks_kaito_cli.status.questions import QUESTIONS, questions
from aks_kaito_cli.status.replicas import model_sets, replicas
from aks_kaito_cli.status.stages import current, steps
from aks_kaito_cli.status.symptoms import symptoms
from support.environments import altered
from support.kaito_cluster import (
    MODEL,
    NAMESPACE,
    NOW,
    PENDING_06,
    claim,
    cluster,
    event,
    workspace,
)
from support.project import ROOT, TODAY

HELM = {"distribution": "helm", "version": "0.12.0"}
POOLS = {**HELM, "provisioner": "gpu-provisioner"}
NODE_POOL = f"{NAMESPACE}-{MODEL}"
LABELS = {"karpenter.kaito.sh/workspace-name": MODEL, "karpenter.kaito.sh/workspace-namespace": NAMESPACE}


def environment(table: dict[str, Any]) -> Environment:
    return altered(load(ROOT / "environments" / "dev.toml", TODAY), kaito=table)


def key(**given: Any) -> str | None:
    """Return the key of the cause of the only model."""
    (replica,) = replicas(cluster(**given), NAMESPACE)
    step = current(steps(replica, NOW))
    assert step is not None
    diagnosis = diagnose(symptoms(replica, step), step.seconds)
    return diagnosis.cause.key if diagnosis else None


def test_controllers_are_found_in_their_namespaces() -> None:
    kubectl = Kubectl(NAMESPACE)
    assert questions(environment({}).settings) == QUESTIONS
    asked = questions(environment(POOLS).settings)
    assert list(asked) == list(QUESTIONS)
    words = shlex.join(asked["controllers"].of(kubectl))
    assert "get deployments --all-namespaces" in words
    assert "--selector 'app.kubernetes.io/name in (workspace, gpu-provisioner)'" in words


@pytest.mark.parametrize(
    ("table", "restarts"),
    [
        ({}, "kubectl --namespace kube-system rollout restart deployment/kaito-gpu-provisioner"),
        (POOLS, "kubectl --namespace gpu-provisioner rollout restart deployment/gpu-provisioner"),
    ],
)
def test_remedies_name_the_controllers_of_the_distribution(table: dict[str, Any], restarts: str) -> None:
    words = words_of(environment(table))
    found = {cause.key: cause.remedy.format(**words) for cause in causes()}
    namespace = "kaito-workspace" if table else "kube-system"
    assert found["webhook"] == f"kubectl --namespace {namespace} rollout restart deployment/kaito-workspace"
    assert found["provisioner"] == found["claim_stuck"] == restarts


def test_a_claim_of_node_auto_provisioning_is_the_models_and_in_no_pool() -> None:
    own = {**claim(), "metadata": {"name": f"{NODE_POOL}-x7k2p", "labels": LABELS}}
    waits = workspace(*PENDING_06, age=1000)
    (replica,) = replicas(cluster(workspaces=[waits], claims=[own]), NAMESPACE)
    assert [each["metadata"]["name"] for each in replica.claims] == [f"{NODE_POOL}-x7k2p"]
    # Azure has no pool for it, whatever its age.
    assert key(workspaces=[waits], claims=[own]) is None
    assert key(workspaces=[waits], claims=[claim()]) == "claim_stuck"


def test_events_of_replaced_claims_are_evidence() -> None:
    said = "InsufficientCapacityError: unable to fulfill capacity, SkuNotAvailable"
    events = [
        event("NodeClaim", f"{NODE_POOL}-other-bbbbb", "InsufficientCapacityError", "QuotaExceeded"),
        event("NodeClaim", f"{NODE_POOL}-aaaaa", "InsufficientCapacityError", said),
    ]
    assert key(workspaces=[workspace(*PENDING_06)], claim_events=events) == "sku"
    assert key(workspaces=[workspace(*PENDING_06)], claim_events=events[:1]) is None


@pytest.mark.parametrize("labels", [{}, {"kaito-chat/model": "other"}])
def test_a_model_that_sleeps_is_answered_with_its_schedule(labels: dict[str, str]) -> None:
    night = {"wakes": "07:30", "sleeps": "20:00", "days": ["Monday", "Friday"], "time_zone": "Europe/Rome"}
    found = altered(environment(HELM), model={"schedule": {**night, "replicas": 2}})
    given = cluster(sets=[{"metadata": {"name": "phi", "labels": labels}, "spec": {"replicas": 0}}])
    (asleep,) = model_sets(given)
    finding = models.asleep(asleep, found)
    assert (finding.subject, finding.state) == ("phi", "info")
    if labels:  # that of a model that the file does not have
        assert (finding.detail, finding.remedy) == ("is scaled to no replica", "")
        return
    expected = "is scaled to no replica; its schedule starts it at 07:30 (Europe/Rome) on Monday, Friday"
    assert finding.detail == expected
    assert finding.remedy == "kubectl --namespace kaito-chat scale inferenceset phi --replicas 2"
