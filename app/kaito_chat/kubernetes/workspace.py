"""The conditions of KAITO Workspaces, read from the API server if the pod has the permission.

See: https://kaito-project.github.io/kaito/docs/quick-start
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from kaito_chat.backends.responses import json_of, object_of
from kaito_chat.kubernetes.api_server import ApiServer
from kaito_chat.kubernetes.failures import OF_NODES, Failure, failure_of

# The conditions of KAITO 0.6 and 0.12, in the order in which they become true.
NODE_CONDITIONS = ("NodeClaimReady", "NodesReady", "ResourceReady")
SERVER_CONDITIONS = ("ModelMirrorReady", "InferenceReady", "BenchmarkCompleted", "WorkspaceSucceeded")
# KAITO 0.12's reason on `ResourceReady` when the nodes are ready but the model is not downloaded.
NOT_DOWNLOADED = "ModelMirrorNotReady"
LONGEST_MESSAGE = 300


@dataclass(frozen=True)
class Conditions:
    """The progress of a Workspace.

    Attributes:
        node_ready: Whether its GPU nodes are ready.
        server_ready: Whether its model server is ready.
        since: When the present step began: the creation, the nodes' readiness, or their loss.
        message: The controller's message about the error, or about the pending step.
        failure: The reason why it cannot become ready; `None` while it is in progress.
    """

    node_ready: bool
    server_ready: bool
    since: datetime | None
    message: str = ""
    failure: Failure | None = None


class Workspaces:
    """The Workspaces of one namespace.

    Args:
        url: The base URL of the API server.
        service_account_dir: The mount path of the pod's token, CA certificate and namespace.
        api_version: `kaito.sh/v1beta1`.
        namespace: The namespace; `None` for the pod's own.
    """

    def __init__(self, url: str, service_account_dir: Path, api_version: str, namespace: str | None) -> None:
        self._server = ApiServer(url, service_account_dir)
        self._path = f"/apis/{api_version}/namespaces/{namespace or self._server.namespace}/workspaces/"

    async def conditions(self, name: str) -> Conditions | None:
        """Return a Workspace's conditions; `None` without a token, permission, Workspace or API server."""
        if not self._server.has_token:
            return None
        try:
            response = await self._server.request("GET", self._path + name)
        except (httpx.HTTPError, OSError):
            return None
        found = json_of(response)
        return conditions_of(found) if response.is_success and isinstance(found, dict) else None

    async def close(self) -> None:
        """Close the connection to the API server."""
        await self._server.close()


def conditions_of(workspace: dict[str, object]) -> Conditions:
    """Return the conditions in a Workspace's status; of two that contradict each other, the worse one.

    KAITO 0.6 does not reset conditions when a node is lost, and reports a node's timeout in the summary only.
    """
    status, metadata = object_of(workspace.get("status")), object_of(workspace.get("metadata"))
    entries = status.get("conditions")
    entries = entries if isinstance(entries, list) else []
    by_type = {str(entry.get("type")): entry for entry in entries if isinstance(entry, dict)}
    node = _node_ready(by_type)
    server = node and _is(by_type.get("InferenceReady", by_type.get("WorkspaceSucceeded")), "True")
    lost = not node and (_is(by_type.get("InferenceReady"), "True") or status.get("state") == "NotReady")
    failure, worst = _worst(by_type, node_ready=node)
    if lost and failure is None:
        failure = Failure.NODE_LOST
    ready = next((by_type[name] for name in ("ResourceReady", "NodesReady") if _is(by_type.get(name), "True")), {})
    message = "" if server and failure is None else " ".join(str(worst.get("message", "")).split())
    began = ready if node else by_type.get("ResourceReady", {}) if lost else {}
    return Conditions(
        node_ready=node,
        server_ready=server,
        since=_time(began.get("lastTransitionTime", metadata.get("creationTimestamp"))),
        message=message[:LONGEST_MESSAGE],
        failure=failure,
    )


def _is(condition: object, status: str) -> bool:
    return object_of(condition).get("status") == status


def _node_ready(by_type: dict[str, dict[str, Any]]) -> bool:
    """Return whether all conditions about nodes are true."""
    said = [by_type[name] for name in NODE_CONDITIONS if name in by_type]
    if by_type.get("ResourceReady", {}).get("reason") == NOT_DOWNLOADED:
        said = [each for each in said if each.get("type") != "ResourceReady"]
    summed_up = any(each.get("type") in ("ResourceReady", "NodesReady") for each in said)
    return summed_up and all(_is(each, "True") for each in said)


def _worst(by_type: dict[str, dict[str, Any]], *, node_ready: bool) -> tuple[Failure | None, dict[str, Any]]:
    """Return the worst failure and its condition; without a failure, the condition of the pending step."""
    pending = [by_type[name] for name in NODE_CONDITIONS + SERVER_CONDITIONS if _pending(by_type.get(name))]
    found = [(failure_of(str(each.get("reason", "")), str(each.get("message", ""))), each) for each in pending]
    # The summary of 0.6 keeps a node's timeout until the server is ready, even if the node appeared later.
    found = [(why, each) for why, each in found if not (node_ready and why in OF_NODES)]
    told = [(why, each) for why, each in found if why]
    known = [(why, each) for why, each in told if why is not Failure.FAILED]
    if told:
        return (known or told)[0]
    step = SERVER_CONDITIONS if node_ready else NODE_CONDITIONS
    return None, next((each for _, each in found if each.get("type") in step), {})


def _pending(condition: dict[str, Any] | None) -> bool:
    return condition is not None and condition.get("status") != "True"


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except ValueError:
        return None
