"""The history: every call names the owner and has access to the owner's conversations only."""

from collections.abc import Mapping
from typing import Any

from kaito_chat.history import feedback, listing, reading, writing
from kaito_chat.history.database import Database
from kaito_chat.history.listing import Page
from kaito_chat.history.operations import DeleteStep, SaveThread, clean, clean_id, clean_metadata, save_step
from kaito_chat.history.outbox import Outbox
from kaito_chat.history.sign_outs import SignOuts
from kaito_chat.history.users import StoredUser, Users
from kaito_chat.history.waiting import Listener, OutboxLimits, Waiting

# How long a read waits for pending writes of the same process.
WRITTEN_SECONDS = 1.0
# Pages that are disconnected at shutdown save their settings after the last call of `flush`.
CLOSING_SECONDS = 1.0


class Store:
    """The history in one database.

    Methods that save never block and never raise: they add to the outbox. All others query the database, and raise
    `HistoryAwayError` when it is unavailable, not writable, or does not answer in time.

    Args:
        database: The database.
        limits: Limits of the outbox.

    Attributes:
        outbox: The queue of pending writes.
    """

    def __init__(self, database: Database, limits: OutboxLimits | None = None) -> None:
        self._database = database
        self.outbox = Outbox(lambda operation: writing.write(database, operation), limits)
        self._users = Users(database)
        self._sign_outs = SignOuts(database, self.outbox)

    def renew(self, url: str) -> bool:
        """Use the password of a URL for new connections; return `False` if more than the password is new."""
        return self._database.renew(url)

    # Saving

    def save_step(self, owner: str, thread_id: str, step: Mapping[str, Any]) -> bool:
        """Create or update a message or a step in Chainlit's format; return whether it was accepted.

        Attributes that are absent or `None` stay unchanged. Pending states of a step are merged, so that a streaming
        answer can be saved often.
        """
        return self.outbox.add(save_step(owner, thread_id, step))

    def delete_step(self, owner: str, thread_id: str, step_id: str) -> bool:
        """Delete a message or a step, after earlier writes; return whether it was accepted."""
        ids = clean(owner), clean_id(thread_id), clean_id(step_id)
        return self.outbox.add(DeleteStep(owner=ids[0], thread_id=ids[1], step_id=ids[2]))

    def save_thread(
        self,
        owner: str,
        thread_id: str,
        *,
        name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        tags: list[str] | None = None,
    ) -> bool:
        """Create a conversation or change its attributes; return whether it was accepted.

        The metadata is merged; a value of `None` removes its key.
        """
        return self.outbox.add(
            SaveThread(
                owner=clean(owner),
                thread_id=clean_id(thread_id),
                name=None if name is None else clean(name),
                metadata=clean_metadata(metadata),
                tags=tags,
            )
        )

    def waiting(self, thread_id: str) -> Waiting:
        """Return the state of a conversation's pending writes."""
        return self.outbox.of(thread_id)

    def subscribe(self, listener: Listener) -> None:
        """Register a function that is called at every `Change` of a conversation's storage."""
        self.outbox.subscribe(listener)

    async def written(self, thread_id: str, seconds: float = WRITTEN_SECONDS) -> bool:
        """Wait, with a timeout, until a conversation is stored; return whether it is."""
        return await self.outbox.written(thread_id, seconds)

    # Reading

    async def get_thread(self, thread_id: str, owner: str | None = None) -> dict[str, Any] | None:
        """Return a conversation with its messages in Chainlit's format, pending writes included, or `None`.

        Args:
            thread_id: The conversation.
            owner: Its owner; `None` for any, in which case the caller has to check `userIdentifier`.
        """
        thread_id = clean_id(thread_id)
        await self.written(thread_id)
        waiting = self.outbox.operations_of(thread_id)
        thread = reading.with_waiting(await reading.thread(self._database, thread_id), waiting)
        mine = thread and (owner is None or clean(owner) == thread["userIdentifier"])
        return thread if mine else None

    async def list_threads(
        self, owner: str, *, first: int = 20, cursor: str | None = None, search: str = "", value: int | None = None
    ) -> Page:
        """Return a page of the owner's conversations without their messages, most recently changed first.

        Args:
            owner: The owner.
            first: The page size; between 1 and 100.
            cursor: The `end` of the previous page; a malformed one is ignored.
            search: Text that the name or a message must contain; not case-sensitive.
            value: The feedback, 1 or 0, that a message must have.
        """
        return await listing.page(self._database, owner, first=first, cursor=cursor, search=search, value=value)

    async def owner_of_thread(self, thread_id: str) -> str | None:
        """Return the identifier of a conversation's owner, pending writes included; `None` if there is none."""
        thread_id = clean_id(thread_id)
        stored = await reading.owner_of_thread(self._database, thread_id)
        waiting = self.outbox.operations_of(thread_id)
        return stored or (waiting[0].owner if waiting else None)

    async def favorites(self, owner: str) -> list[dict[str, Any]]:
        """Return the owner's favorite messages."""
        return await reading.favorites(self._database, clean(owner))

    # Changes that wait for the database

    async def rename(self, owner: str, thread_id: str, name: str) -> bool:
        """Rename a conversation; return whether the owner has it.

        Raises:
            HistoryAwayError: The conversation was not renamed.
        """
        thread_id = clean_id(thread_id)
        await self.written(thread_id)
        return await writing.rename(self._database, clean(owner), thread_id, name)

    async def change_metadata(self, owner: str, thread_id: str, metadata: Mapping[str, Any]) -> None:
        """Merge a conversation's metadata and wait until it is stored; a value of `None` removes its key.

        Raises:
            HistoryAwayError: The metadata was not changed.
            ForeignError: The conversation belongs to another user.
            DeletedError: The conversation was deleted.
        """
        change = SaveThread(owner=clean(owner), thread_id=clean_id(thread_id), metadata=clean_metadata(metadata))
        await writing.write(self._database, change)

    async def delete_thread(self, owner: str, thread_id: str) -> bool:
        """Delete a conversation permanently, on all replicas; return whether the owner had it.

        Raises:
            HistoryAwayError: The conversation was not deleted.
        """
        owner, thread_id = clean(owner), clean_id(thread_id)
        waiting = any(each.owner == owner for each in self.outbox.operations_of(thread_id))
        deleted = await writing.delete_thread(self._database, owner, thread_id, unstored=waiting)
        if deleted:
            self.outbox.forget(thread_id)
        return deleted

    async def upsert_feedback(
        self, owner: str, step_id: str, value: int, comment: str | None = None, thread_id: str | None = None
    ) -> str | None:
        """Create or replace the feedback on a message; return its id, or `None` if the message is not the owner's.

        Raises:
            HistoryAwayError: The feedback was not stored.
        """
        step_id = clean_id(step_id)
        if waiting := self.outbox.thread_of(step_id) or thread_id:
            await self.written(clean_id(waiting))
        return await feedback.upsert(self._database, clean(owner), step_id, value, comment)

    async def delete_feedback(self, owner: str, feedback_id: str) -> bool:
        """Delete the feedback on a message of the owner; return whether there was one.

        Raises:
            HistoryAwayError: The feedback was not deleted.
        """
        return await feedback.delete(self._database, clean(owner), clean_id(feedback_id))

    # Users and their tokens

    async def user(self, identifier: str) -> StoredUser | None:
        """Return a user by identifier; `None` if the user has never signed in."""
        return await self._users.get(clean(identifier))

    async def add_user(self, identifier: str, metadata: Mapping[str, Any]) -> StoredUser:
        """Create or update a user."""
        return await self._users.add(clean(identifier), metadata)

    async def user_by_id(self, user_id: str) -> StoredUser | None:
        """Return a user by the id in the database."""
        return await self._users.get_by_id(clean_id(user_id))

    async def sign_out(self, token_id: str, expires: float) -> bool:
        """Revoke a token until it expires (seconds since 1970); return whether that is stored for the other replicas.

        It takes effect in this process at once; while the database is unavailable, the write is retried.
        """
        return await self._sign_outs.add(clean(token_id), expires)

    async def is_signed_out(self, token_id: str) -> bool:
        """Return whether a token is revoked; while the database is unavailable, by this process only. Never raises."""
        return await self._sign_outs.has(clean(token_id))

    # Shutdown

    async def flush(self, seconds: float) -> int:
        """Store pending writes within a timeout; log, count and return the number of operations that are lost."""
        return await self.outbox.flush(seconds)

    async def close(self) -> None:
        """Store the last writes, stop the workers, and close all connections."""
        await self.flush(CLOSING_SECONDS)
        await self.outbox.close()
        await self._database.close()
