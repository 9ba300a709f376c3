"""A fake of Hugging Face's API on loopback: accounts of tokens, and repositories that are open, gated or absent."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

from support.loopback import serving


class Answer(NamedTuple):
    """An answer in Hugging Face's form: the status, the code and message of its headers, and the body."""

    status: int
    code: str = ""
    message: str = ""
    body: bytes = b"{}"


class FakeHuggingFace:
    """The server and its state.

    Attributes:
        accounts: Names by token.
        models: By id: "open", "gated", or the set of the tokens for which a gated one is open.
        answers: By path, an answer instead of the usual one.
        asked: Path and Authorization header of each request.
        seconds: The time that each answer takes.
    """

    def __init__(self) -> None:
        self.accounts: dict[str, str] = {}
        self.models: dict[str, str | set[str]] = {}
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.endpoint = ""
        self.seconds = 0.0

    def answer(self, path: str, token: str) -> Answer:
        """Return the answer to a path, with the token of its header or an empty one."""
        if path in self.answers:
            return self.answers[path]
        if token and token not in self.accounts:
            return Answer(401, message="Invalid credentials in Authorization header")
        if path == "/api/whoami-v2":
            found: Mapping[str, Any] = {"type": "user", "name": self.accounts.get(token)}
            return Answer(200, body=json.dumps(found).encode()) if token else Answer(401)
        model = self.models.get(path.removeprefix("/api/models/").removesuffix("/auth-check"))
        if model is None:
            # Without a sign-in, it does not tell an absent repository from a private one.
            return Answer(404 if token else 401, "RepoNotFound", "Repository not found")
        if model == "open" or (isinstance(model, set) and token in model):
            return Answer(200)
        text = "you are not in the authorized list" if token else "you must be authenticated"
        return Answer(403 if token else 401, "GatedRepo", f"Access is restricted and {text}.")


def _handler(fake: FakeHuggingFace) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            header = self.headers.get("Authorization")
            fake.asked.append((self.path, header))
            time.sleep(fake.seconds)
            answer = fake.answer(self.path, (header or "").removeprefix("Bearer "))
            self.send_response(answer.status)
            for name, value in (("X-Error-Code", answer.code), ("X-Error-Message", answer.message)):
                if value:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_args: Any) -> None:
            """Write nothing."""

    return Handler


@contextmanager
def running() -> Iterator[FakeHuggingFace]:
    """Run a fake until the end of the block."""
    fake = FakeHuggingFace()
    with serving(_handler(fake)) as address:
        fake.endpoint = address
        yield fake
