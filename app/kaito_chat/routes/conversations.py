"""Routes of the history, all restricted to the conversations of the signed-in user."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from chainlit.auth import get_current_user
from chainlit.session import ws_sessions_id
from chainlit.user import User
from fastapi import APIRouter, Depends, HTTPException

from kaito_chat.chat.conversations import DELETED
from kaito_chat.chat.displayed_answer import stored
from kaito_chat.chat.services import Services
from kaito_chat.history.characters import plain
from kaito_chat.page.security import accept_language
from kaito_chat.routes.bodies import Delete, GiveFeedback, Listing, Rename, TakeFeedback
from kaito_chat.sockets.events import Uuid
from kaito_chat.telemetry import metrics
from kaito_chat.telemetry.audit import record
from kaito_chat.texts import negotiate, texts_for

if TYPE_CHECKING:  # loads SQLAlchemy
    from kaito_chat.history.store import Store

# Running and waiting searches of one user; the page sends one for each pause in typing.
MOST_SEARCHES = 5
CurrentUser = Annotated[User | None, Depends(get_current_user)]


class ConversationRoutes:
    """Lists, shows, renames and deletes the user's conversations, and takes feedback on their answers.

    Args:
        services: The shared objects of the application.
        history: The store of conversations.
    """

    def __init__(self, services: Services, history: "Store") -> None:
        self._services = services
        self._history = history
        self._searches: Counter[str] = Counter()
        self._searching: dict[str, asyncio.Lock] = {}

    def router(self) -> APIRouter:
        """Return a router with the routes."""
        routes = APIRouter()
        routes.post("/project/threads")(self.threads)
        routes.get("/project/thread/{thread_id}")(self.thread)
        routes.put("/project/thread")(self.rename)
        routes.delete("/project/thread")(self.delete)
        routes.put("/feedback")(self.give_feedback)
        routes.delete("/feedback")(self.take_feedback)
        return routes

    async def threads(self, body: Listing, user: CurrentUser) -> dict[str, Any]:
        """Return a page of the user's conversations."""
        owner, search = _owner(user), plain(body.filter.search or "").strip()
        async with self._one_search(owner) if search else contextlib.nullcontext():
            page = await self._history.list_threads(
                owner,
                first=body.pagination.first,
                cursor=body.pagination.cursor,
                search=search,
                value=body.filter.feedback,
            )
        return page.to_dict()

    @asynccontextmanager
    async def _one_search(self, owner: str) -> AsyncIterator[None]:
        """Serialize a user's searches, each of which reads all of the user's conversations.

        Raises:
            HTTPException: Too many of them are waiting.
        """
        if self._searches[owner] >= MOST_SEARCHES:
            metrics.REFUSED.labels("searches").inc()
            raise HTTPException(429, "Too Many Requests")
        self._searches[owner] += 1
        lock = self._searching.setdefault(owner, asyncio.Lock())
        try:
            async with lock:
                yield
        finally:
            self._searches[owner] -= 1
            if not self._searches[owner]:
                del self._searches[owner], self._searching[owner]

    async def thread(self, thread_id: Uuid, user: CurrentUser) -> dict[str, Any]:
        """Return one of the user's conversations."""
        found = await self._history.get_thread(thread_id, _owner(user))
        if found is None:
            raise _no_conversation()
        return stored(found)

    async def rename(self, body: Rename, user: CurrentUser) -> dict[str, bool]:
        """Rename one of the user's conversations."""
        owner, name = _owner(user), plain(body.name).strip()
        if not name:
            raise HTTPException(422, "The name is empty")
        with _audited("rename", owner, thread_id=body.threadId):
            if not await self._history.rename(owner, body.threadId, name):
                raise _no_conversation()
        return {"success": True}

    async def delete(self, body: Delete, user: CurrentUser) -> dict[str, bool]:
        """Delete one of the user's conversations and cancel its running answer."""
        owner = _owner(user)
        with _audited("delete", owner, thread_id=body.threadId):
            if not await self._history.delete_thread(owner, body.threadId):
                raise _no_conversation()
        for session in list(ws_sessions_id.values()):
            if session.thread_id == body.threadId:
                self._services.conversations.of(session.id).interrupt(DELETED)
        return {"success": True}

    async def give_feedback(self, body: GiveFeedback, user: CurrentUser) -> dict[str, Any]:
        """Store feedback on an answer in one of the user's conversations."""
        owner, about = _owner(user), body.feedback
        comment = None if about.comment is None else plain(about.comment)
        with _audited("feedback", owner, message_id=about.forId):
            given = await self._history.upsert_feedback(owner, about.forId, about.value, comment, about.threadId)
            _found(given)
        return {"success": True, "feedbackId": given}

    async def take_feedback(self, body: TakeFeedback, user: CurrentUser) -> dict[str, bool]:
        """Delete the user's feedback."""
        owner = _owner(user)
        with _audited("feedback", owner, feedback_id=body.feedbackId):
            _found(await self._history.delete_feedback(owner, body.feedbackId))
        return {"success": True}


@contextmanager
def _audited(action: str, owner: str, **subjects: str) -> Iterator[None]:
    """Write an audit line with the outcome, also if the database fails."""
    outcome = "failed"
    try:
        yield
        outcome = "ok"
    except HTTPException:
        outcome = "refused"
        raise
    finally:
        record(action, owner, outcome, **subjects)


def _found(done: object) -> None:
    if not done:
        raise HTTPException(404, "Not Found")


def _no_conversation() -> HTTPException:
    """Return the error for a conversation that the user does not have, in words that the page shows."""
    return HTTPException(404, texts_for(negotiate(accept_language.get())).say("notice.not_found"))


def _owner(user: User | None) -> str:
    if user is None:
        raise HTTPException(401, "Not signed in")
    return str(user.identifier)
