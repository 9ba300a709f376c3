"""Node pools and objects as Azure and the API server return them, for KAITO 0.6 and 0.12.

The labels are those of Azure/gpu-provisioner (0.3.7 and 0.4.1) and kaito-project/kaito (0.6.0 and 0.12.0).
"""

from typing import Any

POOL = "ws1a2b3c4d5"
LABELS = {
    "karpenter.sh/nodepool": "kaito",
    "kaito.sh/workspace": "kc-model",
    "kaito.sh/workspacenamespace": "kaito-chat",
    "kaito.sh/machine-type": "gpu",
}
KINDS = ("workspaces.kaito.sh", "ragengines.kaito.sh", "nodeclaims.karpenter.sh")


def agent_pool(
    name: str = POOL,
    *,
    labels: dict[str, str] | None = LABELS,
    created: str = "2026-11-20T09-30-00Z",
    power: str = "Running",
    spot: bool = False,
    **properties: Any,
) -> dict[str, Any]:
    """Return a node pool as Azure does; `properties` are Azure's, with short names for two."""
    short = {"size": "vmSize", "state": "provisioningState"}
    return {
        "id": f"/subscriptions/x/agentPools/{name}",
        "name": name,
        "type": "Microsoft.ContainerService/managedClusters/agentPools",
        "properties": {
            "count": 1,
            "vmSize": "Standard_NV36ads_A10_v5",
            "mode": "User",
            "type": "VirtualMachineScaleSets",
            "provisioningState": "Succeeded",
            "powerState": {"code": power},
            "scaleSetPriority": "Spot" if spot else "Regular",
            "nodeLabels": None if labels is None else {**labels, "kaito.sh/creation-timestamp": created},
            "nodeTaints": ["sku=gpu:NoSchedule"],
            **{short.get(key, key): value for key, value in properties.items()},
        },
    }


def workspace(name: str = "kc-model", *, namespace: str = "kaito-chat", made_by: str = "") -> dict[str, Any]:
    """Return a Workspace; `made_by` is the InferenceSet that made it."""
    labels = {"inferenceset.kaito.sh/created-by": made_by} if made_by else {}
    metadata = {"name": name, "namespace": namespace, **({"labels": labels} if labels else {})}
    return {"apiVersion": "kaito.sh/v1beta1", "kind": "Workspace", "metadata": metadata}


def node_claim(name: str = POOL, *, going: bool = False) -> dict[str, Any]:
    """Return a NodeClaim, perhaps one that is being deleted."""
    deleted = {"deletionTimestamp": "2026-11-23T10:00:00Z"} if going else {}
    metadata = {"name": name, "labels": LABELS, **deleted}
    return {"apiVersion": "karpenter.sh/v1", "kind": "NodeClaim", "metadata": metadata}


def claim_of_node(name: str = "kaito-chat-kc-model-x7k2p", **more: str) -> dict[str, Any]:
    """Return a NodeClaim of node auto-provisioning, with the labels of KAITO's NodePool; `more` are further labels."""
    labels = {
        "karpenter.sh/nodepool": "kaito-chat-kc-model",
        "karpenter.kaito.sh/workspace-name": "kc-model",
        "karpenter.kaito.sh/workspace-namespace": "kaito-chat",
        **more,
    }
    size = {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": ["Standard_NV36ads_A10_v5"]}
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodeClaim",
        "metadata": {"name": name, "labels": labels, "creationTimestamp": "2026-11-20T09:30:00Z"},
        "spec": {"requirements": [size]},
    }


def listed(*items: dict[str, Any]) -> dict[str, Any]:
    """Return the List that kubectl prints."""
    return {"apiVersion": "v1", "kind": "List", "items": list(items), "metadata": {"resourceVersion": ""}}


def crds(*names: str) -> str:
    """Return the names that kubectl prints for the definitions of custom resources."""
    prefix = "customresourcedefinition.apiextensions.k8s.io"
    return "".join(f"{prefix}/{name}\n" for name in names or KINDS)
