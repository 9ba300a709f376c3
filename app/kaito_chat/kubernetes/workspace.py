"""The conditions of KAITO Workspaces, read from the API server if the pod has the permission.

See: https://kaito-project.github.io/kaito/docs/quick-start
"""

from typing import Any

from kaito_chat.backends.responses import object_of
from kaito_chat.kubernetes.api_server import ApiServer
from kaito_chat.kubernetes.conditions import Conditions, by_type, has_status, message_of, time_of
from kaito_chat.kubernetes.failures import OF_NODES, Failure, failure_of
from kaito_chat.kubernetes.resources import Resource

# The conditions of KAITO 0.6 and 0.12, in the order in which they become true.
NODE_CONDITIONS = ("NodeClaimReady", "NodesReady", "ResourceReady")
SERVER_CONDITIONS = ("ModelMirrorReady", "InferenceReady", "BenchmarkCompleted", "WorkspaceSucceeded")
# KAITO 0.12's reason on `ResourceReady` when the nodes are ready but the model is not downloaded.
NOT_DOWNLOADED = "ModelMirrorNotReady"
# KAITO's label with the name of the InferenceSet that created a Workspace.
CREATED_BY = "inferenceset.kaito.sh/created-by"


class Workspaces:
    """The Workspaces of one namespace.

    Args:
        server: The API server.
        api_version: `kaito.sh/v1beta1`.
        namespace: The namespace; `None` for the pod's own.
    """

    def __init__(self, server: ApiServer, api_version: str, namespace: str | None) -> None:
        self._objects = Resource(server, api_version, namespace, "Workspace")

    async def conditions(self, name: str) -> Conditions | None:
        """Return a Workspace's conditions; `None` without a token, permission, Workspace or API server."""
        return await self._objects.find(name, conditions_of)

    async def created_by(self, inference_set: str) -> list[Conditions] | None:
        """Return the conditions of the Workspaces that an InferenceSet created, without those that are being deleted.

        KAITO gives them random names. `None` without a token, permission or API server.
        """
        found = await self._objects.select(CREATED_BY, inference_set, _staying)
        return None if found is None else [each for each in found if each]


def _staying(workspace: dict[str, Any]) -> Conditions | None:
    deleting = object_of(workspace.get("metadata")).get("deletionTimestamp")
    return None if deleting else conditions_of(workspace)


def conditions_of(workspace: dict[str, Any]) -> Conditions:
    """Return the conditions in a Workspace's status; of two that contradict each other, the worse one.

    KAITO 0.6 does not reset conditions when a node is lost, and reports a node's timeout in the summary only.
    """
    status, metadata = object_of(workspace.get("status")), object_of(workspace.get("metadata"))
    said = by_type(workspace)
    node = _node_ready(said)
    server = node and has_status(said.get("InferenceReady", said.get("WorkspaceSucceeded")), "True")
    lost = not node and (has_status(said.get("InferenceReady"), "True") or status.get("state") == "NotReady")
    failure, worst = _worst(said, node_ready=node)
    if lost and failure is None:
        failure = Failure.NODE_LOST
    ready = next((said[name] for name in ("ResourceReady", "NodesReady") if has_status(said.get(name), "True")), {})
    began = ready if node else said.get("ResourceReady", {}) if lost else {}
    return Conditions(
        node_ready=node,
        server_ready=server,
        since=time_of(began.get("lastTransitionTime", metadata.get("creationTimestamp"))),
        message="" if server and failure is None else message_of(worst),
        failure=failure,
    )


def _node_ready(conditions: dict[str, dict[str, Any]]) -> bool:
    """Return whether all conditions about nodes are true."""
    said = [conditions[name] for name in NODE_CONDITIONS if name in conditions]
    if conditions.get("ResourceReady", {}).get("reason") == NOT_DOWNLOADED:
        said = [each for each in said if each.get("type") != "ResourceReady"]
    summed_up = any(each.get("type") in ("ResourceReady", "NodesReady") for each in said)
    return summed_up and all(has_status(each, "True") for each in said)


def _worst(conditions: dict[str, dict[str, Any]], *, node_ready: bool) -> tuple[Failure | None, dict[str, Any]]:
    """Return the worst failure and its condition; without a failure, the condition of the pending step."""
    pending = [conditions[name] for name in NODE_CONDITIONS + SERVER_CONDITIONS if _pending(conditions.get(name))]
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
