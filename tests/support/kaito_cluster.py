"""Objects of a cluster with KAITO, in the forms that its programs write."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from aks_kaito_cli.status.questions import QUESTIONS, Section, answered
from aks_kaito_cli.status.reach import Cluster, Path
from support.fake_azure import FakeAzure
from support.fake_azure import running as azure_running

Object = dict[str, Any]
NOW = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)
NAMESPACE = "kaito-chat"
MODEL = "phi-4-mini-instruct"
CLAIM = "ws8f3b6a1c2"
SIZE = "Standard_NC24ads_A100_v4"
SUBSCRIPTION = "5f7ad2c8-6a0e-4b43-9d9c-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-kaito-dev-westeurope"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-kaito-dev-westeurope"
VERSIONS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerService/locations/westeurope/kubernetesVersions"
ACTIVITY = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values"


def ago(seconds: float) -> str:
    """Return a time as Kubernetes writes it."""
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(kind: str, status: str, reason: str = "", message: str = "", since: float = 0) -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": ago(since)}


def workspace(*conditions: Object, name: str = MODEL, age: float = 120, **more: Any) -> Object:
    """A Workspace; `resource` is no part of a spec."""
    return {
        "apiVersion": "kaito.sh/v1beta1",
        "kind": "Workspace",
        "metadata": {"name": name, "namespace": NAMESPACE, "creationTimestamp": ago(age), **more.pop("metadata", {})},
        "resource": {"instanceType": SIZE, "count": 1},
        "inference": {"preset": {"name": name}},
        "status": {"conditions": list(conditions), **more},
    }


def claim(*conditions: Object, name: str = CLAIM, model: str = MODEL, namespace: str = NAMESPACE) -> Object:
    labels = {"kaito.sh/workspace": model, "kaito.sh/workspacenamespace": namespace}
    return {
        "kind": "NodeClaim",
        "metadata": {"name": name, "labels": labels},
        "status": {"conditions": list(conditions)},
    }


def pod(container: Object, *conditions: Object, model: str = MODEL, **status: Any) -> Object:
    return {
        "kind": "Pod",
        "metadata": {"name": f"{model}-0", "namespace": NAMESPACE, "labels": {"kaito.sh/workspace": model}},
        "status": {
            "phase": "Pending",
            "conditions": list(conditions) or [condition("PodScheduled", "True")],
            "containerStatuses": [{"name": model, "restartCount": 0, **container}],
            **status,
        },
    }


def waiting(reason: str, message: str = "", **more: Any) -> Object:
    return {"state": {"waiting": {"reason": reason, "message": message}}, **more}


def running(since: float, **more: Any) -> Object:
    return {"state": {"running": {"startedAt": ago(since)}}, **more}


def event(kind: str, name: str, reason: str, message: str, type_: str = "Warning") -> Object:
    return {"type": type_, "reason": reason, "message": message, "involvedObject": {"kind": kind, "name": name}}


def log(*lines: str, model: str = MODEL, since: float = 60) -> str:
    """Lines as `kubectl logs --prefix --timestamps` prints them."""
    return "".join(f"[pod/{model}-0/{model}] {ago(since)} {each}\n" for each in lines)


def controllers(version: str = "0.6.0", available: int = 1) -> list[Object]:
    image = f"mcr.microsoft.com/aks/kaito/workspace:{version}"
    return [
        {
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {"template": {"spec": {"containers": [{"image": image}]}}},
            "status": {"availableReplicas": available} if available else {},
        }
        for name in ("kaito-workspace", "kaito-gpu-provisioner")
    ]


def answers(**given: Any) -> dict[str, Section]:
    """Return a section for each question; KAITO runs, and everything else is empty unless it is given."""
    chat = {"metadata": {"name": "kaito-chat"}, "spec": {"replicas": 2}, "status": {"readyReplicas": 2}}
    running_kaito: dict[str, Any] = {
        "chat": [chat],
        "controllers": controllers(),
        "webhooks": [{"kind": "ValidatingWebhookConfiguration"}],
    }
    known = {**running_kaito, **given}
    return {key: _section(key, known.get(key, [])) for key in QUESTIONS}


def _section(key: str, value: Any) -> Section:
    if isinstance(value, Section):
        return value
    return answered(
        key, value if isinstance(value, str) else json.dumps({"kind": "List", "items": value}) if value else ""
    )


def cluster(path: Path = "direct", reasons: tuple[str, ...] = (), **given: Any) -> Cluster:
    return Cluster(path, reasons, answers(**given))


# The stages of a Workspace of KAITO 0.6.
PENDING_06 = (
    condition("NodeClaimReady", "Unknown", "CreateNodeClaimPending", "creating 1 nodeClaims"),
    condition("ResourceReady", "False", "workspaceResourceCreated", "nodeclaims created successfully"),
    condition("WorkspaceSucceeded", "False", "workspacePending", "workspace has not completed"),
)
NODE_READY_06 = (
    condition("NodeClaimReady", "True", "installNodePluginsSuccess", "plugins have been installed", since=190),
    condition("ResourceReady", "True", "workspaceResourceStatusSuccess", "workspace resource is ready", since=190),
)
READY_06 = (
    *NODE_READY_06,
    condition("InferenceReady", "True", "WorkspaceInferenceStatusSuccess", "Inference has been deployed", since=10),
    condition("WorkspaceSucceeded", "True", "workspaceSucceeded", "workspace succeeds", since=10),
)
# And of 0.12.
NODE_READY_12 = (
    condition("NodeClaimReady", "True", "NodeClaimsReady", since=300),
    condition("NodesReady", "True", "NodesReady", since=190),
    condition("ResourceReady", "True", "workspaceResourceStatusSuccess", since=190),
    condition("InferenceReady", "False", "WorkspaceInferenceStatusPending", "Inference workload is not ready"),
    condition("BenchmarkCompleted", "False", "BenchmarkPending", "benchmark has not completed"),
)
NODE_UP = (
    condition("Launched", "True", "Launched", since=400),
    condition("Registered", "True", "Registered", since=316),
)


def pool(name: str = CLAIM, state: str = "Succeeded", error: Object | None = None, **more: Any) -> Object:
    labels = {"kaito.sh/workspace": MODEL} if name.startswith("ws") else {}
    status = {"status": {"provisioningError": error}} if error else {}
    return {
        "name": name,
        "properties": {
            "provisioningState": state,
            "vmSize": SIZE if name.startswith("ws") else "Standard_D4ads_v5",
            "nodeLabels": labels,
            "nodeImageVersion": "AKSUbuntu-2404gen2containerd-202611.10.0",
            "powerState": {"code": "Running"},
            **status,
            **more,
        },
    }


def managed_cluster(**properties: Any) -> Object:
    return {
        "name": "aks-kaito-dev-westeurope",
        "properties": {
            "provisioningState": "Succeeded",
            "powerState": {"code": "Running"},
            "currentKubernetesVersion": "1.35.2",
            "kubernetesVersion": "1.35",
            "supportPlan": "KubernetesOfficial",
            **properties,
        },
    }


def failed_operation(error: Object, name: str = CLAIM, since: float = 60) -> Object:
    """An event of the activity log; its status message is JSON in a text."""
    return {
        "eventTimestamp": ago(since),
        "resourceId": f"{CLUSTER}/agentPools/{name}",
        "operationName": {"value": "Microsoft.ContainerService/managedClusters/agentPools/write"},
        "status": {"value": "Failed"},
        "properties": {"statusMessage": json.dumps({"status": "Failed", "error": error})},
    }


@contextmanager
def azure_with_cluster() -> Iterator[FakeAzure]:
    """Run a fake of Azure with the cluster, its pools and no failed operation."""
    with azure_running() as fake:
        fake.answer(CLUSTER, managed_cluster())
        fake.listed(f"{CLUSTER}/agentPools", pool("system"), pool())
        fake.listed(ACTIVITY)
        fake.answer(VERSIONS, {"values": [{"version": "1.35"}, {"version": "1.36"}]})
        yield fake


class Given:
    """A reader whose answers are given."""

    def __init__(self, found: Cluster) -> None:
        self.found = found
        self.hosts: list[str] = []

    def read(self, host: str) -> Cluster:
        self.hosts.append(host)
        return self.found

    def close(self) -> None:
        """Close nothing."""
