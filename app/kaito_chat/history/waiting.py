"""Types that describe the operations waiting in the outbox."""

import asyncio
import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from kaito_chat.history.operations import Operation


@dataclass(frozen=True)
class Limits:
    """How much waits, and how patiently.

    Attributes:
        operations: At most so many operations wait.
        size: At most so many bytes wait.
        share: The part of both that one person may take.
        workers: So many conversations are written side by side.
        first_pause: Seconds before the second attempt; each further pause doubles.
        longest_pause: Seconds between attempts at most.
        overtakes: An operation that fails so often while others succeed is refused, whatever the database says.
        late: After so many seconds a conversation counts as not stored, and listeners are told.
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
    """How much waits, of all people and of each.

    Args:
        limits: How much may wait.

    Attributes:
        operations: So many operations wait.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.operations = 0
        self._bytes = 0
        self._operations_of: Counter[str] = Counter()
        self._bytes_of: Counter[str] = Counter()

    def has_room(self, operation: Operation, instead: int | None = None) -> bool:
        """Whether an operation may wait too, or become a part of one that waits with so many bytes.

        Signing out belongs to nobody's conversations, is small, and must not be lost: it has as much room again.
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
        """Count operations and bytes of a person that wait, or wait no more."""
        self.operations += count
        self._bytes += size
        self._operations_of[owner] += count
        self._bytes_of[owner] += size
        if not self._operations_of[owner]:
            del self._operations_of[owner], self._bytes_of[owner]


class Change(NamedTuple):
    """A conversation of which listeners are told something.

    Attributes:
        thread_id: The conversation.
        owner: Whose page it concerns.
        kind: `late`: something of it waits for longer than `Limits.late`; `saved`: all of it is stored, after it was
            late. The others are told once: `dropped`: something of it is lost; `deleted`: it was deleted, here or at
            another replica, and nothing of it is stored any more; `foreign`: a write was refused because the
            conversation belongs to somebody else, or the message to another conversation.
    """

    thread_id: str
    owner: str
    kind: Literal["late", "saved", "dropped", "deleted", "foreign"]


class Waiting(NamedTuple):
    """How much of a conversation is not stored.

    Attributes:
        operations: So many writes wait.
        seconds: The oldest one waits for so long.
        dropped: So many were lost since the process started.
    """

    operations: int
    seconds: float
    dropped: int


Listener = Callable[[Change], None]


@dataclass
class Conversation:
    """The queue of one conversation; `idle` is set when it is empty, and a new queue is made for what comes later."""

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
        """Those that are not stored yet, oldest first."""
        return [*([self.writing] if self.writing else []), *self.waiting]

    @property
    def since(self) -> float:
        """When the oldest one was asked for, by the monotonic clock; infinity if all are stored."""
        return self.operations[0].since if self.operations else math.inf
