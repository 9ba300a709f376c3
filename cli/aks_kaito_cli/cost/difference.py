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

    @property
    def is_priced(self) -> bool:
        """Whether each side that has the line has a price for it."""
        return all(side.price is not None for side in (self.old, self.new) if side)


def minus(new: Range, old: Range) -> Range:
    """Return the difference of two ranges: minimum less minimum, and so on."""
    return Range(*(a - b for a, b in zip(new, old, strict=True)))


def changed(old: Estimate, new: Estimate) -> Iterator[Changed]:
    """Yield each line that differs, in the order of the new estimate, then those that are gone."""
    before, after = _lines(old), _lines(new)
    for key in [*after, *(key for key in before if key not in after)]:
        sides = Changed(key[0], before.get(key), after.get(key))
        if _number(sides.old) != _number(sides.new) or any(sides.difference):
            yield sides


def _lines(estimate: Estimate) -> dict[tuple[str, str], Priced]:
    """Return the lines by label and region."""
    return {(each.line.label, each.line.region): each for each in estimate.lines}


def _number(priced: Priced | None) -> tuple[int, int] | None:
    return (priced.line.minimum, priced.line.maximum) if priced else None
