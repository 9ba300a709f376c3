"""The table of causes, and the cause of some evidence."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

Kind = Literal["azure", "claim", "kaito", "controller", "pod", "log", "address", "certificate"]


class Evidence(NamedTuple):
    """A text that may name a cause.

    Attributes:
        place: The object that has it, such as NodeClaim ws1a2b3c4d5.
    """

    kind: Kind
    text: str
    place: str


@dataclass(frozen=True)
class Cause:
    """A row of the table.

    Attributes:
        patience: Seconds in a stage before the evidence counts.
    """

    key: str
    kinds: frozenset[str]
    pattern: re.Pattern[str]
    sentence: str
    remedy: str
    patience: float


class Diagnosis(NamedTuple):
    """A cause, and the evidence for it."""

    cause: Cause
    evidence: Evidence


@cache
def causes() -> tuple[Cause, ...]:
    """Return all causes, the exact ones first."""
    table = tomllib.loads(files("aks_kaito_cli.status").joinpath("causes.toml").read_text(encoding="utf-8"))
    return tuple(
        Cause(
            key,
            frozenset(row["kinds"]),
            re.compile(row["pattern"], re.IGNORECASE),
            row["sentence"],
            row["remedy"],
            float(row.get("patience", 0)),
        )
        for key, row in table.items()
    )


def diagnose(evidence: Iterable[Evidence], seconds: float | None = None) -> Diagnosis | None:
    """Return the first cause of the table that some evidence names; None if there is none.

    `seconds` is the time since the stage began; evidence that needs patience does not count while it is unknown.
    """
    given = list(evidence)
    for cause in causes():
        if cause.patience > (seconds or 0):
            continue
        for each in given:
            if each.kind in cause.kinds and cause.pattern.search(each.text):
                return Diagnosis(cause, each)
    return None
