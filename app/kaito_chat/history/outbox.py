"""Queue of writes with retries: in order within a conversation, several conversations in parallel.

A transient error keeps the operation; a permanent one drops that operation only. While the database is unavailable a
single worker retries with exponential backoff, and its success resumes all the others.
"""

import asyncio
import contextlib
import logging
import math
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kaito_chat.history.errors import DeletedError, ForeignError, HistoryAwayError
from kaito_chat.history.failures import translate
from kaito_chat.history.operations import Operation, SaveStep
from kaito_chat.history.waiting import Change, Listener, Load, OutboxLimits, PendingConversation, Waiting
from kaito_chat.telemetry import metrics

T = TypeVar("T")
log = logging.getLogger(__name__)

# The most conversations that are remembered as deleted, and as incomplete.
REMEMBERED = 10_000
LATE_LOOK_SECONDS = 1.0


class Outbox:
    """Pending operations, and the workers that write them.

    Args:
        write: Writes one operation in one transaction.
        limits: Limits of the queue and of the retries.
    """

    def __init__(self, write: Callable[[Operation], Awaitable[None]], limits: OutboxLimits | None = None) -> None:
        self._write = write
        self._limits = limits or OutboxLimits()
        self._load = Load(self._limits)
        self._conversations: dict[str, PendingConversation] = {}
        self._ready: asyncio.Queue[PendingConversation] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []
        self._listeners: list[Listener] = []
        self._deleted: OrderedDict[str, bool] = OrderedDict()  # by id: whether listeners were notified
        self._dropped: OrderedDict[str, int] = OrderedDict()
        self._pause = 0.0
        self._given_up = self._successes = 0
        self._probing = asyncio.Lock()
        self._hurry = asyncio.Event()
        metrics.HISTORY_PENDING.set_function(lambda: self.pending)
        metrics.HISTORY_OLDEST.set_function(lambda: self.pending_seconds)

    @property
    def pending(self) -> int:
        """The number of pending operations, including those being written."""
        return self._load.operations

    @property
    def pending_since(self) -> float | None:
        """The time of the oldest pending operation, on the monotonic clock."""
        since = min((each.since for each in self._conversations.values()), default=math.inf)
        return None if since == math.inf else since

    @property
    def pending_seconds(self) -> float:
        """The age of the oldest pending operation, in seconds."""
        since = self.pending_since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def away(self) -> bool:
        """Whether the last attempt failed because the database is unavailable."""
        return self._pause > 0

    def of(self, thread_id: str) -> Waiting:
        """Return the state of a conversation's pending operations."""
        operations = self.operations_of(thread_id)
        seconds = time.monotonic() - operations[0].since if operations else 0.0
        return Waiting(len(operations), seconds, self._dropped.get(thread_id, 0))

    def operations_of(self, thread_id: str) -> list[Operation]:
        """Return a conversation's pending operations, oldest first."""
        conversation = self._conversations.get(thread_id)
        return conversation.operations if conversation else []

    def thread_of(self, step_id: str) -> str | None:
        """Return the id of the conversation that has a pending operation for a step."""
        for thread_id, conversation in self._conversations.items():
            if any(isinstance(each, SaveStep) and each.step["id"] == step_id for each in conversation.operations):
                return thread_id
        return None

    def subscribe(self, listener: Listener) -> None:
        """Register a function that is called at every change; it must not block."""
        self._listeners.append(listener)

    def add(self, operation: Operation) -> bool:
        """Queue an operation; return whether it was accepted."""
        thread_id = operation.thread_id
        if thread_id in self._deleted:
            self._tell_of_deletion(thread_id, operation.owner)
            return False
        conversation = self._conversations.get(thread_id)
        if conversation and self._merged(conversation, operation):
            return True
        if not self._load.has_room(operation):
            self._lose(operation, "full", "too many pending writes for the history's database")
            return False
        if conversation is None:
            conversation = self._conversations[thread_id] = PendingConversation(thread_id, operation.owner)
            self._ready.put_nowait(conversation)
            self._start()
        conversation.waiting.append(operation)
        self._load.change(operation.owner, 1, operation.size)
        return True

    def _merged(self, conversation: PendingConversation, operation: Operation) -> bool:
        """Drop pending operations that this one replaces; return whether another one absorbed it."""
        for each in [each for each in conversation.waiting if each.replaced_by(operation)]:
            conversation.waiting.remove(each)
            self._done(each)
        for each in conversation.waiting:
            before = each.size
            if self._load.has_room(operation, instead=before) and each.takes_in(operation):
                self._load.change(operation.owner, 0, each.size - before)
                return True
        return False

    def forget(self, thread_id: str) -> None:
        """Drop the operations of a deleted conversation, and reject later ones."""
        _remember(self._deleted, thread_id, self._deleted.get(thread_id, False))
        conversation = self._conversations.get(thread_id)
        if conversation:
            for each in conversation.waiting:
                self._done(each)
            conversation.waiting.clear()
            conversation.late = False
            self._tell_of_deletion(thread_id, conversation.owner)

    async def written(self, thread_id: str, seconds: float) -> bool:
        """Wait, with a timeout, until a conversation has no pending operations; return whether it has none."""
        conversation = self._conversations.get(thread_id)
        if conversation is None:
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await conversation.idle.wait()
        return conversation.idle.is_set()

    async def flush(self, seconds: float) -> int:
        """Write all pending operations within a timeout, retrying fast; return the number of those that remain."""
        self._hurry.set()
        deadline = time.monotonic() + seconds
        while self._conversations and (left := deadline - time.monotonic()) > 0:
            await self.written(next(iter(self._conversations)), left)
        self._hurry.clear()
        if self.pending > self._given_up:
            counts = {"operations": self.pending, "conversations": len(self._conversations)}
            log.error("writes lost at shutdown: the history's database did not become available in time", extra=counts)
            metrics.HISTORY_DROPPED.labels("shutdown").inc(self.pending - self._given_up)
        self._given_up = self.pending
        return self.pending

    async def close(self) -> None:
        """Stop writing."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._workers.clear()

    def _start(self) -> None:
        if not self._workers:
            tasks = [*(self._work() for _ in range(self._limits.workers)), self._look_for_late()]
            self._workers = [asyncio.create_task(each, name="history") for each in tasks]

    async def _work(self) -> None:
        while True:
            conversation = await self._ready.get()
            if self.away:
                async with self._probing:
                    await self._rest()
                    await self._write_next(conversation)
            else:
                await self._write_next(conversation)

    async def _rest(self) -> None:
        """Sleep before the next attempt; shortly only while the process is shutting down."""
        pause = self._pause * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
        if pause:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._hurry.wait()
                    await asyncio.sleep(self._limits.first_pause)

    async def _write_next(self, conversation: PendingConversation) -> None:
        if conversation.waiting:
            conversation.writing = conversation.waiting.popleft()
            try:
                keep = await self._attempt(conversation, conversation.writing)
            except asyncio.CancelledError:
                keep = True
                raise
            finally:
                operation, conversation.writing = conversation.writing, None
                if keep:
                    conversation.waiting.appendleft(operation)
                else:
                    self._done(operation)
        if conversation.pause and conversation.waiting:
            asyncio.get_running_loop().call_later(conversation.pause, self._ready.put_nowait, conversation)
        elif conversation.waiting:
            self._ready.put_nowait(conversation)
        else:
            self._emptied(conversation)

    async def _attempt(self, conversation: PendingConversation, operation: Operation) -> bool:
        """Write an operation; return whether to retry it."""
        pause = self._pause
        try:
            await self._write(operation)
        except DeletedError:
            self.forget(operation.thread_id)
        except ForeignError as error:
            self._lose(operation, "foreign", str(error))
        except Exception as error:  # noqa: BLE001 - no error may end a worker
            metrics.HISTORY_ERRORS.inc()
            problem = translate(error)
            if isinstance(problem, HistoryAwayError) and not self._overtaken(conversation):
                self._wait_longer(conversation, problem, pause)
                return operation.thread_id not in self._deleted
            self._lose(operation, "refused", str(problem))
        self._successes += 1
        self._pause = conversation.pause = conversation.overtaken = 0
        return False

    def _overtaken(self, conversation: PendingConversation) -> bool:
        """Return whether others succeeded so often since this conversation began to fail that its data is at fault."""
        conversation.overtaken += self._successes > conversation.seen > 0
        conversation.seen = self._successes
        return conversation.overtaken >= self._limits.overtakes

    def _wait_longer(self, conversation: PendingConversation, problem: HistoryAwayError, pause: float) -> None:
        if problem.reason == "conflict":  # with another transaction: delay this conversation only
            conversation.pause = self._longer(conversation.pause)
            return
        if not self.away:
            log.error("the history's database cannot store: %s", problem, extra={"reason": problem.reason})
        self._pause = self._longer(pause)

    def _longer(self, pause: float) -> float:
        return min(max(pause * 2, self._limits.first_pause), self._limits.longest_pause)

    def _done(self, operation: Operation) -> None:
        self._load.change(operation.owner, -1, -operation.size)

    def _emptied(self, conversation: PendingConversation) -> None:
        del self._conversations[conversation.thread_id]
        conversation.idle.set()
        if conversation.late:
            self._tell(conversation.thread_id, conversation.owner, "saved")

    def _lose(self, operation: Operation, reason: str, words: str) -> None:
        thread_id = operation.thread_id
        metrics.HISTORY_DROPPED.labels(reason).inc()
        before = self._dropped.get(thread_id, 0)
        _remember(self._dropped, thread_id, before + 1)
        if not before:
            log.error("not stored: %s", words, extra={"thread_id": thread_id, "reason": reason})
            self._tell(thread_id, operation.owner, "foreign" if reason == "foreign" else "dropped")

    async def _look_for_late(self) -> None:
        while True:
            await asyncio.sleep(min(LATE_LOOK_SECONDS, self._limits.late))
            for each in list(self._conversations.values()):
                if not each.late and time.monotonic() - each.since > self._limits.late:
                    each.late = True
                    self._tell(each.thread_id, each.owner, "late")

    def _tell_of_deletion(self, thread_id: str, owner: str) -> None:
        if not self._deleted[thread_id]:
            self._deleted[thread_id] = True
            self._tell(thread_id, owner, "deleted")

    def _tell(self, thread_id: str, owner: str, kind: str) -> None:
        for listener in self._listeners:
            try:
                listener(Change(thread_id, owner, kind))  # type: ignore[arg-type]
            except Exception:  # an error in a listener must not stop the writes
                log.exception("a listener of the history failed")


def _remember(among: OrderedDict[str, T], key: str, value: T) -> None:
    among[key] = value
    if len(among) > REMEMBERED:
        among.popitem(last=False)
