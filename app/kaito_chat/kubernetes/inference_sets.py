"""KAITO InferenceSets: their number of replicas, and what KAITO reports about them.

See: https://kaito-project.github.io/kaito/docs/inference
See: https://github.com/kaito-project/kaito/blob/v0.12.0/pkg/inferenceset/inferenceset_controller.go
See: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#scale-subresource
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from kaito_chat.backends.responses import object_of
from kaito_chat.kubernetes.api_server import ApiServer
from kaito_chat.kubernetes.conditions import Conditions, by_type, message_of, time_of
from kaito_chat.kubernetes.failures import failure_of
from kaito_chat.kubernetes.resources import ApiError, Resource

# Another client may change the object between our read and our write.
MOST_CONFLICTS = 3
# KAITO's condition of an InferenceSet with the number of its replicas that are ready.
READY = "InferenceSetReady"


class InferenceSet(NamedTuple):
    """An InferenceSet: the number of replicas that it is to have, and its own conditions."""

    replicas: int
    conditions: Conditions


class InferenceSets:
    """The InferenceSets of one namespace.

    Args:
        server: The API server.
        api_version: `kaito.sh/v1beta1`.
        namespace: The namespace; `None` for the pod's own.
    """

    def __init__(self, server: ApiServer, api_version: str, namespace: str | None) -> None:
        self._objects = Resource(server, api_version, namespace, "InferenceSet")

    async def find(self, name: str) -> InferenceSet | None:
        """Return an InferenceSet; `None` without a token, permission, InferenceSet or API server."""
        return await self._objects.find(name, _inference_set)

    async def replicas(self, name: str) -> int | None:
        """Return the number of replicas that an InferenceSet is to have, by its `scale`; `None` as above."""
        return await self._objects.find(name, _scaled, "scale")

    async def wake(self, name: str, replicas: int) -> bool:
        """Start the replicas of an InferenceSet that has none; return whether it had none.

        Raises:
            ApiError: The API server refuses, fails or does not answer.
        """
        return await self._change(name, lambda found: replicas if found == 0 else found)

    async def at_least(self, name: str, replicas: int) -> bool:
        """Start replicas up to this number; return whether there were fewer.

        Raises:
            ApiError: The API server refuses, fails or does not answer.
        """
        return await self._change(name, lambda found: max(replicas, found))

    async def to_zero(self, name: str) -> bool:
        """Remove all replicas; return whether there were any.

        Raises:
            ApiError: The API server refuses, fails or does not answer.
        """
        return await self._change(name, lambda _: 0)

    async def _change(self, name: str, decide: Callable[[int], int]) -> bool:
        for _ in range(MOST_CONFLICTS):
            scale = await self._objects.get(name, "scale")
            replicas = decide(_scaled(scale))
            if replicas == _scaled(scale):
                return False
            version = object_of(scale.get("metadata")).get("resourceVersion")
            body = {"metadata": {"resourceVersion": version}, "spec": {"replicas": replicas}}
            try:
                await self._objects.patch(name, body, "scale")
            except ApiError as error:
                if error.reason != "conflict":
                    raise
            else:
                return True
        raise ApiError("failed", "the object changes too often")


def _inference_set(found: dict[str, Any]) -> InferenceSet:
    """Read an InferenceSet. Its condition tells of errors before a Workspace exists, and since when it is not ready."""
    ready = by_type(found).get(READY, {})
    said = ready.get("status") == "False"
    # A condition that is still true is from before the replicas were asked for, such as while the model slept.
    began = ready.get("lastTransitionTime") if ready else object_of(found.get("metadata")).get("creationTimestamp")
    conditions = Conditions(
        node_ready=False,
        server_ready=False,
        since=time_of(began) if said or not ready else None,
        message=message_of(ready) if said else "",
        failure=failure_of(str(ready.get("reason", "")), str(ready.get("message", ""))) if said else None,
    )
    return InferenceSet(_replicas(found, 1), conditions)


def _scaled(scale: dict[str, Any]) -> int:
    """Return the number of replicas in a Scale, which omits it when it is 0."""
    return _replicas(scale, 0)


def _replicas(found: dict[str, Any], default: int) -> int:
    replicas = object_of(found.get("spec")).get("replicas", default)
    if type(replicas) is not int or replicas < 0:
        raise ApiError("failed", "the number of replicas is no number")
    return replicas
