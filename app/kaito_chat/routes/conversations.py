"""Routes of the history: each names the user, whom the database compares with the owner."""

from typing import Annotated, Any

from chainlit.auth import get_current_user
from chainlit.session import ws_sessions_id
from chainlit.user import User
from fastapi import APIRouter, Depends, HTTPException

from kaito_chat.audit import record
from kaito_chat.chat.conversations import DELETED
from kaito_chat.chat.events import Uuid
from kaito_chat.chat.services import Services
from kaito_chat.history.store import Store
from kaito_chat.ids import plain
from kaito_chat.routes.bodies import Delete, GiveFeedback, Listing, Rename, TakeFeedback

CurrentUser = Annotated[User | None, Depends(get_current_user)]


class ConversationRoutes:
    """Lists, shows, renames and deletes the user's conversations, and takes feedback on their answers.

    Args:
        services: What all conversations share.
        history: Where conversations are kept.
    """

    def __init__(self, services: Services, history: Store) -> None:
        self._services = services
        self._history = history

    def router(self) -> APIRouter:
        """The routes."""
        routes = APIRouter()
        routes.post("/project/threads")(self.threads)
        routes.get("/project/thread/{thread_id}")(self.thread)
        routes.put("/project/thread")(self.rename)
        routes.delete("/project/thread")(self.delete)
        routes.put("/feedback")(self.give_feedback)
        routes.delete("/feedback")(self.take_feedback)
        return routes

    async def threads(self, body: Listing, user: CurrentUser) -> dict[str, Any]:
        """A page of the user's conversations."""
        page = await self._history.list_threads(
            _owner(user),
            first=body.pagination.first,
            cursor=body.pagination.cursor,
            search=plain(body.filter.search or ""),
            value=body.filter.feedback,
        )
        info = {"hasNextPage": page.more, "startCursor": page.start, "endCursor": page.end}
        return {"pageInfo": info, "data": page.threads}

    async def thread(self, thread_id: Uuid, user: CurrentUser) -> dict[str, Any]:
        """One of the user's conversations."""
        found = await self._history.get_thread(thread_id, _owner(user))
        if found is None:
            raise HTTPException(404, "Thread not found")
        return found

    async def rename(self, body: Rename, user: CurrentUser) -> dict[str, bool]:
        """Rename one of the user's conversations."""
        done = await self._history.rename(_owner(user), body.threadId, plain(body.name))
        return _done("rename", _owner(user), body.threadId, done=done)

    async def delete(self, body: Delete, user: CurrentUser) -> dict[str, bool]:
        """Delete one of the user's conversations, and end the answer that runs in it."""
        done = await self._history.delete_thread(_owner(user), body.threadId)
        if done:
            for session in list(ws_sessions_id.values()):
                if session.thread_id == body.threadId:
                    self._services.conversations.of(session.id).interrupt(DELETED)
        return _done("delete", _owner(user), body.threadId, done=done)

    async def give_feedback(self, body: GiveFeedback, user: CurrentUser) -> dict[str, Any]:
        """Give feedback on an answer in one of the user's conversations."""
        about = body.feedback
        comment = None if about.comment is None else plain(about.comment)
        given = await self._history.upsert_feedback(_owner(user), about.forId, about.value, comment, about.threadId)
        record("feedback", _owner(user), "ok" if given else "refused", message_id=about.forId)
        if given is None:
            raise HTTPException(404, "Not Found")
        return {"success": True, "feedbackId": given}

    async def take_feedback(self, body: TakeFeedback, user: CurrentUser) -> dict[str, bool]:
        """Take back one's own feedback."""
        done = await self._history.delete_feedback(_owner(user), body.feedbackId)
        record("feedback", _owner(user), "ok" if done else "refused", feedback_id=body.feedbackId)
        if not done:
            raise HTTPException(404, "Not Found")
        return {"success": True}


def _done(action: str, owner: str, thread_id: str, *, done: bool) -> dict[str, bool]:
    record(action, owner, "ok" if done else "refused", thread_id=thread_id)
    if not done:
        raise HTTPException(404, "Thread not found")
    return {"success": True}


def _owner(user: User | None) -> str:
    if user is None:
        raise HTTPException(401, "Not signed in")
    return str(user.identifier)
