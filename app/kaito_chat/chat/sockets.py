"""The life of a page's connection: it opens, comes back, is lost. Takes the place of Chainlit's handlers.

Chainlit takes the ids that a browser sends as they are, also as paths and as conversations of other people, and forgets
the running answer when a page comes back.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

import socketio
from chainlit.auth import get_token_from_cookies, require_login
from chainlit.chat_context import chat_contexts
from chainlit.context import init_ws_context
from chainlit.message import Message
from chainlit.session import WebsocketSession, ws_sessions_id
from chainlit.user import User
from chainlit.user_session import user_sessions
from starlette.requests import cookie_parser

from kaito_chat.audit import record
from kaito_chat.chat import signals
from kaito_chat.chat.answers import Answers
from kaito_chat.chat.conversations import LEFT, Conversation
from kaito_chat.chat.events import Opening, read
from kaito_chat.chat.facts import lines
from kaito_chat.chat.services import Services
from kaito_chat.history.errors import HistoryAwayError
from kaito_chat.ids import thread_of
from kaito_chat.logs import session_id
from kaito_chat.texts import texts_for

log = logging.getLogger(__name__)

KEPT_ENVIRON = ("HTTP_ACCEPT_LANGUAGE",)
REFUSED = "The connection is refused"


class Sockets:
    """Opens, resumes and ends the sessions of pages.

    Args:
        server: Chainlit's Socket.IO server.
        services: What all conversations share.
        answers: Answers questions.
    """

    def __init__(self, server: socketio.AsyncServer, services: Services, answers: Answers) -> None:
        self._server = server
        self._services = services
        self._answers = answers

    def handlers(self) -> dict[str, Callable[..., Awaitable[Any]]]:
        """The handlers by their events."""
        return {
            "connect": self.connect,
            "connection_successful": self.shown,
            "clear_session": self.clear,
            "disconnect": self.disconnect,
        }

    async def connect(self, sid: str, environ: Mapping[str, Any], auth: object = None) -> bool:
        """A page connects, for the first time or again.

        Raises:
            ConnectionRefusedError: It is not signed in, its ids are malformed, or belong to somebody else.
        """
        opening = read(Opening, auth)
        if opening is None:
            log.warning("a malformed opening of a socket was refused")
            raise ConnectionRefusedError(REFUSED)
        session_id.set(opening.session_id)
        user, token = await self._signed_in(environ)
        session = WebsocketSession.get_by_id(opening.session_id)
        if session is None:
            session = await self._open(sid, environ, opening, user, token)
        elif _name(session.user) != _name(user):
            record("connect", _name(user), "another user's session")
            raise ConnectionRefusedError(REFUSED)
        else:
            session.restore(new_socket_id=sid)
            session.token = token
        conversation = self._services.conversations.of(session.id)
        conversation.come()

        async def emit(event: str, data: Any) -> None:  # noqa: ANN401 - Chainlit's events have no types
            conversation.mirror.note(event, data)
            await self._server.emit(event, data, to=sid)

        session.emit = emit
        return True

    async def shown(self, sid: str, *_: object) -> None:
        """The page is ready to show the conversation: give it the state that it may lack."""
        session = WebsocketSession.get(sid)
        if session is None:
            return
        session_id.set(session.id)
        context = init_ws_context(session)
        conversation = self._services.conversations.of(session.id)
        if session.thread_id_to_resume and not session.chat_started:
            session.chat_started = True
            await self._resume(session)
        elif session.restored:
            session.restored = False  # once for each connection
            await conversation.mirror.replay(lambda event, data: self._server.emit(event, data, to=sid))
        if not session.chat_started:
            session.chat_started = True
            await self._answers.show_settings(session)
        if conversation.lock.locked():
            await context.emitter.task_start()
        else:
            await context.emitter.task_end()
        if conversation.forgotten:
            conversation.forgotten = False
            await self._answers.notify(texts_for(session.language).say("notice.forgotten"), "forgotten")

    async def clear(self, sid: str, *_: object) -> None:
        """The page says that it will not come back."""
        session = WebsocketSession.get(sid)
        if session:
            session.to_clear = True

    async def disconnect(self, sid: str, _reason: str | None = None) -> None:
        """The connection is lost, or the page closed: give it some time to come back."""
        await asyncio.sleep(0)  # a goodbye that comes with the end of the connection is a task that has not run yet
        session = WebsocketSession.get(sid)
        if session is None:
            return
        session_id.set(session.id)
        init_ws_context(session)
        conversation = self._services.conversations.of(session.id)
        conversation.leave(0 if session.to_clear else self._services.settings.disconnect_grace_seconds)
        if self._services.history and session.user and session.has_first_interaction:
            facts = session.to_persistable()
            self._services.history.save_thread(session.user.identifier, session.thread_id, metadata=facts)
        if session.to_clear:
            await self._forget(session, conversation)
        else:
            keep = self._services.settings.session_timeout_seconds
            asyncio.get_running_loop().call_later(keep, self._forget_later, session, sid)

    def _forget_later(self, session: WebsocketSession, sid: str) -> None:
        if session.socket_id == sid and not self._services.conversations.of(session.id).connected:
            self._services.background(self._forget(session, self._services.conversations.of(session.id)))

    async def _forget(self, session: WebsocketSession, conversation: Conversation) -> None:
        conversation.end()
        user_sessions.pop(session.id, None)
        await session.delete()
        self._forget_remains(session.id)

    def _forget_remains(self, session_id: str) -> None:
        """Leave nothing to the next session with an id: it may be somebody else's."""
        self._services.conversations.forget(session_id)
        chat_contexts.pop(session_id, None)

    async def _signed_in(self, environ: Mapping[str, Any]) -> tuple[User | None, str | None]:
        """Who the request's cookies sign in, with the token.

        Raises:
            ConnectionRefusedError: Nobody, and somebody has to be.
        """
        if not require_login():
            return None, None
        token = get_token_from_cookies(cookie_parser(environ.get("HTTP_COOKIE", "")))
        user = await self._services.tokens.holder(token) if self._services.tokens else None
        if user is None:
            log.warning("a socket without a sign-in was refused")
            raise ConnectionRefusedError("authentication failed")
        return user, token

    async def _open(
        self, sid: str, environ: Mapping[str, Any], opening: Opening, user: User | None, token: str | None
    ) -> WebsocketSession:
        """A session for a page that has none here.

        Raises:
            ConnectionRefusedError: Its conversation is somebody else's, or nobody can tell whose it is.
        """
        own = thread_of(opening.session_id)
        told = opening.thread_id or ""
        resume = await self._resumable(told or own, user, own=own, told=bool(told))
        if WebsocketSession.get_by_id(opening.session_id):  # opened by another connection, while the database was asked
            raise ConnectionRefusedError(REFUSED)
        self._forget_remains(opening.session_id)
        session = WebsocketSession(
            id=opening.session_id,
            socket_id=sid,
            emit=lambda _event, _data: None,
            emit_call=lambda _event, _data, _timeout: None,
            user_env={},
            client_type="webapp",
            user=user,
            token=token,
            thread_id=(told or own) if resume else None,
            environ={key: environ[key] for key in KEPT_ENVIRON if key in environ},
        )
        # Chainlit would ask for the profiles here, in a way that fails while a loop runs.
        session.chat_profile = unquote(opening.chat_profile or "") or None
        if not resume:
            session.thread_id = own
            self._services.conversations.of(session.id).forgotten = bool(told)
        return session

    async def _resumable(self, thread_id: str, user: User | None, *, own: str, told: bool) -> bool:
        """Whether a conversation may be shown from the history: it is the user's, or it is not there, to be told so.

        Args:
            thread_id: The conversation.
            user: Who asks for it.
            own: The conversation that follows from the session; it need not be there.
            told: Whether the page named the conversation.

        Raises:
            ConnectionRefusedError: It is somebody else's, or nobody can tell whose it is.
        """
        if self._services.history is None or user is None:
            return False
        try:
            owner = await self._services.history.owner_of_thread(thread_id)
        except HistoryAwayError:
            if told:
                raise ConnectionRefusedError(REFUSED) from None
            return False
        if owner is not None and owner != user.identifier:
            record("connect", user.identifier, "another user's conversation", thread_id=thread_id)
            raise ConnectionRefusedError(REFUSED)
        return owner is not None or (told and thread_id != own)

    async def _resume(self, session: WebsocketSession) -> None:
        """Show a conversation of the history, and have the model know it."""
        emitter = init_ws_context(session).emitter
        await self._end_elsewhere(session)
        try:
            history, owner = self._services.history, _name(session.user)
            thread = await history.get_thread(session.thread_id, owner) if history and owner else None
        except HistoryAwayError:
            await emitter.send_resume_thread_error(texts_for(session.language).say("notice.not_stored"))
            return
        if not thread:
            session.thread_id = thread_of(session.id)
            session.chat_started = False
            await emitter.send_resume_thread_error("Thread not found.")
            return
        facts = _facts(thread.get("metadata"))
        session.chat_profile = facts.get("chat_profile") or session.chat_profile
        session.chat_settings = facts.get("chat_settings") or {}
        session.has_first_interaction = True
        await emitter.emit("first_interaction", {"interaction": "resume", "thread_id": session.thread_id})
        await self._answers.show_settings(session)
        steps = [step for step in thread.get("steps") or () if "message" in step["type"]]
        chat_contexts[session.id] = [Message.from_dict(step) for step in steps]
        await emitter.resume_thread(thread)
        if self._services.settings.show_usage:
            await signals.facts(lines(steps, texts_for(session.language)))
        await self._answers.offer_end(session)

    async def _end_elsewhere(self, session: WebsocketSession) -> None:
        """End the answer that a page runs which showed this conversation before: it was opened anew."""
        for other in list(ws_sessions_id.values()):
            if other is session or other.thread_id != session.thread_id or _name(other.user) != _name(session.user):
                continue
            conversation = self._services.conversations.of(other.id)
            if not conversation.connected and conversation.turn:
                turn = conversation.turn
                conversation.interrupt(LEFT)
                await asyncio.wait((turn,), timeout=5)


def _name(user: User | None) -> str | None:
    return user.identifier if user else None


def _facts(metadata: object) -> dict[str, Any]:
    """The metadata of a conversation."""
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except ValueError:
            return {}
    return metadata if isinstance(metadata, dict) else {}
