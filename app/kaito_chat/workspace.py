"""Reads a KAITO Workspace's conditions from the API server, where the pod may.

See: https://kaito-project.github.io/kaito/docs/quick-start
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from kaito_chat.api_server import ApiServer
from kaito_chat.backends.answers import json_of

# The conditions of 0.6 and of 0.12 that say that a step is done.
NODE_CONDITIONS = ("ResourceReady", "NodesReady", "NodeClaimReady")
SERVER_CONDITIONS = ("InferenceReady", "WorkspaceSucceeded")


@dataclass(frozen=True)
class Conditions:
    """How far a Workspace is.

    Attributes:
        node_ready: Its GPU nodes are there.
        server_ready: Its model server answers.
        since: When it was created, or when its nodes were ready if they are.
        message: What its controller says about the step that is not done.
    """

    node_ready: bool
    server_ready: bool
    since: datetime | None
    message: str = ""


class Workspaces:
    """The Workspaces of one namespace.

    Args:
        url: The API server.
        service_account_dir: Where the pod's token, CA certificate and namespace are mounted.
        api_version: `kaito.sh/v1beta1`.
        namespace: The pod's own when left out.
    """

    def __init__(self, url: str, service_account_dir: Path, api_version: str, namespace: str | None) -> None:
        self._server = ApiServer(url, service_account_dir)
        self._path = f"/apis/{api_version}/namespaces/{namespace or self._server.namespace}/workspaces/"

    async def conditions(self, name: str) -> Conditions | None:
        """A Workspace's conditions; `None` where there is no token, no permission, no Workspace or no API server."""
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
    """What a Workspace's status says."""
    status, metadata = workspace.get("status"), workspace.get("metadata")
    entries = status.get("conditions") if isinstance(status, dict) else None
    by_type = {entry.get("type"): entry for entry in entries or () if isinstance(entry, dict)}
    done = {name for name, entry in by_type.items() if entry.get("status") == "True"}
    server = bool(done.intersection(SERVER_CONDITIONS))
    node = server or bool(done.intersection(NODE_CONDITIONS[:2]))
    ready = next((by_type[name] for name in NODE_CONDITIONS[:2] if name in done), None)
    created = metadata.get("creationTimestamp") if isinstance(metadata, dict) else None
    pending = next((by_type[name] for name in (SERVER_CONDITIONS if node else NODE_CONDITIONS) if name in by_type), {})
    return Conditions(
        node_ready=node,
        server_ready=server,
        since=_time(ready.get("lastTransitionTime") if ready else created),
        message=str(pending.get("message", ""))[:200] if not server else "",
    )


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except ValueError:
        return None
