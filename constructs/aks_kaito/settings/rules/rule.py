"""The form of a rule: the keys that it reads, and a check that yields the problems."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial

from aks_kaito.settings.environment import Settings
from aks_kaito.settings.problems import Problem


@dataclass(frozen=True)
class Context:
    """The input of a check: the settings, the environment's name, and today's date."""

    settings: Settings
    environment: str
    today: date


Check = Callable[[Context], Iterator[Problem]]


@dataclass(frozen=True)
class Rule:
    """A check and the dotted keys or whole tables that it reads; the reader skips it if one of them is broken."""

    keys: tuple[str, ...]
    check: Check

    def touches(self, broken: frozenset[str]) -> bool:
        """Return whether a broken key is one of the rule's keys, lies inside one or contains one."""
        return any(
            key == bad or key.startswith(f"{bad}.") or bad.startswith(f"{key}.") for key in self.keys for bad in broken
        )


def rule(*keys: str) -> Callable[[Check], Rule]:
    """Make a check into a rule that reads these keys; `rules/__init__.py` lists it as an error or a warning."""
    return partial(Rule, keys)
