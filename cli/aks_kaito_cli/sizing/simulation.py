"""A simulation of users, the chat's routing and replicas, from event to event.

A user thinks (exponentially), asks, reads the answer's last token and thinks again. Each user draws from a generator of
their own, so that two simulations of the same seed compare the same questions.
"""

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from aks_kaito_cli.sizing.load import Load
from aks_kaito_cli.sizing.replica import Question, Replica
from aks_kaito_cli.sizing.routing import choose
from aks_kaito_cli.sizing.speed import Speed

# The application's defaults of KAITO_CHAT_FIRST_TOKEN_TIMEOUT_SECONDS and KAITO_CHAT_MAX_ANSWERS; a test compares them.
FIRST_TEXT_TIMEOUT_SECONDS = 120.0
MAX_ANSWERS_PER_POD = 400


@dataclass(frozen=True)
class Fleet:
    """Replicas of one model behind the pods of the chat."""

    speed: Speed
    replicas: int
    chat_pods: int


@dataclass
class Outcome:
    """The questions of the measured time, and the state of the replicas in it.

    Attributes:
        asked: Number of questions; each is answered, refused or timed out.
        refused: Refused because the chat's pods answer as many as they may, or the prompt exceeds the KV cache.
        timed_out: Without text in the chat's time.
        first_text: Seconds to the first text, sorted.
        speeds: Tokens per second of each answer after its first text, sorted.
        running: Mean number of answers at once, over all replicas.
        most_running: The largest number.
        most_waiting: The largest number of questions without a place.
        tokens_per_second: Tokens of answers, over all replicas.
    """

    asked: int = 0
    answered: int = 0
    refused: int = 0
    timed_out: int = 0
    first_text: list[float] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)
    running: float = 0.0
    waiting: float = 0.0
    most_running: int = 0
    most_waiting: int = 0
    tokens_per_second: float = 0.0

    @property
    def lost(self) -> int:
        """The number of questions without an answer."""
        return self.refused + self.timed_out

    def times(self, parts: int) -> "Outcome":
        """Return the outcome of several equal parts together."""
        counted = ("asked", "answered", "refused", "timed_out", "most_running", "most_waiting")
        summed = ("running", "waiting", "tokens_per_second")
        return replace(self, **{name: getattr(self, name) * parts for name in (*counted, *summed)})


def share(values: list[float], part: float) -> float:
    """Return the value below which a part of sorted values is; 0 without values."""
    return values[min(len(values) - 1, int(len(values) * part))] if values else 0.0


def simulate(load: Load, fleet: Fleet, seconds: float, *, warm_up: float = 300.0, seed: int = 1) -> Outcome:
    """Simulate the busiest hour, or a part of it, after a warm-up that is not measured; then let all answers end."""
    return _Simulation(load, fleet, warm_up, warm_up + seconds, seed).run()


class _Simulation:
    def __init__(self, load: Load, fleet: Fleet, begin: float, end: float, seed: int) -> None:
        self._load, self._fleet, self._begin, self._end = load, fleet, begin, end
        self._replicas = [Replica(number, fleet.speed) for number in range(fleet.replicas)]
        self._chances = [random.Random(f"{seed}/{user}") for user in range(load.users)]  # noqa: S311 (no secret)
        self._homes: list[Replica | None] = [None] * load.users
        self._capacity = fleet.chat_pods * MAX_ANSWERS_PER_POD
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._number = 0
        self._busy = 0
        self._found = Outcome()
        self._tokens_at_begin = self._tokens_at_end = 0.0
        self._then = 0.0

    def run(self) -> Outcome:
        for user in range(self._load.users):
            self._think(user, 0.0)
        # The first and the last event at which the time is measured.
        self._push(self._begin, self._count_until)
        self._push(self._end, self._count_until)
        while self._events:
            now, _, happen = heapq.heappop(self._events)
            self._count_until(now)
            happen(now)
        found, seconds = self._found, self._end - self._begin
        found.running /= seconds
        found.waiting /= seconds
        found.tokens_per_second = (self._tokens_at_end - self._tokens_at_begin) / seconds
        found.first_text.sort()
        found.speeds.sort()
        return found

    def _push(self, time: float, happen: Callable[[float], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (time, self._number, happen))

    def _think(self, user: int, now: float) -> None:
        self._push(now + self._chances[user].expovariate(1 / self._load.think_seconds), partial(self._ask, user))

    def _count_until(self, now: float) -> None:
        """Add the time since the event before to the means, as far as it is measured."""
        if self._then < self._begin <= now:
            self._tokens_at_begin = sum(each.tokens for each in self._replicas)
        if self._then < self._end <= now:
            self._tokens_at_end = sum(each.tokens for each in self._replicas)
        within = min(now, self._end) - max(self._then, self._begin)
        if within > 0:
            waiting = sum(each.waiting for each in self._replicas)
            running = self._busy - waiting
            self._found.running += running * within
            self._found.waiting += waiting * within
            self._found.most_running = max(self._found.most_running, running)
            self._found.most_waiting = max(self._found.most_waiting, waiting)
        self._then = now

    def _ask(self, user: int, now: float) -> None:
        if now >= self._end:
            return
        chance = self._chances[user]
        prompt, answer = max(1.0, self._load.prompt.draw(chance)), max(1.0, self._load.answer.draw(chance))
        is_measured = now >= self._begin
        self._found.asked += is_measured
        home = self._homes[user]
        replica = choose(home, self._replicas)
        unread = prompt * (1 - self._load.cached_share) if replica is home else prompt
        question = Question(user, now, prompt, unread, answer)
        if self._busy >= self._capacity or not replica.can_hold(question):
            self._found.refused += is_measured
            self._think(user, now)
            return
        self._homes[user] = replica
        self._busy += 1
        replica.ask(question, now)
        self._push(now + FIRST_TEXT_TIMEOUT_SECONDS, partial(self._give_up, question, replica))
        self._expect(replica)

    def _give_up(self, question: Question, replica: Replica, now: float) -> None:
        # A question whose prompt is being read has a place, and its text is near.
        if question.first_text <= now or replica.is_reading(question):
            return
        replica.withdraw(question, now)
        self._busy -= 1
        self._found.timed_out += question.asked >= self._begin
        self._think(question.user, now)
        self._expect(replica)

    def _change(self, replica: Replica, version: int, now: float) -> None:
        if version != replica.version:
            return
        finished = replica.happen(now)
        if finished is not None:
            self._busy -= 1
            self._note(finished)
            self._think(finished.user, now)
        self._expect(replica)

    def _expect(self, replica: Replica) -> None:
        time = replica.next_event()
        if time != math.inf:
            self._push(time, partial(self._change, replica, replica.version))

    def _note(self, question: Question) -> None:
        if question.asked < self._begin:
            return
        found = self._found
        found.answered += 1
        found.first_text.append(question.first_text - question.asked)
        seconds = question.finished - question.first_text
        if question.answer > 1 and seconds > 0:
            found.speeds.append((question.answer - 1) / seconds)
