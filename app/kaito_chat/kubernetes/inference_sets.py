"""The number of replicas of KAITO InferenceSets, by their `scale` subresource.

See: https://kaito-project.github.io/kaito/docs/inference
See: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#scale-subresource
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from kaito_chat.backends.responses import bounded, json_of, object_of
from kaito_chat.kubernetes.api_server import ApiServer

MERGE_PATCH = "application/merge-patch+json"
# Another client may change the object between our read and our write.
MOST_CONFLICTS = 3


class ScaleError(Exception):
    """The API server did not scale an InferenceSet.

    Attributes:
        reason: `forbidden`, `missing`, `unreachable` or `failed`.
        said: The API server's message.
    """

    def __init__(self, reason: str, said: str = "") -> None:
        super().__init__(f"{reason}: {said}" if said else reason)
        self.reason = reason
        self.said = said


class InferenceSets:
    """The InferenceSets of one namespace.

    Args:
        url: The base URL of the API server.
        service_account_dir: The mount path of the pod's token, CA certificate and namespace.
        api_version: `kaito.sh/v1beta1`.
        namespace: The namespace; `None` for the pod's own.
    """

    def __init__(self, url: str, service_account_dir: Path, api_version: str, namespace: str | None) -> None:
        self._server = ApiServer(url, service_account_dir)
        self._path = f"/apis/{api_version}/namespaces/{namespace or self._server.namespace}/inferencesets/"

    async def replicas(self, name: str) -> int | None:
        """Return the number of replicas that an InferenceSet is to have; `None` if it cannot be read."""
        if not self._server.has_token:
            return None
        try:
            return _wanted(await self._request("GET", name))
        except ScaleError:
            return None

    async def wake(self, name: str, replicas: int) -> bool:
        """Start the replicas of an InferenceSet that has none; return whether it had none.

        Raises:
            ScaleError: The API server refuses, fails or does not answer.
        """
        return await self._change(name, lambda found: replicas if found == 0 else found)

    async def at_least(self, name: str, replicas: int) -> bool:
        """Start replicas up to this number; return whether there were fewer.

        Raises:
            ScaleError: The API server refuses, fails or does not answer.
        """
        return await self._change(name, lambda found: max(replicas, found))

    async def to_zero(self, name: str) -> bool:
        """Remove all replicas; return whether there were any.

        Raises:
            ScaleError: The API server refuses, fails or does not answer.
        """
        return await self._change(name, lambda _: 0)

    async def _change(self, name: str, decide: Callable[[int], int]) -> bool:
        for _ in range(MOST_CONFLICTS):
            scale = await self._request("GET", name)
            replicas = decide(_wanted(scale))
            if replicas == _wanted(scale):
                return False
            version = object_of(scale.get("metadata")).get("resourceVersion")
            try:
                await self._request(
                    "PATCH", name, {"metadata": {"resourceVersion": version}, "spec": {"replicas": replicas}}
                )
            except ScaleError as error:
                if error.reason != "conflict":
                    raise
            else:
                return True
        raise ScaleError("failed", "the object changes too often")

    async def close(self) -> None:
        """Close the connection to the API server."""
        await self._server.close()

    async def _request(self, method: str, name: str, body: object = None) -> dict[str, Any]:
        try:
            response = await self._server.request(method, f"{self._path}{name}/scale", body, MERGE_PATCH)
        except (httpx.HTTPError, OSError) as error:
            raise ScaleError("unreachable", bounded(str(error) or type(error).__name__)) from error
        found = object_of(json_of(response))
        if response.is_success and found.get("kind") == "Scale":
            return found
        reasons = {401: "forbidden", 403: "forbidden", 404: "missing", 409: "conflict"}
        reason = reasons.get(response.status_code, "failed")
        raise ScaleError(reason, bounded(str(found.get("message") or f"HTTP {response.status_code}")))


def _wanted(scale: dict[str, Any]) -> int:
    """Return the number of replicas in a Scale, which omits it when it is 0."""
    return int(object_of(scale.get("spec")).get("replicas", 0))
