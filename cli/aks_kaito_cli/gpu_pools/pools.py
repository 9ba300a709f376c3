"""Node pools of the cluster, as Azure knows them, and which of them KAITO made.

See: https://github.com/Azure/gpu-provisioner/blob/v0.4.1/pkg/providers/instance/instance.go
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

# Labels of nodes. KAITO 0.6 and 0.12 give them to the NodeClaim, and its provisioner to the pool of the same name.
_OWNERS = {
    "Workspace": ("kaito.sh/workspace", "kaito.sh/workspacenamespace"),
    "RAGEngine": ("kaito.sh/ragengine", "kaito.sh/ragenginenamespace"),
}
_FROM_CLAIM = "karpenter.sh/nodepool"
# KAITO 0.12 gives these to the NodePool that it makes for node auto-provisioning, and so to its NodeClaims.
# See: https://github.com/kaito-project/kaito/blob/v0.12.0/pkg/utils/consts/consts.go
_KARPENTER_OWNER = ("karpenter.kaito.sh/workspace-name", "karpenter.kaito.sh/workspace-namespace")
_SIZE, _CAPACITY = "node.kubernetes.io/instance-type", "karpenter.sh/capacity-type"
_CREATED, _CREATED_FORM = "kaito.sh/creation-timestamp", "%Y-%m-%dT%H-%M-%SZ"


class Owner(NamedTuple):
    """The object for which KAITO made a pool."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """Return the words for a message."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Pool:
    """A node pool of AKS, or a node of node auto-provisioning, which is a virtual machine in no pool.

    Attributes:
        count: Number of nodes; None if Azure does not say.
        state: The state of Azure's last operation, such as Succeeded or Deleting.
        owner: The object that its labels name; None if KAITO did not make the pool.
        created: The time at which KAITO asked for it; None if it is unknown.
        is_stopped: The nodes are deallocated.
        node_pool: Karpenter's NodePool of a node that is in no pool of AKS; empty for a pool.
    """

    name: str
    size: str
    count: int | None
    state: str
    owner: Owner | None
    created: datetime | None
    is_spot: bool
    is_stopped: bool
    node_pool: str = ""

    @property
    def is_going(self) -> bool:
        """Whether Azure deletes the pool already."""
        return self.state == "Deleting"


def of_answer(answer: Mapping[str, Any], terraforms: frozenset[str]) -> Pool:
    """Return the pool in Azure's answer; those of `terraforms`, and system pools, are never KAITO's."""
    properties = answer["properties"]
    labels = properties.get("nodeLabels") or {}
    name = str(answer["name"])
    is_kaitos = properties.get("mode") != "System" and name not in terraforms and _FROM_CLAIM in labels
    return Pool(
        name=name,
        size=str(properties["vmSize"]),
        count=None if properties.get("count") is None else int(properties["count"]),
        state=str(properties.get("provisioningState") or ""),
        owner=_owner(labels) if is_kaitos else None,
        created=_created(labels.get(_CREATED)),
        is_spot=properties.get("scaleSetPriority") == "Spot",
        is_stopped=(properties.get("powerState") or {}).get("code") == "Stopped",
    )


def of_claim(item: Mapping[str, Any]) -> Pool:
    """Return the node of a NodeClaim; its owner is None if KAITO did not make it."""
    metadata = item["metadata"]
    labels: Mapping[str, str] = metadata.get("labels") or {}
    name, namespace = _KARPENTER_OWNER
    is_karpenters = bool(labels.get(name))
    created = metadata.get("creationTimestamp")
    return Pool(
        name=str(metadata["name"]),
        size=str(labels.get(_SIZE) or _required_size(item)),
        count=1,
        state="",
        owner=Owner("Workspace", str(labels.get(namespace) or ""), labels[name]) if is_karpenters else _owner(labels),
        created=datetime.fromisoformat(created) if created else None,
        is_spot=labels.get(_CAPACITY) == "spot",
        is_stopped=False,
        node_pool=str(labels.get(_FROM_CLAIM) or "") if is_karpenters else "",
    )


def _required_size(item: Mapping[str, Any]) -> str:
    """Return the size that a NodeClaim requires, before it has a node; empty if it leaves the choice."""
    required = (item.get("spec") or {}).get("requirements") or []
    values = [each.get("values") or [] for each in required if each.get("key") == _SIZE]
    return str(values[0][0]) if values and len(values[0]) == 1 else ""


def _owner(labels: Mapping[str, str]) -> Owner | None:
    for kind, (name, namespace) in _OWNERS.items():
        if labels.get(name):
            return Owner(kind, str(labels.get(namespace) or ""), str(labels[name]))
    return None


def _created(text: object) -> datetime | None:
    try:
        return datetime.strptime(str(text), _CREATED_FORM).replace(tzinfo=UTC)
    except ValueError:
        return None
