"""Security headers, with a Content-Security-Policy that allows resources of this server only.

Chainlit's page links fonts and a stylesheet of other hosts and has inline scripts. The links are removed and the
scripts are allowed by hash, so that no other script runs, above all none in a model's answer.
See: https://developer.mozilla.org/docs/Web/HTTP/Guides/CSP
"""

import base64
import gzip
import hashlib
import re
import uuid
from contextvars import ContextVar
from typing import NamedTuple

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kaito_chat.telemetry.logs import request_id

REMOTE_LINK = re.compile(rb"<link\b[^>]*\bhref=\"https?://[^\"]*\"[^>]*>\s*")
INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
POLICY = (
    "default-src 'self'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:{images}; font-src 'self' data:; connect-src 'self'; media-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'{forms}; frame-ancestors 'none'; "
    "worker-src 'self' blob:; manifest-src 'self'"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# For a year after a visit over https, browsers use https only.
HSTS = "max-age=31536000"
LONGEST_LANGUAGES = 1000
# The `Accept-Language` header of the current request.
accept_language: ContextVar[str] = ContextVar("accept_language", default="")
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Sources(NamedTuple):
    """Addresses of other servers that the policy admits, separated by spaces.

    Attributes:
        forms: Targets of forms.
        images: Images.
    """

    forms: str = ""
    images: str = ""


def policy(html: bytes = b"", sources: Sources = Sources()) -> str:  # noqa: B008 - immutable
    """Return the Content-Security-Policy of a page, which allows its inline scripts by hash."""
    digests = (hashlib.sha256(script).digest() for script in INLINE_SCRIPT.findall(html))
    hashes = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return POLICY.format(hashes=hashes, forms=_more(sources.forms), images=_more(sources.images))


def _more(sources: str) -> str:
    return f" {sources}" if sources else ""


class Secured:
    """ASGI middleware: security headers, removal of remote links, an id for each request.

    Args:
        app: The application.
        forms: An additional target of forms: Entra ID's sign-in, if used.
        images: Addresses of the models' icons on other servers, separated by spaces.
        encrypted: Whether browsers reach the page over https.
    """

    def __init__(self, app: ASGIApp, forms: str = "", images: str = "", *, encrypted: bool = False) -> None:
        self._app = app
        self._sources = Sources(forms, images)
        self._headers = HEADERS | ({"strict-transport-security": HSTS} if encrypted else {})
        # The names of our scripts stay the same in the next version, those of Chainlit's contain a hash.
        self._unversioned = self._headers | {"cache-control": "no-cache"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; buffer the response only if it is an HTML page."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = dict(scope["headers"])
        accept_language.set(asked.get(b"accept-language", b"")[:LONGEST_LANGUAGES].decode("latin-1"))
        given = asked.get(b"x-request-id", b"").decode("latin-1")
        request_id.set(given if SAFE_ID.fullmatch(given) else uuid.uuid4().hex)
        headers = self._unversioned if "/public/" in scope["path"] else self._headers
        await self._app(scope, receive, _Sender(send, self._sources, headers))


class _Sender:
    """A `send` callable that adds the headers and removes the remote links of HTML pages."""

    def __init__(self, send: Send, sources: "Sources", headers: dict[str, str]) -> None:
        self._send = send
        self._sources = sources
        self._headers = headers
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            headers.update(self._headers)
            headers["x-request-id"] = request_id.get() or ""
            if headers.get("content-type", "").startswith("text/html"):
                self._start = message
                return
            headers["content-security-policy"] = policy(sources=self._sources)
        elif self._start is not None and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if message.get("more_body"):
                return
            headers = MutableHeaders(raw=self._start["headers"])
            if headers.get("content-encoding") == "gzip":
                self._body = gzip.decompress(self._body)
                del headers["content-encoding"]
            html = REMOTE_LINK.sub(b"", self._body)
            headers["content-security-policy"] = policy(html, self._sources)
            headers["content-length"] = str(len(html))
            headers["cache-control"] = "no-store"
            await self._send(self._start)
            message = {"type": "http.response.body", "body": html}
        await self._send(message)
