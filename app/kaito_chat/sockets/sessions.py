"""Opening and closing of sessions: authentication, ownership of conversations, limits on their number."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from chainlit.auth import get_token_from_cookies, require_login
from chainlit.chat_context import chat_contexts
from chainlit.session import WebsocketSession, ws_sessions_id
from chainlit.user import User
from chainlit.user_session import user_sessions
from starlette.requests import cookie_parser

from kaito_chat.chat.conversations import Conversation
from kaito_chat.chat.ids import thread_of
from kaito_chat.chat.services import Services
from kaito_chat.history.errors import HistoryAwayError
from kaito_chat.sockets.events import Opening
from kaito_chat.telemetry import metrics
from kaito_chat.telemetry.audit import record

log = logging.getLogger(__name__)

# Sessions of disconnected pages are kept for a while and take memory.
MOST_SESSIONS = 5000
MOST_SESSIONS_OF_A_USER = 500
TURN_SECONDS = 5.0
KEPT_ENVIRON = ("HTTP_ACCEPT_LANGUAGE",)
REFUSED = "The connection is refused"


def name_of(user: User | None) -> str | None:
    """Return the user's identifier; `None` without sign-in."""
    return user.identifier if user else None


class Sessions:
    """The sessions of one process.

    Args:
        services: The shared objects of the application.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    async def signed_in(self, environ: Mapping[str, Any]) -> tuple[User | None, str | None]:
        """Return the user of the request's cookies, with the token.

        Raises:
            ConnectionRefusedError: Sign-in is required and the user is not signed in.
        """
        if not require_login():
            return None, None
        token = get_token_from_cookies(cookie_parser(environ.get("HTTP_COOKIE", "")))
        user = await self._services.tokens.holder(token) if self._services.tokens else None
        if user is None:
            log.warning("a connection without sign-in was refused")
            raise ConnectionRefusedError("authentication failed")
        return user, token

    async def open(
        self, sid: str, environ: Mapping[str, Any], opening: Opening, user: User | None, token: str | None
    ) -> WebsocketSession:
        """Open a session for a page that has none on this replica.

        Raises:
            ConnectionRefusedError: Its conversation belongs to another user, or its owner cannot be determined.
        """
        own = thread_of(opening.session_id)
        told = opening.thread_id or ""
        resume = await self._resumable(told or own, user, own=own, told=bool(told))
        await self._make_room(user)
        if WebsocketSession.get_by_id(opening.session_id):  # opened by another connection during the query
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
        # Set here, because Chainlit's own code to set it fails inside a running event loop.
        session.chat_profile = unquote(opening.chat_profile or "") or None
        if not resume:
            session.thread_id = own
            self._services.conversations.of(session.id).forgotten = bool(told)
        return session

    async def forget(self, session: WebsocketSession, conversation: Conversation) -> None:
        """Close a session and cancel its running answer."""
        conversation.end()
        if conversation.turn:  # it still adds to the state that is dropped below
            await asyncio.wait((conversation.turn,), timeout=TURN_SECONDS)
        if conversation.connected:  # its page has reconnected meanwhile
            return
        user_sessions.pop(session.id, None)
        await session.delete()
        self._forget_remains(session.id)

    def _forget_remains(self, session_id: str) -> None:
        """Drop all state of a session id: the next session with this id may be another user's."""
        self._services.conversations.forget(session_id)
        chat_contexts.pop(session_id, None)

    async def _make_room(self, user: User | None) -> None:
        """Close the oldest disconnected session if a limit is reached, preferably one without a question.

        Raises:
            ConnectionRefusedError: All sessions are connected.
        """
        theirs = [each for each in ws_sessions_id.values() if user and name_of(each.user) == name_of(user)]
        full = len(ws_sessions_id) >= MOST_SESSIONS
        if not full and len(theirs) < MOST_SESSIONS_OF_A_USER:
            return
        of = self._services.conversations.of
        left = [each for each in (list(ws_sessions_id.values()) if full else theirs) if not of(each.id).connected]
        if left:
            oldest = next((each for each in left if not each.has_first_interaction), left[0])
            await self.forget(oldest, of(oldest.id))
            return
        metrics.REFUSED.labels("sessions").inc()
        record("connect", name_of(user), "too many sessions")
        raise ConnectionRefusedError(REFUSED)

    async def _resumable(self, thread_id: str, user: User | None, *, own: str, told: bool) -> bool:
        """Return whether to resume a conversation: it is the user's, or the page named one that does not exist.

        Args:
            thread_id: The conversation.
            user: The user of the session.
            own: The conversation derived from the session's id, which may not exist yet.
            told: Whether the page named the conversation.

        Raises:
            ConnectionRefusedError: It belongs to another user, or its owner cannot be determined.
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
