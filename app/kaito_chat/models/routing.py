"""The choice of a replica for a question: few running answers, and the replica that knows the conversation.

A model server caches the beginning of each conversation that it has seen, so a conversation stays at its replica while
that one is about as busy as the others. A replica that is slow or overloaded has more running answers than the others,
and its conversations move away.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeVar

# A conversation leaves its replica if that one has more running answers than this factor and summand allow, compared
# with the least busy one.
BUSIER, MORE = 1.25, 2
MOST_CONVERSATIONS = 20_000


class Target(Protocol):
    """A replica: its name, and the number of its running answers."""

    @property
    def name(self) -> str:
        """A name that the other replicas do not have."""
        ...

    @property
    def running(self) -> int:
        """The number of answers that it is generating."""
        ...


T = TypeVar("T", bound=Target)


class _Place(NamedTuple):
    home: str
    avoided: str = ""


class Router:
    """Chooses a replica for each question."""

    def __init__(self) -> None:
        self._places: OrderedDict[str, _Place] = OrderedDict()

    def choose(self, key: str, replicas: Sequence[T]) -> T | None:
        """Return the replica for the next request of a conversation; `None` if there is none.

        Args:
            key: The conversation.
            replicas: Those that accept requests.
        """
        place = self._places.get(key, _Place(""))
        left = [each for each in replicas if each.name != place.avoided] or replicas
        if not left:
            return None
        least = min(each.running for each in left)
        chosen = next((each for each in left if each.name == place.home), None)
        if chosen is None or chosen.running > least * BUSIER + MORE:
            # Equal ones by a hash of the conversation, which finds the same replica after a restart of this process.
            chosen = max((each for each in left if each.running == least), key=lambda each: _score(key, each.name))
        self._remember(key, _Place(chosen.name))
        return chosen

    def leave(self, key: str, name: str) -> None:
        """Send the next request of a conversation to another replica than the named one, if there is one."""
        self._remember(key, _Place("", name))

    def _remember(self, key: str, place: _Place) -> None:
        self._places[key] = place
        self._places.move_to_end(key)
        if len(self._places) > MOST_CONVERSATIONS:
            self._places.popitem(last=False)


def _score(key: str, name: str) -> bytes:
    return hashlib.blake2b(f"{name}\0{key}".encode(), digest_size=8).digest()
