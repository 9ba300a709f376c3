"""Rate and concurrency limits: questions per minute and running answers, per user and per process."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Reason = Literal["user_answers", "answers", "user_rate", "rate"]
MINUTE_SECONDS = 60.0
FEW_KEYS = 1000
# Retry delay after a limit on running answers, whose end is not predictable.
RUNNING_SECONDS = 10.0


@dataclass(frozen=True)
class Refusal:
    """The refusal of a question.

    Attributes:
        reason: The limit that was reached: on one user's running answers, on all of them, on one user's questions
            per minute, or on all questions per minute.
        retry_after_seconds: The delay before a retry.
    """

    reason: Reason
    retry_after_seconds: float


class Rate:
    """Counts events in a sliding window.

    Args:
        most: The number of events that the window may hold.
        seconds: The window's length.
        clock: Seconds that only grow.
    """

    def __init__(self, most: int, seconds: float = MINUTE_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._times: dict[str, deque[float]] = {}
        self._forget_at = FEW_KEYS

    def wait(self, key: str) -> float:
        """Return the seconds until another event of a key is allowed; 0 if it is now."""
        times = self._recent(key)
        return 0.0 if len(times) < self._most else max(0.001, times[0] + self._seconds - self._clock())

    def count(self, key: str) -> None:
        """Record an event."""
        if len(self._times) >= self._forget_at:
            self._forget()
        self._times.setdefault(key, deque(maxlen=self._most)).append(self._clock())

    def _recent(self, key: str) -> deque[float]:
        times = self._times.get(key, deque())
        oldest = self._clock() - self._seconds
        while times and times[0] <= oldest:
            times.popleft()
        return times

    def _forget(self) -> None:
        """Drop keys without recent events each time the number of keys has doubled, which bounds the memory."""
        for key in [key for key in self._times if not self._recent(key)]:
            del self._times[key]
        self._forget_at = max(FEW_KEYS, 2 * len(self._times))


class UsageLimits:
    """The limits of one process.

    Args:
        answers: Running answers of all users.
        user_answers: Running answers of one user.
        questions: Questions per minute of all users.
        user_questions: Questions per minute of one user.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        *,
        answers: int,
        user_answers: int,
        questions: int,
        user_questions: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._answers = answers
        self._user_answers = user_answers
        self._all = Rate(questions, clock=clock)
        self._users = Rate(user_questions, clock=clock)
        self._running: Counter[tuple[str, str]] = Counter()

    def refusal(self, user: str, page: str) -> Refusal | None:
        """Return the refusal of a user's question, or `None` if the limits allow it.

        A question of a page whose answer is running replaces that answer, so it needs no other place.
        """
        if wait := self._users.wait(user):
            return Refusal("user_rate", wait)
        if wait := self._all.wait(""):
            return Refusal("rate", wait)
        if (user, page) in self._running:
            return None
        if sum(each == user for each, _ in self._running) >= self._user_answers:
            return Refusal("user_answers", RUNNING_SECONDS)
        if len(self._running) >= self._answers:
            return Refusal("answers", RUNNING_SECONDS)
        return None

    def count(self, user: str) -> None:
        """Count a question that is not answered, against its user's limit only."""
        self._users.count(user)

    @contextmanager
    def answering(self, user: str, page: str) -> Iterator[None]:
        """Count an accepted question, and the answer of its page while the context is open."""
        self.count(user)
        self._all.count("")
        self._running[user, page] += 1
        try:
            yield
        finally:
            self._running[user, page] -= 1
            if not self._running[user, page]:
                del self._running[user, page]
