"""A fake of Azure Resource Manager on loopback, with the answers that a test gives it."""

import base64
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from azure.core.credentials import AccessToken

from support.loopback import serving

TENANT = "3f5c0a52-7d6b-4f4a-8a4e-5b0f6c1d2e3f"
PRINCIPAL = "5d1f4c1e-2a3b-4c5d-8e6f-7a8b9c0d1e2f"
USER = {"oid": PRINCIPAL, "tid": TENANT, "upn": "ada@kaito.dev", "name": "Ada", "idtyp": "user"}


def token(claims: Mapping[str, Any]) -> str:
    """Return a JWT with claims, whose signature nobody checks."""
    parts = (json.dumps(each).encode() for each in ({"alg": "RS256", "typ": "JWT"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "signature"])


# It opens nothing.
TOKEN = token(USER)


class Reply(NamedTuple):
    """An answer with another status than 200, headers, or a body that is no JSON."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = {}


class Request(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    headers: Message


def error(status: int, code: str, message: str = "it was told to fail", **headers: str) -> Reply:
    """Return an error in Azure's form; `Retry_After` becomes the header Retry-After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"error": {"code": code, "message": message}}, named)


class Credential:
    """A credential whose token the fake expects."""

    def __init__(self, token: str = TOKEN, seconds: float = 3600) -> None:
        self.expires_on = int(time.time() + seconds)
        self._token = token

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken(self._token, self.expires_on)


class FakeAzure:
    """The server and its answers.

    Attributes:
        answers: By lower-case path, or "method path": JSON, a `Reply`, or a function of the request; one for each
            request, and the last one repeats.
        requests: Everything that was asked, in order.
        seconds: The time that each answer takes.
        tokens: The tokens that it accepts.
        most_at_once: The largest number of requests that were open at the same time.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.requests: list[Request] = []
        self.seconds = 0.0
        self.most_at_once = 0
        self.endpoint = ""
        self.tokens = {TOKEN}
        self._open = 0
        self._lock = threading.Lock()

    def answer(self, path: str, *answers: Any) -> None:
        """Set the answers of a path, in order; the last one repeats."""
        self.answers[path.lower()] = list(answers)

    def listed(self, path: str, *values: Any) -> None:
        """Answer a path with one page of values."""
        self.answer(path, {"value": list(values)})

    def asked(self, part: str) -> list[Request]:
        """Return the requests whose path contains a text."""
        return [each for each in self.requests if part.lower() in each.path.lower()]

    def reply(self, request: Request) -> Reply:
        """Return the answer to a request; 404 in Azure's form where there is none."""
        with self._lock:
            self.requests.append(request)
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
        try:
            time.sleep(self.seconds)
            found = self._next(request)
        finally:
            with self._lock:
                self._open -= 1
        return found if isinstance(found, Reply) else Reply(200, found)

    def _next(self, request: Request) -> Any:
        path = request.path.lower().rstrip("/")
        with self._lock:
            given = self.answers.get(f"{request.method.lower()} {path}") or self.answers.get(path)
            if given is None:
                return error(404, "ResourceNotFound", f"the fake has no answer for {request.path}")
            found = given.pop(0) if len(given) > 1 else given[0]
        return found(request) if callable(found) else found


def _handler(fake: FakeAzure) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body leave together; otherwise TCP delays the second part.
        wbufsize = 65536

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length)
            request = Request(
                self.command, parts.path, parse_qs(parts.query), json.loads(text) if text else None, self.headers
            )
            if self.headers.get("Authorization", "").removeprefix("Bearer ") not in fake.tokens:
                reply = error(401, "InvalidAuthenticationToken", "The access token is invalid.")
            else:
                reply = fake.reply(request)
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            if reply.body is None:
                body = b""
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_DELETE = do_PATCH = do_GET  # noqa: N815 - http.server's names

        def log_message(self, *_args: Any) -> None:
            """Write nothing."""

    return Handler


@contextmanager
def running() -> Iterator[FakeAzure]:
    """Run a fake until the end of the block."""
    fake = FakeAzure()
    with serving(_handler(fake)) as address:
        fake.endpoint = address
        yield fake
