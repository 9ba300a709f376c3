"""ASGI middleware that checks a request's origin, route and body size before the application sees it."""

import asyncio
import json
import logging
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kaito_chat.page.origins import is_own
from kaito_chat.page.routes import SOCKET, body_limit, is_plain
from kaito_chat.telemetry import metrics

log = logging.getLogger(__name__)

# Timeout for a body, which is read completely before its route is called.
BODY_SECONDS = 30.0
Refused = Literal["origin", "path", "route", "body", "slow"]
STATUS: dict[Refused, tuple[int, str]] = {
    "origin": (403, "This origin is not allowed"),
    "path": (400, "The path is malformed"),
    "route": (404, "Not Found"),
    "body": (413, "The body is too large"),
    "slow": (408, "The body took too long"),
}


class Gate:
    """Rejects requests before the application sees them.

    Args:
        app: The application.
        public_origin: The page's origin; without one, the origin's host must match the request's `Host`.
        root_path: The path prefix of the application.
    """

    def __init__(self, app: ASGIApp, public_origin: str | None = None, root_path: str = "") -> None:
        self._app = app
        self._public_origin = public_origin
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with an error."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        limit, refused = self._judge(scope)
        if refused is None and limit and scope["type"] == "http":
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    body = await _read(receive, limit)
            except TimeoutError:
                refused = "slow"
            else:
                refused = "body" if body is None else None
                receive = _Replay(body or b"", receive)
        if refused is None and scope["type"] == "http" and scope["method"] == "HEAD":
            # Chainlit's routes take GET only. The server removes the body, since its own scope keeps the method.
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
        elif refused is None:
            await self._app(scope, receive, send)
        else:
            metrics.REFUSED.labels(refused).inc()
            await _refuse(scope, send, *STATUS[refused])

    def _judge(self, scope: Scope) -> tuple[int, Refused | None]:
        """Return the largest body, and the reason to reject the request."""
        headers = {key: value.decode("latin-1") for key, value in scope["headers"]}
        origin = headers.get(b"origin")
        if origin is not None and not is_own(origin, headers.get(b"host", ""), self._public_origin):
            log.warning("a request from another origin was refused", extra={"origin": origin})
            return 0, "origin"
        if not is_plain(scope["path"]):
            return 0, "path"
        limit = self._body_limit(scope)
        if limit is None:
            return 0, "route"
        return limit, "body" if int(headers.get(b"content-length", "0")) > limit else None

    def _body_limit(self, scope: Scope) -> int | None:
        """Return the largest body of a request in bytes; `None` if there is no such route."""
        path: str = scope["path"]
        if not path.startswith(f"{self._root_path}/") and path != self._root_path:
            return None
        path = path.removeprefix(self._root_path) or "/"
        if scope["type"] == "websocket":
            return 0 if path == SOCKET else None
        return body_limit(scope["method"], path)


class _Replay:
    """A `receive` callable that returns a body that was already read."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _without_body(send: Send) -> Send:
    """Return a `send` callable that leaves out the bytes of a body and keeps its headers."""

    async def send_head(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_head


async def _read(receive: Receive, limit: int) -> bytes | None:
    """Read the body; return `None` if it exceeds the limit."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if message["type"] != "http.request" or not message.get("more_body"):
            return bytes(body)


async def _refuse(scope: Scope, send: Send, status: int, detail: str) -> None:
    """Answer with an error, and close the connection so that the rest of the body is not read."""
    kind = "http.response" if scope["type"] == "http" else "websocket.http.response"
    body = json.dumps({"detail": detail}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers.append((b"connection", b"close"))
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
