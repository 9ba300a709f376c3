"""Chainlit's data layer on top of the store: takes the owner of a conversation from the current session.

Chainlit calls most of these methods in tasks that it does not await, so saving never raises.
See: https://docs.chainlit.io/data-layers/overview
"""

from collections.abc import Mapping
from typing import Any

from chainlit.context import ChainlitContextException, context
from chainlit.data.base import BaseDataLayer
from chainlit.data.utils import queue_until_user_message
from chainlit.types import Feedback, PageInfo, PaginatedResponse, Pagination, ThreadFilter
from chainlit.user import PersistedUser, User

from kaito_chat.history.errors import HistoryRefusedError
from kaito_chat.history.store import Store
from kaito_chat.history.users import StoredUser

# The page requests the list of conversations right after the first message, which must be stored by then.
FIRST_SECONDS = 2.0


class Layer(BaseDataLayer):
    """Chainlit's data layer.

    Args:
        store: The history.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    async def get_user(self, identifier: str) -> PersistedUser | None:
        """Return a user by identifier; `None` if the user has never signed in."""
        user = await self.store.user(identifier)
        return _user(user) if user else None

    async def create_user(self, user: User) -> PersistedUser:
        """Save a user who has signed in."""
        return _user(await self.store.add_user(user.identifier, user.metadata or {}))

    @queue_until_user_message()
    async def create_step(self, step_dict: Mapping[str, Any]) -> None:
        """Save a message or a step."""
        if owner := _owner():
            self.store.save_step(owner, step_dict.get("threadId") or _thread_id(), step_dict)

    @queue_until_user_message()
    async def update_step(self, step_dict: Mapping[str, Any]) -> None:
        """Update a message or a step."""
        if owner := _owner():
            self.store.save_step(owner, step_dict.get("threadId") or _thread_id(), step_dict)

    @queue_until_user_message()
    async def delete_step(self, step_id: str) -> None:
        """Delete a message or a step of the current conversation."""
        if owner := _owner():
            self.store.delete_step(owner, _thread_id(), step_id)

    async def update_thread(
        self,
        thread_id: str,
        name: str | None = None,
        user_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        tags: list[str] | None = None,
    ) -> None:
        """Save the attributes of a conversation; outside a session, as in a rename request, wait until they are stored.

        The owner is the session's user and never changes; `user_id` is ignored.
        """
        del user_id
        owner = _owner()
        if owner is None:
            await self._change(thread_id, name, metadata)
            return
        self.store.save_thread(owner, thread_id, name=name, metadata=metadata, tags=tags)
        if name is not None:
            await self.store.written(thread_id, FIRST_SECONDS)

    async def _change(self, thread_id: str, name: str | None, metadata: Mapping[str, Any] | None) -> None:
        owner = await self.store.owner_of_thread(thread_id)
        if owner and name is not None:
            await self.store.rename(owner, thread_id, name)
        if owner and metadata:
            await self.store.change_metadata(owner, thread_id, metadata)

    async def get_thread(self, thread_id: str) -> dict[str, Any] | None:
        """Return a conversation with its messages, of any owner: the caller has to check it."""
        return await self.store.get_thread(thread_id)

    async def get_thread_author(self, thread_id: str) -> str:
        """Return the identifier of a conversation's owner; an empty string if there is none."""
        return await self.store.owner_of_thread(thread_id) or ""

    async def delete_thread(self, thread_id: str) -> None:
        """Delete a conversation; the caller has checked its owner."""
        owner = await self.store.owner_of_thread(thread_id)
        if owner:
            await self.store.delete_thread(owner, thread_id)

    async def list_threads(self, pagination: Pagination, filters: ThreadFilter) -> PaginatedResponse:
        """Return a page of the user's conversations."""
        user = await self.store.user_by_id(filters.userId) if filters.userId else None
        if user is None:
            return PaginatedResponse(pageInfo=PageInfo(hasNextPage=False, startCursor=None, endCursor=None), data=[])
        page = await self.store.list_threads(
            user.identifier,
            first=pagination.first,
            cursor=pagination.cursor,
            search=filters.search or "",
            value=filters.feedback,
        )
        return PaginatedResponse(pageInfo=PageInfo(page.more, page.start, page.end), data=page.threads)

    async def upsert_feedback(self, feedback: Feedback) -> str:
        """Raise an error: Chainlit's route does not pass the user. Our own route calls the store instead."""
        del feedback
        raise HistoryRefusedError("feedback without a user")

    async def delete_feedback(self, feedback_id: str) -> bool:
        """Raise an error, for the same reason."""
        del feedback_id
        raise HistoryRefusedError("feedback without a user")

    async def get_favorite_steps(self, user_id: str) -> list[dict[str, Any]]:
        """Return the user's favorite messages."""
        user = await self.store.user_by_id(user_id)
        return await self.store.favorites(user.identifier) if user else []

    async def create_element(self, element: object) -> None:
        """Do nothing: files are not stored."""

    async def get_element(self, thread_id: str, element_id: str) -> None:
        """Do nothing: files are not stored."""

    async def delete_element(self, element_id: str, thread_id: str | None = None) -> None:
        """Do nothing: files are not stored."""

    async def build_debug_url(self) -> str:
        """Return an empty string: there is no debug page."""
        return ""

    async def close(self) -> None:
        """Stop writing and close all connections."""
        await self.store.close()


def _user(user: StoredUser) -> PersistedUser:
    return PersistedUser(id=user.id, identifier=user.identifier, createdAt=user.created_at, metadata=user.metadata)


def _owner() -> str | None:
    """Return the identifier of the session's user; `None` without a session or without sign-in."""
    try:
        user = context.session.user
    except ChainlitContextException:
        return None
    return str(user.identifier) if user else None


def _thread_id() -> str:
    return str(context.session.thread_id)
