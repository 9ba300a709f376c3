"""Limits, counts and queues of the operations pending in the outbox."""

import asyncio
import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from kaito_chat.history.operations import Operation


@dataclass(frozen=True)
class OutboxLimits:
    """Limits of the outbox.

    Attributes:
        operations: The maximum number of pending operations.
        size: The maximum size of pending operations, in bytes.
        share: The fraction of both that one user may take.
        workers: The number of conversations written in parallel.
        first_pause: Seconds before the first retry; doubled for each further one.
        longest_pause: The maximum seconds between retries.
        overtakes: The number of failures, while other operations succeed, after which an operation is dropped.
        late: Seconds after which a conversation counts as not stored and listeners are notified.
    """

    operations: int = 20_000
    size: int = 64 * 1024 * 1024
    share: float = 0.25
    workers: int = 4
    first_pause: float = 0.2
    longest_pause: float = 5.0
    overtakes: int = 100
    late: float = 5.0


class Load:
    """Counts of pending operations and bytes, in total and per user.

    Args:
        limits: The limits to enforce.

    Attributes:
        operations: The number of pending operations.
    """

    def __init__(self, limits: OutboxLimits) -> None:
        self._limits = limits
        self.operations = 0
        self._bytes = 0
        self._operations_of: Counter[str] = Counter()
        self._bytes_of: Counter[str] = Counter()

    def has_room(self, operation: Operation, instead: int | None = None) -> bool:
        """Return whether an operation fits: as a new one, or merged into a pending one of `instead` bytes.

        Sign-outs have no owner, are small, and must not be lost: for them the limits are twice as high.
        """
        most, size, owner = self._limits.operations, self._limits.size, operation.owner
        count, more = (1, operation.size) if instead is None else (0, operation.size - instead)
        if not owner:
            return self.operations + count <= 2 * most and self._bytes + more <= 2 * size
        return (
            self.operations + count <= most
            and self._bytes + more <= size
            and self._operations_of[owner] + count <= most * self._limits.share
            and self._bytes_of[owner] + more <= size * self._limits.share
        )

    def change(self, owner: str, count: int, size: int) -> None:
        """Add to a user's counts of operations and bytes; negative numbers subtract."""
        self.operations += count
        self._bytes += size
        self._operations_of[owner] += count
        self._bytes_of[owner] += size
        if not self._operations_of[owner]:
            del self._operations_of[owner], self._bytes_of[owner]


class Change(NamedTuple):
    """A change in the storage of a conversation, for listeners.

    Attributes:
        thread_id: The conversation.
        owner: The user whose pages to notify.
        kind: `late`: a write is pending for longer than `late`; `saved`: everything is stored after it was late.
            The others are sent once: `dropped`: a write was lost; `deleted`: the conversation was deleted, on this or
            another replica, and is no longer stored; `foreign`: a write was rejected because the conversation belongs
            to another user, or the message to another conversation.
    """

    thread_id: str
    owner: str
    kind: Literal["late", "saved", "dropped", "deleted", "foreign"]


class Waiting(NamedTuple):
    """The state of a conversation's pending writes.

    Attributes:
        operations: The number of pending writes.
        seconds: The age of the oldest one.
        dropped: The number of writes lost since the process started.
    """

    operations: int
    seconds: float
    dropped: int


Listener = Callable[[Change], None]


@dataclass
class PendingConversation:
    """The queue of one conversation; `idle` is set when it is empty, and later writes start a new queue."""

    thread_id: str
    owner: str
    waiting: deque[Operation] = field(default_factory=deque)
    writing: Operation | None = None
    late: bool = False
    pause: float = 0.0
    overtaken: int = 0
    seen: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def operations(self) -> list[Operation]:
        """The pending operations, oldest first."""
        return [*([self.writing] if self.writing else []), *self.waiting]

    @property
    def since(self) -> float:
        """The time of the oldest operation on the monotonic clock; infinity if there is none."""
        return self.operations[0].since if self.operations else math.inf
