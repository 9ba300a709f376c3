"""Client of a running chat application that speaks Chainlit's WebSocket protocol, without a browser."""

import asyncio
import ssl
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import socketio

from kaito_chat.chat.transcript import MARK

HIDDEN = ("warming_up",)
OPEN_SECONDS = 20


@dataclass
class Heard:
    """The result of one question.

    Attributes:
        text: The streamed text, as the page shows it.
        answer: The text of the finished answer; `None` without an answer.
        notice: The kind of the notice shown with the answer or instead of it.
        first_text_seconds: From the question to the first text.
        seconds: From the question to the end of the turn.
        actions: The names of the buttons shown.
    """

    text: str = ""
    answer: str | None = None
    notice: str | None = None
    first_text_seconds: float | None = None
    seconds: float = 0.0
    actions: list[str] = field(default_factory=list)


class Page:
    """One open page.

    Args:
        url: The application's URL.
        cookie: The `Cookie` header of a signed-in user.
        profile: The name of the model to chat with.
        thread_id: The conversation to resume.
        session_id: The session of an earlier connection to reconnect to.
        trust: The TLS context that verifies the server; the default one when left out.
    """

    def __init__(
        self,
        url: str,
        *,
        cookie: str = "",
        profile: str = "",
        thread_id: str = "",
        session_id: str = "",
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self.session_id = session_id or str(uuid.uuid4())
        self.thread_id = thread_id
        self.heard = Heard()
        self.resumed: dict[str, Any] | None = None
        self.messages: dict[str, dict[str, Any]] = {}
        self.actions: list[dict[str, Any]] = []
        self._url = url.rstrip("/")
        self._cookie = cookie
        self._profile = profile
        self._trust = trust
        self._began = 0.0
        self._started = False
        self._returning = bool(session_id)
        self._configured = False
        self._opened = asyncio.Event()
        self._ended = asyncio.Event()
        self._first = asyncio.Event()
        self._http: aiohttp.ClientSession | None = None
        self._socket: Any = None

    async def open(self) -> None:
        """Connect, as a browser does when it opens the page.

        Raises:
            socketio.exceptions.ConnectionError: The application is unreachable or rejects the connection.
            TimeoutError: The conversation does not start in time.
        """
        # An HTTP session of our own, because the client does not close the one that it creates.
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self._trust or True))
        self._socket = socketio.AsyncClient(reconnection=False, http_session=self._http)
        self._listen()
        auth = {
            "sessionId": self.session_id,
            "clientType": "webapp",
            "userEnv": "{}",
            "chatProfile": self._profile,
            "threadId": self.thread_id,
        }
        headers = {"Cookie": self._cookie} if self._cookie else {}
        path = f"{urlsplit(self._url).path}/ws/socket.io"
        await self._socket.connect(self._url, headers=headers, auth=auth, transports=["websocket"], socketio_path=path)
        await self._show()
        if not self._returning:  # the server sends the settings and ends a task when a conversation starts
            async with asyncio.timeout(OPEN_SECONDS):
                await self._opened.wait()

    async def ask(self, question: str, timeout_seconds: float = 60) -> Heard:
        """Send a question and wait for the end of the turn.

        Raises:
            TimeoutError: The turn does not end in time.
        """
        await self.say(question)
        return await self.end_of_turn(timeout_seconds)

    async def say(self, question: str) -> str:
        """Send a question and return the id of its message at once."""
        identifier = str(uuid.uuid4())
        self._begin()
        await self._socket.emit(
            "client_message", {"message": self._message(identifier, question), "fileReferences": []}
        )
        return identifier

    async def edit(self, identifier: str, question: str) -> None:
        """Edit a question, which asks it again."""
        self._begin()
        await self._socket.emit("edit_message", {"message": self._message(identifier, question)})

    async def stop(self) -> None:
        """Press Stop."""
        await self._socket.emit("stop")

    async def end_of_turn(self, timeout_seconds: float = 60) -> Heard:
        """Wait for the end of the turn."""
        async with asyncio.timeout(timeout_seconds):
            await self._ended.wait()
        self.heard.seconds = time.monotonic() - self._began
        return self.heard

    async def first_text(self, timeout_seconds: float = 60) -> None:
        """Wait for the first text of an answer."""
        async with asyncio.timeout(timeout_seconds):
            await self._first.wait()

    async def close(self, *, forget: bool = True) -> None:
        """Disconnect; with `forget`, end the session too, otherwise another connection can reconnect to it."""
        if forget and self._socket.connected:
            await self._socket.emit("clear_session")
            await self._socket.eio.queue.join()  # otherwise the client closes before the event is sent
        await self._socket.disconnect()
        if self._http:
            await self._http.close()

    async def _show(self) -> None:
        """Say that the page is ready to display the conversation."""
        await self._socket.emit("connection_successful")

    def _listen(self) -> None:
        for event, handler in (
            ("stream_start", self._on_stream_start),
            ("stream_token", self._on_stream_token),
            ("new_message", self._on_message),
            ("update_message", self._on_message),
            ("delete_message", self._on_delete),
            ("action", self._on_action),
            ("first_interaction", self._on_first_interaction),
            ("resume_thread", self._on_resume),
            ("chat_settings", self._on_settings),
            ("task_start", self._on_task_start),
            ("task_end", self._on_task_end),
        ):
            self._socket.on(event, handler)

    def _begin(self) -> None:
        self.heard = Heard()
        self._ended.clear()
        self._first.clear()
        self._started = False
        self._began = time.monotonic()

    def _message(self, identifier: str, text: str) -> dict[str, Any]:
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return {
            "id": identifier,
            "threadId": self.thread_id,
            "name": "user",
            "type": "user_message",
            "output": text,
            "createdAt": created,
            "metadata": {},
        }

    def _text(self, text: str) -> None:
        if text and self.heard.first_text_seconds is None:
            self.heard.first_text_seconds = time.monotonic() - self._began
            self._first.set()
        self.heard.text += text

    async def _on_stream_start(self, message: dict[str, Any]) -> None:
        self._text(message.get("output", ""))

    async def _on_stream_token(self, token: dict[str, Any]) -> None:
        self._text(token.get("token", ""))

    async def _on_message(self, message: dict[str, Any]) -> None:
        self.messages[message["id"]] = message
        marked = (message.get("metadata") or {}).get(MARK, {})
        if "answer" in marked:
            self.heard.answer = marked["answer"]
        elif marked.get("notice") not in (None, *HIDDEN):
            self.heard.notice = marked["notice"]

    async def _on_delete(self, message: dict[str, Any]) -> None:
        self.messages.pop(message.get("id", ""), None)

    async def _on_action(self, action: dict[str, Any]) -> None:
        self.actions.append(action)
        self.heard.actions.append(action["name"])

    async def _on_first_interaction(self, interaction: dict[str, Any]) -> None:
        self.thread_id = interaction.get("thread_id", "")

    async def _on_resume(self, thread: dict[str, Any]) -> None:
        self.resumed = thread
        self._opened.set()

    async def _on_task_start(self, *_: object) -> None:
        self._started = True

    async def _on_settings(self, *_: object) -> None:
        self._configured = True

    async def _on_task_end(self, *_: object) -> None:
        if self._configured and not self.thread_id:
            self._opened.set()
        if self._started:  # the server also sends one when a page connects
            self._ended.set()
