"""The history, by owner: every call names the person, and reaches that person's conversations only."""

from collections.abc import Mapping
from typing import Any

from kaito_chat.history import feedback, listing, reading, writing
from kaito_chat.history.database import Database
from kaito_chat.history.listing import Page
from kaito_chat.history.operations import DeleteStep, SaveThread, clean, clean_id, clean_metadata, save_step
from kaito_chat.history.outbox import Outbox
from kaito_chat.history.people import People, Person
from kaito_chat.history.sign_outs import SignOuts
from kaito_chat.history.waiting import Limits, Listener, Waiting

# A read waits so long for what the same process is about to write.
WRITTEN_SECONDS = 1.0
# Pages that are cut at the end save their settings after the last call of `flush`.
CLOSING_SECONDS = 1.0


class Store:
    """The history over one database.

    Saving never waits and never fails: it goes through `outbox`. Everything else asks the database, and raises
    `HistoryAwayError` when it cannot answer, cannot write, or does not answer in time.

    Args:
        database: Where it is kept.
        limits: How much waits in the outbox, and how patiently.

    Attributes:
        outbox: What is not stored yet.
    """

    def __init__(self, database: Database, limits: Limits | None = None) -> None:
        self._database = database
        self.outbox = Outbox(lambda operation: writing.write(database, operation), limits)
        self._people = People(database)
        self._sign_outs = SignOuts(database, self.outbox)

    # Saving

    def save_step(self, owner: str, thread_id: str, step: Mapping[str, Any]) -> bool:
        """Create or update a message or a step, as Chainlit describes it; whether it was taken.

        Facts that are absent or `None` stay as they are. States of one step that wait become one: a partial answer
        may be saved as often as it grows.
        """
        return self.outbox.add(save_step(owner, thread_id, step))

    def delete_step(self, owner: str, thread_id: str, step_id: str) -> bool:
        """Delete a message or a step, after what was saved before; whether that was taken."""
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
        """Create a conversation, or change what is known of it; whether that was taken.

        A key of the metadata that is `None` is taken away; keys that are absent stay.
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
        """How much of a conversation is not stored."""
        return self.outbox.of(thread_id)

    def subscribe(self, listener: Listener) -> None:
        """Have a function called when a conversation is late, saved after that, incomplete, deleted or refused."""
        self.outbox.subscribe(listener)

    async def written(self, thread_id: str, seconds: float = WRITTEN_SECONDS) -> bool:
        """Wait until all of a conversation is stored, at most so long; whether it is."""
        return await self.outbox.written(thread_id, seconds)

    # Reading

    async def get_thread(self, thread_id: str, owner: str | None = None) -> dict[str, Any] | None:
        """A conversation with its messages, in the shape that Chainlit's page reads; `None` if there is none.

        Writes that are not stored yet are included.

        Args:
            thread_id: The conversation.
            owner: `None` for anybody's: the caller compares `userIdentifier` then.
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
        """A page of a person's conversations without their messages, the last changed one first.

        Args:
            owner: The person.
            first: So many at most; between 1 and 100.
            cursor: Where the page before ended; one that is malformed is as none.
            search: Words that their name or a message holds, in upper or lower case.
            value: The feedback that a message has: 1 or 0.
        """
        return await listing.page(self._database, owner, first=first, cursor=cursor, search=search, value=value)

    async def owner_of_thread(self, thread_id: str) -> str | None:
        """The identifier of the person whose conversation it is; `None` if there is none, or nobody's."""
        thread_id = clean_id(thread_id)
        stored = await reading.owner_of_thread(self._database, thread_id)
        waiting = self.outbox.operations_of(thread_id)
        return stored or (waiting[0].owner if waiting else None)

    async def favorites(self, owner: str) -> list[dict[str, Any]]:
        """The messages that a person marked."""
        return await reading.favorites(self._database, clean(owner))

    # Changing, with an answer

    async def rename(self, owner: str, thread_id: str, name: str) -> bool:
        """Rename a conversation; whether the person has such a one.

        Raises:
            HistoryAwayError: It did not happen.
        """
        thread_id = clean_id(thread_id)
        await self.written(thread_id)
        return await writing.rename(self._database, clean(owner), thread_id, name)

    async def change_metadata(self, owner: str, thread_id: str, metadata: Mapping[str, Any]) -> None:
        """Change a conversation's metadata, and wait until that is stored; a key that is `None` is taken away.

        Raises:
            HistoryAwayError: It did not happen.
            ForeignError: The conversation is somebody else's.
            DeletedError: The conversation was deleted.
        """
        change = SaveThread(owner=clean(owner), thread_id=clean_id(thread_id), metadata=clean_metadata(metadata))
        await writing.write(self._database, change)

    async def delete_thread(self, owner: str, thread_id: str) -> bool:
        """Delete a conversation for good, at every replica; whether the person had such a one.

        Raises:
            HistoryAwayError: It did not happen.
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
        """Give a message of one's own conversation the one feedback that it has; its id, `None` if it is not one's own.

        Raises:
            HistoryAwayError: It did not happen.
        """
        step_id = clean_id(step_id)
        if waiting := self.outbox.thread_of(step_id) or thread_id:
            await self.written(clean_id(waiting))
        return await feedback.upsert(self._database, clean(owner), step_id, value, comment)

    async def delete_feedback(self, owner: str, feedback_id: str) -> bool:
        """Take back a feedback on a message of one's own conversation; whether there was one.

        Raises:
            HistoryAwayError: It did not happen.
        """
        return await feedback.delete(self._database, clean(owner), clean_id(feedback_id))

    # People and their tokens

    async def person(self, identifier: str) -> Person | None:
        """A person who was here before."""
        return await self._people.get(clean(identifier))

    async def add_person(self, identifier: str, metadata: Mapping[str, Any]) -> Person:
        """Note a person, or what is new about one."""
        return await self._people.add(clean(identifier), metadata)

    async def person_by_id(self, user_id: str) -> Person | None:
        """A person by the id that the database gave."""
        return await self._people.get_by_id(clean_id(user_id))

    async def sign_out(self, token_id: str, expires: float) -> bool:
        """Let a token count as signed out until it expires (seconds since 1970); whether other replicas know already.

        This process knows at once, and goes on to store it while the database is away.
        """
        return await self._sign_outs.add(clean(token_id), expires)

    async def is_signed_out(self, token_id: str) -> bool:
        """Whether a token was signed out; while the database is away, as far as this process knows. Never raises."""
        return await self._sign_outs.has(clean(token_id))

    # The end

    async def flush(self, seconds: float) -> int:
        """Store what waits, at most so long; how many operations are lost, which are logged and counted."""
        return await self.outbox.flush(seconds)

    async def close(self) -> None:
        """Store what the last pages left, stop writing, and close every connection."""
        await self.flush(CLOSING_SECONDS)
        await self.outbox.close()
        await self._database.close()
