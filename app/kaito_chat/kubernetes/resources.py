"""Custom resources of one kind in one namespace: requests, and the reasons of those that fail."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from kaito_chat.backends.responses import bounded, json_of, object_of
from kaito_chat.kubernetes.api_server import ApiServer
from kaito_chat.telemetry import metrics

log = logging.getLogger(__name__)

MERGE_PATCH = "application/merge-patch+json"
REASONS = {401: "forbidden", 403: "forbidden", 404: "missing", 409: "conflict"}

Object = dict[str, Any]
T = TypeVar("T")


class ApiError(Exception):
    """The API server refused a request, failed or did not answer.

    Attributes:
        reason: `forbidden`, `missing`, `conflict`, `unreachable` or `failed`.
        said: The API server's message.
    """

    def __init__(self, reason: str, said: str = "") -> None:
        super().__init__(f"{reason}: {said}" if said else reason)
        self.reason = reason
        self.said = said


class Resource:
    """The objects of one kind in one namespace.

    Args:
        server: The API server.
        api_version: `kaito.sh/v1beta1`.
        namespace: The namespace; `None` for the pod's own.
        kind: The kind, such as `Workspace`.
    """

    def __init__(self, server: ApiServer, api_version: str, namespace: str | None, kind: str) -> None:
        self._server = server
        self._kind = kind
        self._plural = f"{kind.lower()}s"
        self._path = f"/apis/{api_version}/namespaces/{namespace or server.namespace}/{self._plural}"
        self._failures: dict[str, str] = {}  # the reason of each failing read, so that it is logged once

    async def get(self, name: str, subresource: str = "") -> Object:
        """Return an object, or its subresource `scale`.

        Raises:
            ApiError: The API server refuses, fails, does not answer, or sends something else.
        """
        return await self._request("GET", *self._place(name, subresource))

    async def patch(self, name: str, body: object, subresource: str = "") -> Object:
        """Merge a JSON object into an object, or into its subresource `scale`, and return the result.

        Raises:
            ApiError: The API server refuses, fails, does not answer, or sends something else.
        """
        return await self._request("PATCH", *self._place(name, subresource), body)

    async def find(self, name: str, parse: Callable[[Object], T], subresource: str = "") -> T | None:
        """Return what a function reads from an object; `None` without a token, or if the read fails.

        A failure is counted, and logged if its reason is new.
        """
        if not self._server.has_token:
            return None
        try:
            found = parse(await self.get(name, subresource))
        except ApiError as error:
            self._note(name, error)
            return None
        self._failures.pop(name, None)
        return found

    async def select(self, label: str, value: str, parse: Callable[[Object], T]) -> list[T] | None:
        """Return what a function reads from each object with a label; `None` as for a single object."""
        if not self._server.has_token:
            return None
        selector = f"{label}={value}"
        try:
            found = await self._list(selector)
        except ApiError as error:
            self._note(selector, error)
            return None
        self._failures.pop(selector, None)
        return [parse(each) for each in found]

    async def _list(self, selector: str) -> list[Object]:
        end = f"?labelSelector={quote(selector, safe='')}"
        items = (await self._request("GET", end, f"{self._kind}List")).get("items")
        if not isinstance(items, list):
            raise ApiError("failed", "the list has no items")
        return [each for each in items if isinstance(each, dict)]

    def _place(self, name: str, subresource: str) -> tuple[str, str]:
        """Return the end of the path of an object or its subresource, and the kind of the response."""
        return (f"/{name}/{subresource}", subresource.capitalize()) if subresource else (f"/{name}", self._kind)

    async def _request(self, method: str, end: str, kind: str, body: object = None) -> Object:
        try:
            response = await self._server.request(method, self._path + end, body, MERGE_PATCH)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ApiError("unreachable", bounded(str(error) or type(error).__name__)) from error
        found = object_of(json_of(response))
        if response.is_success and found.get("kind") == kind:
            return found
        reason = REASONS.get(response.status_code, "failed")
        raise ApiError(reason, bounded(str(found.get("message") or f"HTTP {response.status_code}")))

    def _note(self, key: str, error: ApiError) -> None:
        metrics.KUBERNETES_ERRORS.labels(self._plural, error.reason).inc()
        if self._failures.get(key) != error.reason:
            log.warning("%s cannot be read", self._plural, extra={"object": key, "reason": str(error)})
        self._failures[key] = error.reason
