"""The application in the process of a test: one page, with everything of Chainlit but its socket."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import ModuleType
from typing import Any

import httpx
import jwt

from kaito_chat.backends import Timeouts
from kaito_chat.chat.services import Services
from kaito_chat.texts import texts_for
from support.chat.fakes.kaito import VLLM, Answer, delta
from support.project import ROOT

HANDLERS = ROOT / "app" / "kaito_chat" / "chat" / "handlers.py"
COMPLETIONS = "/v1/chat/completions"
ENGLISH = texts_for("en-US")
HELLO = "Hello there, friend."
SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of these tests
SIGN_IN = {"sign_in": "password", "password_users": '{"ada": "not-a-secret"}', "auth_secret": SECRET}
TOO_LONG = VLLM.error(400, "This model's maximum context length is 9 tokens.", "BadRequestError")
TIMEOUTS = Timeouts(connect=5, first_token=5, token=5, answer=5)
Server = Callable[[httpx.Request], Answer]


def chainlit(module: str) -> ModuleType:
    """Return a module of Chainlit; its import writes below its root, which a fixture has to set before."""
    return import_module(f"chainlit.{module}")


class Chat:
    """A page as the application sees it: its actions, and the events that it receives."""

    def __init__(self, services: Services, token: str | None) -> None:
        # These modules import Chainlit.
        answers = import_module("kaito_chat.chat.answers").Answers(services)
        self.services = services
        self.answers_of = answers
        self.messages = import_module("kaito_chat.sockets.messages").Messages(services, answers)
        self.sockets = import_module("kaito_chat.sockets.connections").Sockets(self, services, answers)
        self.sent: list[tuple[str, Any]] = []
        self.session = chainlit("session").WebsocketSession(
            id=str(uuid.uuid4()),
            socket_id=str(uuid.uuid4()),
            emit=self._emit,
            emit_call=self._emit,
            user_env={},
            client_type="webapp",
            token=token,
        )

    async def _emit(self, event: str, data: Any) -> None:
        self.sent.append((event, deepcopy(data)))

    async def ask(self, question: str = "Hello?", identifier: str = "") -> None:
        payload = {"message": {"id": identifier or str(uuid.uuid4()), "output": question}}
        await asyncio.create_task(self.messages.ask(self.session.socket_id, payload))

    async def edit(self, identifier: str, question: str) -> None:
        payload = {"message": {"id": identifier, "output": question}}
        await asyncio.create_task(self.messages.edit(self.session.socket_id, payload))

    async def stop(self) -> None:
        await self.messages.stop(self.session.socket_id)

    async def leave(self) -> None:
        await self.sockets.disconnect(self.session.socket_id)

    async def emit(self, event: str, data: Any, **_: object) -> None:
        """Emit as Socket.IO's server does."""
        await self._emit(event, data)

    async def press(self, name: str) -> None:
        """Press the newest button of a name."""
        action = next(data for event, data in reversed(self.sent) if event == "action" and data["name"] == name)
        await asyncio.create_task(self.call(self.answers_of.take, chainlit("action").Action(**action)))

    async def call(self, handler: Callable[..., Awaitable[Any]], *arguments: object) -> Any:
        """Call a handler for this page."""
        chainlit("context").init_ws_context(self.session)
        return await handler(*arguments)

    async def sees(self, text: str) -> None:
        """Wait until the page received a text."""
        async with asyncio.timeout(5):
            while text not in str(self.sent):
                await asyncio.sleep(0.01)

    def steps(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the steps of some types that the page shows; answers and notices by default."""
        wanted = kinds or ("assistant_message", "system_message")
        shown: dict[str, dict[str, Any]] = {}
        for event, data in self.sent:
            if event in ("stream_start", "new_message", "update_message"):
                shown[data["id"]] = data
            elif event == "delete_message":
                shown.pop(data["id"], None)
        return [step for step in shown.values() if step["type"] in wanted]

    def marks(self) -> list[dict[str, Any]]:
        """Return the marks of the messages."""
        return [step["metadata"].get("kaito_chat", {}) for step in self.steps()]

    def answers(self) -> list[str]:
        return [mark["answer"] for mark in self.marks() if "answer" in mark]

    def buttons(self) -> list[str]:
        """Return the names of the buttons on the page."""
        removed = [data["id"] for event, data in self.sent if event == "remove_action"]
        return [data["name"] for event, data in self.sent if event == "action" and data["id"] not in removed]

    def facts(self) -> dict[str, str]:
        """Return the lines under answers, by message id."""
        told = [data["kaito_chat"] for event, data in self.sent if event == "window_message"]
        return {key: line for each in told for key, line in each.get("facts", {}).items()}

    def events(self, *names: str) -> list[str]:
        return [event for event, _ in self.sent if event in names]


Open = Callable[..., Awaitable[Chat]]


def handlers() -> Any:
    """Return the functions that Chainlit calls."""
    return chainlit("config").config.code


class Hanging(httpx.AsyncByteStream):
    """A stream that begins an answer, and then hangs."""

    def __init__(self, *pieces: object) -> None:
        self.pieces = pieces
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield f"data: {json.dumps(piece)}\n\n".encode()
        await asyncio.sleep(60)

    async def aclose(self) -> None:
        self.closed = True

    def answer(self) -> Answer:
        return Answer(200, stream=self, headers={"content-type": "text/event-stream"})


def half() -> tuple[VLLM, Hanging]:
    """Return a server that hangs in the middle of its first answer, and the stream of that answer."""
    server, hanging = VLLM(), Hanging(delta(content="Half"))
    server.refusals = [hanging.answer()]
    return server, hanging


def token(secret: str = SECRET, hours: float = 1) -> str:
    """Return the token in the cookie of a signed-in page."""
    now = datetime.now(UTC)
    claims = {"identifier": "ada", "metadata": {}, "iat": now, "exp": now + timedelta(hours=hours)}
    return jwt.encode(claims, secret, algorithm="HS256")


def asked(server: VLLM) -> list[list[tuple[str, str]]]:
    """Return the conversations that the model received, without the system prompt."""
    bodies = server.bodies(COMPLETIONS)
    return [[(each["role"], each["content"]) for each in body["messages"][1:]] for body in bodies]
