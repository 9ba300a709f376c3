"""Event handlers for connecting, reconnecting and disconnecting, which replace Chainlit's.

Chainlit trusts the ids that a browser sends, even as paths and as conversations of other users, and loses the running
answer when a page reconnects.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import socketio
from chainlit.chat_context import chat_contexts
from chainlit.context import init_ws_context
from chainlit.message import Message
from chainlit.session import WebsocketSession, ws_sessions_id
from socketio.packet import EVENT, Packet

from kaito_chat.chat import signals
from kaito_chat.chat.answers import Answers
from kaito_chat.chat.conversations import LEFT
from kaito_chat.chat.displayed_answer import stored
from kaito_chat.chat.facts import lines
from kaito_chat.chat.ids import thread_of
from kaito_chat.chat.services import Services
from kaito_chat.history.errors import HistoryAwayError
from kaito_chat.sockets.events import Opening, read
from kaito_chat.sockets.sessions import REFUSED, Sessions, name_of
from kaito_chat.telemetry.audit import record
from kaito_chat.telemetry.logs import session_id
from kaito_chat.texts import texts_for

log = logging.getLogger(__name__)


class Sockets:
    """Opens, resumes and closes the sessions of pages.

    Args:
        server: Chainlit's Socket.IO server.
        services: The shared objects of the application.
        answers: Answers the questions of pages.
    """

    def __init__(self, server: socketio.AsyncServer, services: Services, answers: Answers) -> None:
        self._server = server
        self._services = services
        self._sessions = Sessions(services)
        self._answers = answers

    def handlers(self) -> dict[str, Callable[..., Awaitable[Any]]]:
        """Return the handlers by event name."""
        return {
            "connect": self.connect,
            "connection_successful": self.shown,
            "clear_session": self.clear,
            "disconnect": self.gone,
        }

    async def connect(self, sid: str, environ: Mapping[str, Any], auth: object = None) -> bool:
        """Open the session of a page that connects, or resume it on a reconnect.

        Raises:
            ConnectionRefusedError: The user is not signed in, or the ids are malformed or belong to another user.
        """
        opening = read(Opening, auth)
        if opening is None:
            log.warning("a malformed connection request was refused")
            raise ConnectionRefusedError(REFUSED)
        session_id.set(opening.session_id)
        user, token = await self._sessions.signed_in(environ)
        session = WebsocketSession.get_by_id(opening.session_id)
        if session is None:
            session = await self._sessions.open(sid, environ, opening, user, token)
        elif name_of(session.user) != name_of(user):
            record("connect", name_of(user), "another user's session")
            raise ConnectionRefusedError(REFUSED)
        else:
            session.restore(new_socket_id=sid)
            session.token = token
        conversation = self._services.conversations.of(session.id)
        conversation.come()

        async def emit(event: str, data: Any) -> None:  # noqa: ANN401 - Chainlit's events have no types
            replayed = conversation.mirror.note(event, data)
            if not (replayed and session.restored):  # a token before the replay would follow text that was lost
                await self._send(sid, event, data)

        session.emit = emit
        return True

    async def shown(self, sid: str, *_: object) -> None:
        """Send a page that is ready to display the conversation the state that it lacks."""
        session = WebsocketSession.get(sid)
        if session is None:
            return
        session_id.set(session.id)
        context = init_ws_context(session)
        conversation = self._services.conversations.of(session.id)
        returned, session.restored = session.restored, False  # once per connection
        if session.thread_id_to_resume and not session.chat_started:
            session.chat_started = True
            await self._resume(session)
        elif returned:
            await conversation.mirror.replay(partial(self._send, sid))
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
        """Note that the page will not reconnect."""
        session = WebsocketSession.get(sid)
        if session:
            session.to_clear = True

    async def gone(self, sid: str, _reason: str | None = None) -> None:
        """Note a closed connection, in a task of its own.

        Engine.IO calls this within the first `_send` that finds a page silent: in the task of an answer, which
        `disconnect` may cancel and wait for. Socket.IO ignores cancellations of its handlers.
        """
        self._services.background(self.disconnect(sid))

    async def disconnect(self, sid: str) -> None:
        """Start the grace period of a lost connection, or close the session of a closed page."""
        await asyncio.sleep(0)  # lets the task of a `clear_session` event that arrived just before run first
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
            await self._sessions.forget(session, conversation)
        else:
            keep = self._services.settings.session_timeout_seconds
            asyncio.get_running_loop().call_later(keep, self._forget_later, session, sid)

    async def _send(self, sid: str, event: str, data: Any) -> None:  # noqa: ANN401 - Chainlit's events have no types
        """Send an event to one page.

        Socket.IO's own `emit` starts a task for each recipient, waits for it, and searches the event for bytes; that
        costs more than the event, and lets all pages that ask at the same time advance step by step together.
        """
        connection = self._server.manager.eio_sid_from_sid(sid, "/")
        if connection:
            packet = Packet(EVENT, [event, data], binary=False)
            await self._server.eio.send(connection, packet.encode())

    def _forget_later(self, session: WebsocketSession, sid: str) -> None:
        if session.socket_id == sid and not self._services.conversations.of(session.id).connected:
            self._services.background(self._sessions.forget(session, self._services.conversations.of(session.id)))

    async def _resume(self, session: WebsocketSession) -> None:
        """Load a conversation from the history into the page and into the model's context."""
        emitter = init_ws_context(session).emitter
        await self._end_elsewhere(session)
        try:
            history, owner = self._services.history, name_of(session.user)
            thread = await history.get_thread(session.thread_id, owner) if history and owner else None
        except HistoryAwayError:
            await emitter.send_resume_thread_error(texts_for(session.language).say("notice.not_stored"))
            return
        if not thread:
            session.thread_id = thread_of(session.id)
            session.chat_started = False
            await emitter.send_resume_thread_error(texts_for(session.language).say("notice.not_found"))
            return
        facts = _facts(thread.get("metadata"))
        session.chat_profile = facts.get("chat_profile") or session.chat_profile
        session.chat_settings = facts.get("chat_settings") or {}
        session.has_first_interaction = True
        await emitter.emit("first_interaction", {"interaction": "resume", "thread_id": session.thread_id})
        await self._answers.show_settings(session)
        steps = [step for step in thread.get("steps") or () if "message" in step["type"]]
        chat_contexts[session.id] = [Message.from_dict(step) for step in steps]
        await emitter.resume_thread(stored(thread))
        if self._services.settings.show_usage:
            await signals.facts(lines(steps, texts_for(session.language)))
        await self._answers.offer_end(session)

    async def _end_elsewhere(self, session: WebsocketSession) -> None:
        """Cancel the answer of a disconnected page that shows the same conversation."""
        for other in list(ws_sessions_id.values()):
            if other is session or other.thread_id != session.thread_id or name_of(other.user) != name_of(session.user):
                continue
            conversation = self._services.conversations.of(other.id)
            if not conversation.connected and conversation.turn:
                turn = conversation.turn
                conversation.interrupt(LEFT)
                await asyncio.wait((turn,), timeout=5)


def _facts(metadata: object) -> dict[str, Any]:
    """Return the metadata of a conversation, which SQLite stores as JSON text."""
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except ValueError:
            return {}
    return metadata if isinstance(metadata, dict) else {}
