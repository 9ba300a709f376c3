"""Limits on answers that run and on questions per minute, for one user and for the whole process."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Reason = Literal["user_answers", "answers", "user_rate", "rate"]
MINUTE_SECONDS = 60.0
FEW_KEYS = 1000
# When to try again after a limit on running answers: nobody knows when one of them ends.
RUNNING_SECONDS = 10.0


@dataclass(frozen=True)
class Refusal:
    """A question that is not accepted now.

    Attributes:
        reason: Which limit it met: on one user's running answers, on all of them, on one user's questions per
            minute, or on all questions per minute.
        retry_after_seconds: When another try may succeed.
    """

    reason: Reason
    retry_after_seconds: float


class Rate:
    """Counts events in a sliding window.

    Args:
        most: How many events the window may hold.
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
        """Seconds until another event of a key is within the limit; 0 if it is now."""
        times = self._recent(key)
        return 0.0 if len(times) < self._most else max(0.001, times[0] + self._seconds - self._clock())

    def count(self, key: str) -> None:
        """Note an event."""
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
        """Drop keys whose events are all old, each time that their number has doubled: memory follows who is active."""
        for key in [key for key in self._times if not self._recent(key)]:
            del self._times[key]
        self._forget_at = max(FEW_KEYS, 2 * len(self._times))


class Limits:
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
        self._running: Counter[str] = Counter()

    def refusal(self, user: str) -> Refusal | None:
        """Why a question of a user is not accepted now; `None` if it is."""
        if wait := self._users.wait(user):
            return Refusal("user_rate", wait)
        if wait := self._all.wait(""):
            return Refusal("rate", wait)
        if self._running[user] >= self._user_answers:
            return Refusal("user_answers", RUNNING_SECONDS)
        if self._running.total() >= self._answers:
            return Refusal("answers", RUNNING_SECONDS)
        return None

    def count(self, user: str) -> None:
        """Count a question of a user that is not answered: it takes nothing from the others."""
        self._users.count(user)

    @contextmanager
    def answering(self, user: str) -> Iterator[None]:
        """Count a question that was accepted, and its answer for as long as it runs."""
        self.count(user)
        self._all.count("")
        self._running[user] += 1
        try:
            yield
        finally:
            self._running[user] -= 1
            if not self._running[user]:
                del self._running[user]
