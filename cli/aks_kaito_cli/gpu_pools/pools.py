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
    """A node pool.

    Attributes:
        count: Number of nodes; None if Azure does not say.
        state: The state of Azure's last operation, such as Succeeded or Deleting.
        owner: The object that its labels name; None if KAITO did not make the pool.
        created: The time at which KAITO asked for it; None if it is unknown.
        is_stopped: The nodes are deallocated.
    """

    name: str
    size: str
    count: int | None
    state: str
    owner: Owner | None
    created: datetime | None
    is_spot: bool
    is_stopped: bool

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
