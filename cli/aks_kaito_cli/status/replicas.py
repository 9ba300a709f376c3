"""The models in the cluster: each Workspace with its NodeClaims, pods, events and logs.

KAITO 0.6 has Workspaces only, in 0.12 an InferenceSet makes one for each replica.
See: https://github.com/kaito-project/kaito/blob/v0.12.0/api/v1beta1/condition_types.go
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from aks_kaito.settings.model import DEFAULT
from aks_kaito_cli.status.objects import Condition, Object, at, conditions, label, listed, name, text, time
from aks_kaito_cli.status.reach import Cluster

_WORKSPACE, _WORKSPACE_NAMESPACE = "kaito.sh/workspace", "kaito.sh/workspacenamespace"
# Labels of the NodeClaims of node auto-provisioning, whose names begin with that of the Workspace's NodePool.
KARPENTERS_WORKSPACE = "karpenter.kaito.sh/workspace-name"
_KARPENTERS_NAMESPACE = "karpenter.kaito.sh/workspace-namespace"
# The chart's label, which the objects of `[model]` do not have.
_KEY = "kaito-chat/model"
_SET = "inferenceset.kaito.sh/created-by"
# Conditions on nodes; of them, this reason is about the model's download.
_NODE_CONDITIONS = ("NodeClaimReady", "NodesReady", "ResourceReady")
_NOT_DOWNLOADED = "ModelMirrorNotReady"
# -1 while it is unknown, 0 when the download has ended.
_REMAINING = re.compile(
    r"(?P<pod>\S+) kaito_model_download_remaining_seconds(\{[^}]*\})? (?P<seconds>-?[\d.]+(e[+-]?\d+)?)"
)
_LOG_LINE = re.compile(r"\[pod/(?P<pod>[^/\]]+)/(?P<container>[^\]]+)\] (?P<time>\S+) ?(?P<text>.*)")


@dataclass(frozen=True)
class LogLine:
    """A line of a container's log."""

    pod: str
    time: datetime | None
    text: str


@dataclass(frozen=True)
class Replica:
    """One Workspace.

    Attributes:
        key: The model's key in the environment's file.
        model: The name by which users know it: the InferenceSet's, or its own.
        conditions: Its conditions by type.
        remaining_seconds: The rest of the model's download, where KAITO measures it.
        log: The last lines of its server, of the present run and of the one before.
    """

    name: str
    key: str
    model: str
    created: datetime | None
    deleted: bool
    size: str
    state: str
    conditions: dict[str, Condition]
    claims: tuple[Object, ...]
    pods: tuple[Object, ...]
    pod_events: tuple[Object, ...]
    claim_events: tuple[Object, ...]
    remaining_seconds: float | None
    log: tuple[LogLine, ...]
    previous: tuple[LogLine, ...]

    @property
    def pod(self) -> Object:
        """Its server's first pod; empty if there is none."""
        return self.pods[0] if self.pods else {}

    @property
    def nodes_ready(self) -> bool:
        """Whether all conditions on nodes are true."""
        found = [self.conditions[each] for each in _NODE_CONDITIONS if each in self.conditions]
        found = [each for each in found if each.reason != _NOT_DOWNLOADED]
        summed_up = any(each.type in ("ResourceReady", "NodesReady") for each in found)
        return summed_up and all(each.true for each in found)

    @property
    def ready(self) -> bool:
        """Whether it answers; KAITO 0.6 keeps the conditions of a server that crashed, so that a pod is asked too.

        See: https://github.com/kaito-project/kaito/issues/931
        """
        summary = self.conditions.get("InferenceReady") or self.conditions.get("WorkspaceSucceeded")
        said = summary is not None and summary.true and not self.deleted and self.state not in ("NotReady", "Failed")
        return said and (not self.pods or any(is_ready(pod) for pod in self.pods))


@dataclass(frozen=True)
class ModelSet:
    """An InferenceSet: the key of its model, the number of its replicas, and of the ready ones."""

    name: str
    key: str
    wanted: int
    ready: int
    conditions: dict[str, Condition]


def is_ready(pod: Object) -> bool:
    """Return whether a pod's condition Ready is true."""
    found = conditions(pod).get("Ready")
    return found is not None and found.true


