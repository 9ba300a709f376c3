"""Opens the sessions of pages and ends them: who is signed in, whose a conversation is, how many sessions there are."""

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

# Sessions that pages left are kept for a while, each of them costs memory.
MOST_SESSIONS = 5000
MOST_SESSIONS_OF_A_USER = 500
TURN_SECONDS = 5.0
KEPT_ENVIRON = ("HTTP_ACCEPT_LANGUAGE",)
REFUSED = "The connection is refused"


def name_of(user: User | None) -> str | None:
    """The user's name; `None` without sign-in."""
    return user.identifier if user else None


class Sessions:
    """The sessions of one process.

    Args:
        services: What all conversations share.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    async def signed_in(self, environ: Mapping[str, Any]) -> tuple[User | None, str | None]:
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

    async def open(
        self, sid: str, environ: Mapping[str, Any], opening: Opening, user: User | None, token: str | None
    ) -> WebsocketSession:
        """A session for a page that has none here.

        Raises:
            ConnectionRefusedError: Its conversation is somebody else's, or nobody can tell whose it is.
        """
        own = thread_of(opening.session_id)
        told = opening.thread_id or ""
        resume = await self._resumable(told or own, user, own=own, told=bool(told))
        await self._make_room(user)
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

    async def forget(self, session: WebsocketSession, conversation: Conversation) -> None:
        """End a session, and the answer that runs in it."""
        conversation.end()
        if conversation.turn:  # it adds its end to what is forgotten below
            await asyncio.wait((conversation.turn,), timeout=TURN_SECONDS)
        if conversation.connected:  # its page came back meanwhile
            return
        user_sessions.pop(session.id, None)
        await session.delete()
        self._forget_remains(session.id)

    def _forget_remains(self, session_id: str) -> None:
        """Leave nothing to the next session with an id: it may be somebody else's."""
        self._services.conversations.forget(session_id)
        chat_contexts.pop(session_id, None)

    async def _make_room(self, user: User | None) -> None:
        """Forget the oldest session that its page left, if there are too many; rather one that nothing was asked in.

        Raises:
            ConnectionRefusedError: All of them are connected.
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
