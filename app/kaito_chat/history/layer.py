"""The data layer that Chainlit calls, over the store: it says whose a conversation is by the session at hand.

Chainlit starts most of these as tasks that it does not wait for, so saving never fails here.
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
from kaito_chat.history.people import Person
from kaito_chat.history.store import Store

# A conversation's first message is listed as soon as it is stored; the page asks for the list right after this.
FIRST_SECONDS = 2.0


class Layer(BaseDataLayer):
    """Chainlit's data layer.

    Args:
        store: The history.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    async def get_user(self, identifier: str) -> PersistedUser | None:
        """A person who was here before."""
        person = await self.store.person(identifier)
        return _user(person) if person else None

    async def create_user(self, user: User) -> PersistedUser:
        """Note a person who signed in."""
        return _user(await self.store.add_person(user.identifier, user.metadata or {}))

    @queue_until_user_message()
    async def create_step(self, step_dict: Mapping[str, Any]) -> None:
        """Save a message or a step."""
        if owner := _owner():
            self.store.save_step(owner, step_dict.get("threadId") or _thread_id(), step_dict)

    @queue_until_user_message()
    async def update_step(self, step_dict: Mapping[str, Any]) -> None:
        """Save a later state of a message or a step."""
        if owner := _owner():
            self.store.save_step(owner, step_dict.get("threadId") or _thread_id(), step_dict)

    @queue_until_user_message()
    async def delete_step(self, step_id: str) -> None:
        """Delete a message or a step of the conversation at hand."""
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
        """Save what is known of a conversation; outside a session, as a request's rename is, wait until it is stored.

        The owner is the session's, or stays: `user_id` says nothing.
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
        """A conversation with its messages: anybody's, so the caller compares its owner."""
        return await self.store.get_thread(thread_id)

    async def get_thread_author(self, thread_id: str) -> str:
        """Whose a conversation is; nothing for one that is not there, or nobody's."""
        return await self.store.owner_of_thread(thread_id) or ""

    async def delete_thread(self, thread_id: str) -> None:
        """Delete a conversation, of whose owner the caller has made sure."""
        owner = await self.store.owner_of_thread(thread_id)
        if owner:
            await self.store.delete_thread(owner, thread_id)

    async def list_threads(self, pagination: Pagination, filters: ThreadFilter) -> PaginatedResponse:
        """A page of a person's conversations."""
        person = await self.store.person_by_id(filters.userId) if filters.userId else None
        if person is None:
            return PaginatedResponse(pageInfo=PageInfo(hasNextPage=False, startCursor=None, endCursor=None), data=[])
        page = await self.store.list_threads(
            person.identifier,
            first=pagination.first,
            cursor=pagination.cursor,
            search=filters.search or "",
            value=filters.feedback,
        )
        return PaginatedResponse(pageInfo=PageInfo(page.more, page.start, page.end), data=page.threads)

    async def upsert_feedback(self, feedback: Feedback) -> str:
        """Refused: Chainlit's route says not whose it is. Ours asks the store."""
        del feedback
        raise HistoryRefusedError("a feedback of nobody")

    async def delete_feedback(self, feedback_id: str) -> bool:
        """Refused likewise."""
        del feedback_id
        raise HistoryRefusedError("a feedback of nobody")

    async def get_favorite_steps(self, user_id: str) -> list[dict[str, Any]]:
        """The messages that a person marked."""
        person = await self.store.person_by_id(user_id)
        return await self.store.favorites(person.identifier) if person else []

    async def create_element(self, element: object) -> None:
        """Files are not kept."""

    async def get_element(self, thread_id: str, element_id: str) -> None:
        """Files are not kept."""

    async def delete_element(self, element_id: str, thread_id: str | None = None) -> None:
        """Files are not kept."""

    async def build_debug_url(self) -> str:
        """There is none."""
        return ""

    async def close(self) -> None:
        """Stop writing and close every connection."""
        await self.store.close()


def _user(person: Person) -> PersistedUser:
    return PersistedUser(
        id=person.id, identifier=person.identifier, createdAt=person.created_at, metadata=person.metadata
    )


def _owner() -> str | None:
    """The identifier of the session's person; `None` without a session, or without sign-in."""
    try:
        user = context.session.user
    except ChainlitContextException:
        return None
    return str(user.identifier) if user else None


def _thread_id() -> str:
    return str(context.session.thread_id)
