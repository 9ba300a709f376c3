"""How a rule is written down: the keys it reads, and a generator of the problems it finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from aks_kaito.settings.environment import Settings
from aks_kaito.settings.problems import Problem


@dataclass(frozen=True)
class Context:
    """What rules look at: the settings, the environment's name, and today's date for the warnings."""

    settings: Settings
    environment: str
    today: date


Check = Callable[[Context], Iterator[Problem]]


@dataclass(frozen=True)
class Rule:
    """A check and the dotted keys (or whole tables) it reads; it is skipped when one of them is broken."""

    keys: tuple[str, ...]
    check: Check

    def touches(self, broken: frozenset[str]) -> bool:
        """Whether a key that this rule reads, or a part of it, is among the broken ones."""
        return any(
            key == bad or key.startswith(f"{bad}.") or bad.startswith(f"{key}.") for key in self.keys for bad in broken
        )


RULES: list[Rule] = []
WARNINGS: list[Rule] = []


def rule(*keys: str) -> Callable[[Check], Check]:
    """Register a check whose problems refuse the file."""

    def register(check: Check) -> Check:
        RULES.append(Rule(keys, check))
        return check

    return register


def warning(*keys: str) -> Callable[[Check], Check]:
    """Register a check whose problems are only told: synth goes on."""

    def register(check: Check) -> Check:
        WARNINGS.append(Rule(keys, check))
        return check

    return register
