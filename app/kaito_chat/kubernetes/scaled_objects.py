"""KEDA's ScaledObjects of models: pausing and resuming their scaling by load.

See: https://keda.sh/docs/latest/concepts/scaling-deployments/#pause-autoscaling
"""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

from kaito_chat.kubernetes.api_server import ApiServer
from kaito_chat.kubernetes.conditions import by_type, has_status
from kaito_chat.kubernetes.resources import ApiError, Resource

API = "keda.sh/v1alpha1"
PAUSED = "autoscaling.keda.sh/paused"
LOOK_SECONDS = 1.0
# KEDA stops its loop and deletes the HorizontalPodAutoscaler first.
LONGEST_SECONDS = 60.0


class ScaledObjects:
    """The ScaledObjects of the pod's own namespace."""

    def __init__(self, server: ApiServer) -> None:
        self._objects = Resource(server, API, None, "ScaledObject")

    async def pause(self, name: str) -> bool:
        """Stop the scaling by load, and wait until KEDA has; return whether there was any.

        Raises:
            ApiError: The API server refuses, fails or does not answer, or KEDA goes on.
        """
        found = await self._annotate(name, "true")
        deadline = time.monotonic() + LONGEST_SECONDS
        while found is not None and not _is_paused(found):
            if time.monotonic() > deadline:
                raise ApiError("failed", f"KEDA did not pause ScaledObject {name} within {LONGEST_SECONDS:g} s")
            await asyncio.sleep(LOOK_SECONDS)
            found = await self._existing(self._objects.get(name))
        return found is not None

    async def resume(self, name: str) -> bool:
        """Let KEDA scale by load again; return whether there is a ScaledObject.

        Raises:
            ApiError: The API server refuses, fails or does not answer.
        """
        return await self._annotate(name, None) is not None

    async def _annotate(self, name: str, value: str | None) -> dict[str, Any] | None:
        return await self._existing(self._objects.patch(name, {"metadata": {"annotations": {PAUSED: value}}}))

    async def _existing(self, request: Awaitable[dict[str, Any]]) -> dict[str, Any] | None:
        """Return the object; `None` if there is none, or no KEDA."""
        try:
            return await request
        except ApiError as error:
            if error.reason == "missing":
                return None
            raise


def _is_paused(found: dict[str, Any]) -> bool:
    return has_status(by_type(found).get("Paused"), "True")
