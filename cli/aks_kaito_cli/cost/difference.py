"""Difference of two estimates: the cost of a change."""

from collections.abc import Iterator
from dataclasses import dataclass

from aks_kaito_cli.cost.estimate import NOTHING, Estimate, Priced, Range


@dataclass(frozen=True)
class Changed:
    """A line whose price or number differs; a side is None if it has no such line."""

    label: str
    old: Priced | None
    new: Priced | None

    @property
    def difference(self) -> Range:
        """New less old, per month."""
        return minus(self.new.monthly if self.new else NOTHING, self.old.monthly if self.old else NOTHING)


def minus(new: Range, old: Range) -> Range:
    """Return the difference of two ranges: minimum less minimum, and so on."""
    return Range(*(a - b for a, b in zip(new, old, strict=True)))


def changed(old: Estimate, new: Estimate) -> Iterator[Changed]:
    """Yield each line that differs, in the order of the new estimate, then those that are gone."""
    before, after = _lines(old), _lines(new)
    for label in [*after, *(label for label in before if label not in after)]:
        sides = Changed(label, before.get(label), after.get(label))
        if _number(sides.old) != _number(sides.new) or any(sides.difference):
            yield sides


def _lines(estimate: Estimate) -> dict[str, Priced]:
    lines = [*estimate.platform, *(each.priced for each in estimate.gpus)]
    return {each.line.label: each for each in lines}


def _number(priced: Priced | None) -> tuple[int, int] | None:
    return (priced.line.minimum, priced.line.maximum) if priced else None
