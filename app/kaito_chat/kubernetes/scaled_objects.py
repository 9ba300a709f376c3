"""KEDA's ScaledObjects of models: pausing and resuming their scaling by load.

See: https://keda.sh/docs/latest/concepts/scaling-deployments/#pause-autoscaling
"""

import asyncio
import time
from typing import Any

import httpx

from kaito_chat.backends.responses import bounded, json_of, object_of
from kaito_chat.kubernetes.api_server import ApiServer
from kaito_chat.kubernetes.inference_sets import MERGE_PATCH, ScaleError

API = "keda.sh/v1alpha1"
PAUSED = "autoscaling.keda.sh/paused"
LOOK_SECONDS = 1.0
# KEDA stops its loop and deletes the HorizontalPodAutoscaler first.
LONGEST_SECONDS = 60.0


class ScaledObjects:
    """The ScaledObjects of the pod's own namespace."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server

    async def pause(self, name: str) -> bool:
        """Stop the scaling by load, and wait until KEDA has; return whether there was any.

        Raises:
            ScaleError: The API server refuses, fails or does not answer, or KEDA goes on.
        """
        found = await self._annotate(name, "true")
        deadline = time.monotonic() + LONGEST_SECONDS
        while found is not None and not _is_paused(found):
            if time.monotonic() > deadline:
                raise ScaleError("failed", f"KEDA did not pause ScaledObject {name} within {LONGEST_SECONDS:g} s")
            await asyncio.sleep(LOOK_SECONDS)
            found = await self._request("GET", name)
        return found is not None

    async def resume(self, name: str) -> bool:
        """Let KEDA scale by load again; return whether there is a ScaledObject.

        Raises:
            ScaleError: The API server refuses, fails or does not answer.
        """
        return await self._annotate(name, None) is not None

    async def _annotate(self, name: str, value: str | None) -> dict[str, Any] | None:
        return await self._request("PATCH", name, {"metadata": {"annotations": {PAUSED: value}}})

    async def _request(self, method: str, name: str, body: object = None) -> dict[str, Any] | None:
        """Return the object; `None` if there is none, or no KEDA."""
        path = f"/apis/{API}/namespaces/{self._server.namespace}/scaledobjects/{name}"
        try:
            response = await self._server.request(method, path, body, MERGE_PATCH)
        except (httpx.HTTPError, OSError) as error:
            raise ScaleError("unreachable", bounded(str(error) or type(error).__name__)) from error
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        found = object_of(json_of(response))
        if not response.is_success:
            reason = "forbidden" if response.status_code in (401, 403) else "failed"
            raise ScaleError(reason, bounded(str(found.get("message") or f"HTTP {response.status_code}")))
        return found


def _is_paused(found: dict[str, Any]) -> bool:
    conditions = object_of(found.get("status")).get("conditions")
    known = [object_of(each) for each in conditions] if isinstance(conditions, list) else []
    return any(each.get("type") == "Paused" and each.get("status") == "True" for each in known)
