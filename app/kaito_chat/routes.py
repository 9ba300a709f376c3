"""Our own routes, in front of Chainlit's: each checks the form and the owner of every id before anything is done.

Chainlit's answer 500 where an id is unknown, write feedback on anybody's messages, and say that a conversation was
deleted when the database could not do it.
"""

from typing import Annotated, Any

import chainlit as cl
from chainlit.auth import get_current_user, get_token_from_cookies
from chainlit.auth.cookie import clear_auth_cookie
from chainlit.context import init_ws_context
from chainlit.session import WebsocketSession, ws_sessions_id
from chainlit.user import User
from fastapi import APIRouter, Depends, Header, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from kaito_chat.audit import record
from kaito_chat.chat.answers import Answers
from kaito_chat.chat.buttons import NAMES
from kaito_chat.chat.conversations import DELETED
from kaito_chat.chat.events import MessageId, Uuid
from kaito_chat.chat.services import Services
from kaito_chat.history.store import Store
from kaito_chat.ids import plain
from kaito_chat.texts import negotiate, texts_for

COOKIE = "X-Chainlit-Session-id"
LONGEST_NAME = 200
LONGEST_COMMENT = 10_000
CurrentUser = Annotated[User | None, Depends(get_current_user)]
Short = Annotated[str, Field(max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")


class SessionCookie(_Body):
    """The id of a session, for proxies that keep a browser at one replica by a cookie."""

    session_id: Uuid


class Pressed(_Body):
    """A button."""

    id: Short
    name: Short
    forId: MessageId  # noqa: N815 - Chainlit's name


class Press(_Body):
    """A button that was pressed on a page."""

    sessionId: Uuid  # noqa: N815 - Chainlit's name
    action: Pressed


class Opinion(_Body):
    """Feedback on an answer."""

    forId: Uuid  # noqa: N815 - Chainlit's name
    threadId: Uuid | None = None  # noqa: N815 - Chainlit's name
    value: Annotated[int, Field(ge=0, le=1)]
    comment: Annotated[str, Field(max_length=LONGEST_COMMENT)] | None = None


class GiveFeedback(_Body):
    """Feedback as the page sends it."""

    feedback: Opinion


class TakeFeedback(_Body):
    """Feedback that is taken back."""

    feedbackId: Uuid  # noqa: N815 - Chainlit's name


class Rename(_Body):
    """Another name for a conversation."""

    threadId: Uuid  # noqa: N815 - Chainlit's name
    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


class Delete(_Body):
    """A conversation to delete."""

    threadId: Uuid  # noqa: N815 - Chainlit's name


class Pagination(_Body):
    """A page of conversations."""

    first: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Short | None = None


class Filter(_Body):
    """Which conversations."""

    search: Annotated[str, Field(max_length=1000)] | None = None
    feedback: Annotated[int, Field(ge=0, le=1)] | None = None


class Listing(_Body):
    """A page of some conversations."""

    pagination: Pagination = Pagination()
    filter: Filter = Filter()


def router(services: Services, answers: Answers) -> APIRouter:
    """The routes that every application has; those of the history are in `history_router`."""
    routes = APIRouter()

    @routes.get("/status", dependencies=[Depends(get_current_user)])
    async def status(accept_language: Annotated[str, Header()] = "") -> dict[str, Any]:
        """The state of the models and of the history."""
        texts = texts_for(negotiate(accept_language[:1000]))
        waits = services.history.outbox.pending if services.history else 0
        return {
            "language": texts.language,
            "models": [
                {
                    "name": watch.name,
                    "state": watch.state,
                    "text": texts.state(watch.state),
                    "steps": [step._asdict() for step in texts.steps(watch)],
                }
                for watch in services.watches
            ],
            "history": "" if services.settings.database_url else texts.say("notice.no_history"),
            "unsaved": waits,
            "history_away": bool(services.history and services.history.outbox.away),
        }

    @routes.post("/set-session-cookie")
    async def session_cookie(body: SessionCookie, response: Response) -> dict[str, bool]:
        """Let a proxy keep this browser at this replica."""
        encrypted = services.settings.encrypted
        response.set_cookie(COOKIE, body.session_id, httponly=True, samesite="lax", secure=encrypted)
        return {"success": True}

    @routes.post("/logout")
    async def logout(request: Request, response: Response) -> dict[str, bool]:
        """Sign out: the token is worth nothing from now on, at every replica that shares the history's database."""
        token = get_token_from_cookies(request.cookies)
        clear_auth_cookie(request, response)
        user = await services.tokens.revoke(token) if services.tokens else None
        if user:
            record("sign_out", user.identifier, "ok")
            for session in list(ws_sessions_id.values()):
                if session.token == token:
                    services.conversations.of(session.id).end()
        return {"success": True}

    @routes.post("/project/action")
    async def press(body: Press, user: CurrentUser) -> dict[str, bool]:
        """Press a button under an answer."""
        session = WebsocketSession.get_by_id(body.sessionId)
        if session is None or _name(session.user) != _name(user) or body.action.name not in NAMES:
            raise HTTPException(404, "Not Found")
        action = cl.Action(name=body.action.name, payload={}, id=body.action.id)
        action.forId = body.action.forId

        async def take() -> None:
            init_ws_context(session)
            await answers.take(action)

        services.background(take())
        return {"success": True}

    return routes


def history_router(services: Services, history: Store) -> APIRouter:
    """The routes of the history: each names the user, whom the database compares with the owner."""
    routes = APIRouter()

    @routes.post("/project/threads")
    async def threads(body: Listing, user: CurrentUser) -> dict[str, Any]:
        """A page of the user's conversations."""
        page = await history.list_threads(
            _owner(user),
            first=body.pagination.first,
            cursor=body.pagination.cursor,
            search=plain(body.filter.search or ""),
            value=body.filter.feedback,
        )
        info = {"hasNextPage": page.more, "startCursor": page.start, "endCursor": page.end}
        return {"pageInfo": info, "data": page.threads}

    @routes.get("/project/thread/{thread_id}")
    async def thread(thread_id: Uuid, user: CurrentUser) -> dict[str, Any]:
        """One of the user's conversations."""
        found = await history.get_thread(thread_id, _owner(user))
        if found is None:
            raise HTTPException(404, "Thread not found")
        return found

    @routes.put("/project/thread")
    async def rename(body: Rename, user: CurrentUser) -> dict[str, bool]:
        """Rename one of the user's conversations."""
        done = await history.rename(_owner(user), body.threadId, plain(body.name))
        return _done("rename", _owner(user), body.threadId, done=done)

    @routes.delete("/project/thread")
    async def delete(body: Delete, user: CurrentUser) -> dict[str, bool]:
        """Delete one of the user's conversations, and end the answer that runs in it."""
        done = await history.delete_thread(_owner(user), body.threadId)
        if done:
            for session in list(ws_sessions_id.values()):
                if session.thread_id == body.threadId:
                    services.conversations.of(session.id).interrupt(DELETED)
        return _done("delete", _owner(user), body.threadId, done=done)

    @routes.put("/feedback")
    async def give_feedback(body: GiveFeedback, user: CurrentUser) -> dict[str, Any]:
        """Give feedback on an answer in one of the user's conversations."""
        about = body.feedback
        comment = None if about.comment is None else plain(about.comment)
        given = await history.upsert_feedback(_owner(user), about.forId, about.value, comment, about.threadId)
        record("feedback", _owner(user), "ok" if given else "refused", message_id=about.forId)
        if given is None:
            raise HTTPException(404, "Not Found")
        return {"success": True, "feedbackId": given}

    @routes.delete("/feedback")
    async def take_feedback(body: TakeFeedback, user: CurrentUser) -> dict[str, bool]:
        """Take back one's own feedback."""
        done = await history.delete_feedback(_owner(user), body.feedbackId)
        record("feedback", _owner(user), "ok" if done else "refused", feedback_id=body.feedbackId)
        if not done:
            raise HTTPException(404, "Not Found")
        return {"success": True}

    return routes


def _done(action: str, owner: str, thread_id: str, *, done: bool) -> dict[str, bool]:
    record(action, owner, "ok" if done else "refused", thread_id=thread_id)
    if not done:
        raise HTTPException(404, "Thread not found")
    return {"success": True}


def _name(user: User | None) -> str | None:
    return user.identifier if user else None


def _owner(user: User | None) -> str:
    if user is None:
        raise HTTPException(401, "Not signed in")
    return str(user.identifier)
