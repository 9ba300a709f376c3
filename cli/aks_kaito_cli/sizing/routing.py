"""The choice of a replica for a question, as the chat makes it (`kaito_chat.models.routing`)."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

# A test compares these numbers with those of the chat.
BUSIER, MORE = 1.25, 2


class Target(Protocol):
    """A replica with a number of questions that it answers or keeps waiting."""

    @property
    def load(self) -> int:
        """The number of questions."""


T = TypeVar("T", bound=Target)


def choose(home: T | None, replicas: Sequence[T]) -> T:
    """Return the conversation's replica while it is about as busy as the others, otherwise the least busy one."""
    least = min(replicas, key=lambda each: each.load)
    if home is None or home.load > least.load * BUSIER + MORE:
        return least
    return home
