"""Types that describe the operations waiting in the outbox."""

import asyncio
import math
from collections import deque
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
        workers: So many conversations are written side by side.
        first_pause: Seconds before the second attempt; each further pause doubles.
        longest_pause: Seconds between attempts at most.
        overtakes: An operation that fails so often while others succeed is refused, whatever the database says.
        late: After so many seconds a conversation counts as not stored, and listeners are told.
    """

    operations: int = 20_000
    size: int = 64 * 1024 * 1024
    workers: int = 4
    first_pause: float = 0.2
    longest_pause: float = 5.0
    overtakes: int = 100
    late: float = 5.0


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
