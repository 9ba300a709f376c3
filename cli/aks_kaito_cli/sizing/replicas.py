"""The smallest number of replicas that serves a load, found by simulating it."""

import math
from dataclasses import dataclass, replace

from aks_kaito_cli.sizing.chat_pods import pods_for
from aks_kaito_cli.sizing.load import Load
from aks_kaito_cli.sizing.simulation import Fleet, Outcome, share, simulate
from aks_kaito_cli.sizing.speed import Speed

# The largest number that an environment file accepts.
MOST_REPLICAS = 100
_PERCENTILE = 0.95
# Answers slower than the target are one in twenty at most.
_SLOW = 0.05
_QUESTIONS = 4000
# More users, or questions per second, are simulated as several equal parts with replicas of their own.
_PART_USERS, _PART_QUESTIONS_PER_SECOND = 4000, 50
_SECONDS = (300.0, 86_400.0)
_WARM_UP_SECONDS = 120.0


@dataclass(frozen=True)
class Target:
    """The service that users get.

    Attributes:
        first_text_seconds: Longest time to the first text, of 95 in 100 questions.
        answer_tokens_per_second: Lowest speed of an answer, of 95 in 100 answers.
    """

    first_text_seconds: float = 2.0
    answer_tokens_per_second: float = 10.0

    def is_met(self, outcome: Outcome) -> bool:
        """Return whether no question is lost and both limits hold."""
        return (
            not outcome.lost
            and share(outcome.first_text, _PERCENTILE) <= self.first_text_seconds
            and share(outcome.speeds, _SLOW) >= (self.answer_tokens_per_second if outcome.speeds else 0)
        )


@dataclass(frozen=True)
class Found:
    """A number of replicas and its simulation; `is_enough` is False if even the largest number does not suffice."""

    replicas: int
    outcome: Outcome
    is_enough: bool


def seconds_for(load: Load) -> float:
    """Return the time to simulate: enough questions for a percentile, and no more than a day."""
    least, most = _SECONDS
    return min(most, max(least, _QUESTIONS / load.questions_per_second))


def smallest(load: Load, speed: Speed, target: Target, seed: int = 1) -> Found:
    """Find the smallest number of replicas that meets the target; for many users, a multiple of their parts."""
    parts = max(math.ceil(load.users / _PART_USERS), math.ceil(load.questions_per_second / _PART_QUESTIONS_PER_SECOND))
    part = replace(load, users=math.ceil(load.users / parts))
    found = _smallest(part, speed, target, max(1, MOST_REPLICAS // parts), seed)
    replicas = min(MOST_REPLICAS, found.replicas * parts)
    return Found(replicas, found.outcome.times(parts), found.is_enough and parts <= MOST_REPLICAS)


def _smallest(load: Load, speed: Speed, target: Target, most: int, seed: int) -> Found:
    """Find the number by doubling, and then by halving the interval."""
    tried: dict[int, Outcome] = {}

    def is_enough(replicas: int) -> bool:
        fleet = Fleet(speed, replicas, pods_for(load.users))
        tried[replicas] = simulate(load, fleet, seconds_for(load), warm_up=_WARM_UP_SECONDS, seed=seed)
        return target.is_met(tried[replicas])

    # Fewer cannot generate the tokens that are asked for.
    most_tokens = speed.most_tokens_per_second(load.prompt.mean, load.answer.mean)
    low = min(most, max(1, int(load.tokens_per_second / most_tokens)))
    high, fails = low, low - 1
    while not is_enough(high):
        if high == most:
            return Found(high, tried[high], is_enough=False)
        fails, high = high, min(most, high * 2)
    while high - fails > 1:
        middle = (high + fails) // 2
        if is_enough(middle):
            high = middle
        else:
            fails = middle
    return Found(high, tried[high], is_enough=True)