def model_sets(cluster: Cluster) -> list[ModelSet]:
    """Return all InferenceSets of the namespace; none where the cluster does not know the kind."""
    return [
        ModelSet(
            name(each),
            label(each, _KEY) or DEFAULT,
            _number(at(each, "spec", "replicas"), 1),
            _number(at(each, "status", "readyReplicas"), 0),
            conditions(each),
        )
        for each in cluster.items("sets")
    ]


def replicas(cluster: Cluster, namespace: str) -> list[Replica]:
    """Return all Workspaces of the namespace that serve a model, by name."""
    served = (each for each in cluster.items("workspaces") if at(each, "tuning") is None)
    return sorted((_replica(cluster, each, namespace) for each in served), key=lambda each: each.name)


def _replica(cluster: Cluster, workspace: Object, namespace: str) -> Replica:
    own = name(workspace)
    claims = tuple(each for each in cluster.items("claims") if _belongs(each, own, namespace))
    pods = tuple(each for each in cluster.items("pods") if label(each, _WORKSPACE) == own)
    names = {name(each) for each in pods}
    return Replica(
        name=own,
        key=label(workspace, _KEY) or _key_of_set(cluster, label(workspace, _SET)) or DEFAULT,
        model=label(workspace, _SET) or own,
        created=time(at(workspace, "metadata", "creationTimestamp")),
        deleted=at(workspace, "metadata", "deletionTimestamp") is not None,
        # `resource` is at the top of a Workspace, not in a spec.
        size=text(workspace, "resource", "instanceType"),
        state=text(workspace, "status", "state"),
        conditions=conditions(workspace),
        claims=claims,
        pods=tuple(sorted(pods, key=name)),
        pod_events=tuple(each for each in cluster.items("events") if text(each, "involvedObject", "name") in names),
        claim_events=tuple(_claim_events(cluster, claims, f"{namespace}-{own}")),
        remaining_seconds=_remaining(cluster.text("downloads"), names),
        log=tuple(each for each in _lines(cluster.text("logs")) if each.pod in names),
        previous=tuple(each for each in _lines(cluster.text("previous")) if each.pod in names),
    )


def _key_of_set(cluster: Cluster, own: str) -> str:
    """Return the key of the InferenceSet that made a Workspace; empty if it has none."""
    return next((label(each, _KEY) for each in cluster.items("sets") if own and name(each) == own), "")


def _claim_events(cluster: Cluster, claims: tuple[Object, ...], node_pool: str) -> Iterator[Object]:
    """Yield the events of NodeClaims, and of earlier ones of the NodePool: Karpenter replaces one that gets no node."""
    names = {name(claim) for claim in claims}
    for event in cluster.items("claim_events"):
        of = text(event, "involvedObject", "name")
        if of in names or re.fullmatch(rf"{re.escape(node_pool)}-[a-z0-9]{{5}}", of):
            yield event


def _belongs(claim: Object, workspace: str, namespace: str) -> bool:
    """Return whether a NodeClaim is of a Workspace; NodeClaims are in no namespace."""
    return any(
        label(claim, of) == workspace and label(claim, place) in ("", namespace)
        for of, place in ((_WORKSPACE, _WORKSPACE_NAMESPACE), (KARPENTERS_WORKSPACE, _KARPENTERS_NAMESPACE))
    )


def _lines(log: str) -> Iterator[LogLine]:
    for each in log.splitlines():
        if match := _LOG_LINE.fullmatch(each):
            yield LogLine(match["pod"], time(match["time"]), match["text"])


def _remaining(metrics: str, pods: set[str]) -> float | None:
    """Return the longest remaining time of some pods' downloads; a negative one is unknown."""
    found = [_REMAINING.fullmatch(each) for each in metrics.splitlines()]
    seconds = [float(each["seconds"]) for each in found if each and each["pod"] in pods]
    return max((each for each in seconds if each > 0), default=None)


def _number(value: object, missing: int) -> int:
    return value if isinstance(value, int) else missing


def containers(pod: Object) -> list[Object]:
    """Return the states of all containers of a pod, those that run before the server first."""
    return [*listed(pod, "status", "initContainerStatuses"), *listed(pod, "status", "containerStatuses")]
