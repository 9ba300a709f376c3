"""One simulated replica: questions wait in order, their prompts are read one after the other, then answers run."""

import heapq
import math
from collections import deque
from dataclasses import dataclass

from aks_kaito_cli.sizing.speed import Speed


@dataclass
class Question:
    """A question of a user, with its times in seconds; infinite until it happens.

    Attributes:
        prompt: Tokens of the prompt that stay in the KV cache.
        unread: Those of them that this replica must read.
        is_withdrawn: The user got no text in time, and the chat gave up.
    """

    user: int
    asked: float
    prompt: float
    unread: float
    answer: float
    first_text: float = math.inf
    finished: float = math.inf
    is_withdrawn: bool = False


class Replica:
    """A replica with continuous batching.

    Attributes:
        waiting: Number of questions without a place.
        version: Number of changes, by which an event of before is recognized.
        tokens: Tokens generated so far.
    """

    def __init__(self, number: int, speed: Speed) -> None:
        """Begin without questions."""
        self.number = number
        self.waiting = 0
        self.version = 0
        self.tokens = 0.0
        self._speed = speed
        self._queue: deque[Question] = deque()
        self._read: Question | None = None
        self._read_at = math.inf
        self._running: list[tuple[float, int, Question]] = []
        self._steps = 0.0
        self._cached = 0.0
        self._reserved = 0.0
        self._now = 0.0
        self._count = 0

    @property
    def running(self) -> int:
        """The number of answers, including the one whose prompt is being read."""
        return len(self._running) + (self._read is not None)

    @property
    def load(self) -> int:
        """The number of questions."""
        return self.running + self.waiting

    def is_reading(self, question: Question) -> bool:
        """Return whether the question has a place already."""
        return self._read is question

    def can_hold(self, question: Question) -> bool:
        """Return whether the KV cache is large enough for the question alone."""
        return question.prompt + question.answer <= self._speed.cache_tokens

    def ask(self, question: Question, now: float) -> None:
        """Take a question."""
        self._advance(now)
        self._queue.append(question)
        self.waiting += 1
        self._admit()

    def withdraw(self, question: Question, now: float) -> None:
        """Drop a question that waits."""
        self._advance(now)
        question.is_withdrawn = True
        self.waiting -= 1
        self._admit()

    def next_event(self) -> float:
        """Return the time at which a prompt is read or an answer ends, if nothing is asked before."""
        if self._read is not None:
            return self._read_at
        if self._running:
            return self._now + max(0.0, self._running[0][0] - self._steps) * self._step()
        return math.inf

    def happen(self, now: float) -> Question | None:
        """Let the next event happen, and return the question whose answer ends, if one does."""
        if self._read is not None:
            question, self._read = self._read, None
            self._now = now
            question.first_text = now
            self.tokens += min(1.0, question.answer)
            self._cached += question.prompt
            left = self._steps + max(question.answer - 1, 0)
            self._count += 1
            heapq.heappush(self._running, (left, self._count, question))
            self._admit()
            return None
        self._advance(now)
        _, _, question = heapq.heappop(self._running)
        question.finished = now
        self._cached = max(0.0, self._cached - question.prompt - max(question.answer - 1, 0)) if self._running else 0.0
        self._reserved -= question.prompt + question.answer
        self._admit()
        return question

    def _step(self) -> float:
        return self._speed.step(len(self._running), self._cached)

    def _advance(self, now: float) -> None:
        """Generate until now, unless a prompt is being read."""
        if self._read is None and self._running:
            steps = (now - self._now) / self._step()
            self._steps += steps
            self._cached += steps * len(self._running)
            self.tokens += steps * len(self._running)
        self._now = now

    def _admit(self) -> None:
        """Begin to read the next prompt, if there is a place and room in the cache."""
        self.version += 1
        if self._read is not None:
            return
        while self._queue and self._queue[0].is_withdrawn:
            self._queue.popleft()
        if not self._queue or len(self._running) >= self._speed.max_answers:
            return
        needed = self._queue[0].prompt + self._queue[0].answer
        if self._running and self._reserved + needed > self._speed.cache_tokens:
            return
        self._read = self._queue.popleft()
        self.waiting -= 1
        self._reserved += needed
        self._read_at = self._now + self._speed.read(self._read.unread)
