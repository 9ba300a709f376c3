"""Conditions of Workspaces as KAITO writes them."""

from typing import Any

CREATED, LATER = "2026-11-24T09:50:00Z", "2026-11-24T10:30:00Z"
QUOTA = (
    'creating instance, creating agentpool "ws1": RESPONSE 400: ERROR CODE: QuotaExceeded: Operation could not be '
    "completed as it results in exceeding approved standardNCADSA100v4Family Cores quota. Additional Required: 24"
)


def condition(kind: str, status: str, reason: str, message: str = "", at: str = CREATED) -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": at}


def workspace(*conditions: dict[str, str], state: str = "") -> dict[str, Any]:
    status: dict[str, Any] = {"conditions": list(conditions)} | ({"state": state} if state else {})
    return {"metadata": {"creationTimestamp": CREATED}, "status": status}


# KAITO 0.6: pkg/workspace/controllers/workspace_controller.go
CREATED_CLAIMS = condition("ResourceReady", "False", "workspaceResourceCreated", "nodeclaims created successfully")
PENDING_CLAIMS = condition("NodeClaimReady", "Unknown", "CreateNodeClaimPending", "creating 1 nodeClaims")
TIMED_OUT = "check nodeClaim status timed out. nodeClaim ws1 is not ready"
DEPLOYED = condition(
    "InferenceReady", "True", "WorkspaceInferenceStatusSuccess", "Inference has been deployed successfully"
)
SUCCEEDED = condition("WorkspaceSucceeded", "True", "workspaceSucceeded", "workspace succeeds")
CLAIMS = condition("NodeClaimReady", "True", "installNodePluginsSuccess", "nodeClaim plugins have been installed")
RESOURCE = condition("ResourceReady", "True", "workspaceResourceStatusSuccess", "workspace resource is ready", LATER)
# KAITO 0.12: pkg/nodeprovision, and applyInferenceWorkspaceStatus
NODES = condition("NodesReady", "True", "NodesReady", "Enough Nodes are ready")
NO_NODES = condition("NodesReady", "False", "NodeNotReady", "Not enough Nodes are ready")
WAITS = condition(
    "WorkspaceSucceeded", "False", "workspacePending", "workspace is waiting for inference workload readiness"
)
INFERENCE_WAITS = condition(
    "InferenceReady", "False", "WorkspaceInferenceStatusPending", "Inference workload is not ready"
)


def claims(reason: str, message: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the conditions to which 0.12 writes Karpenter's reason: of the claims and of the resource."""
    return condition("NodeClaimReady", "False", reason, message), condition("ResourceReady", "False", reason, message)


def inference(reason: str, message: str) -> dict[str, str]:
    return condition("InferenceReady", "False", reason, message)
