"""Estimate of the cost per month: minimum, expected and maximum, with what has no price."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from rich.progress import Progress, SpinnerColumn, TextColumn

from aks_kaito.review.documents import Document
from aks_kaito_cli.cost import gpus, resources
from aks_kaito_cli.cost.choice import NoPriceError, Price, choose
from aks_kaito_cli.cost.gpus import Gpu
from aks_kaito_cli.cost.resources import Line
from aks_kaito_cli.cost.retail import PriceListError
from aks_kaito_cli.terminal import progress_console, threads

# More at once meet the price list's limit on requests.
_AT_ONCE = 4

Ask = Callable[[str], Sequence[Mapping[str, Any]]]


class Range(NamedTuple):
    """Minimum, expected and maximum."""

    minimum: Decimal
    expected: Decimal
    maximum: Decimal

    def plus(self, other: "Range") -> "Range":
        """Return the sum of both."""
        return Range(*(a + b for a, b in zip(self, other, strict=True)))


NOTHING = Range(Decimal(0), Decimal(0), Decimal(0))


@dataclass(frozen=True)
class Priced:
    """A line with its price.

    Attributes:
        price: The price; None if there is none.
        reason: The reason for which there is none.
        is_asked: Whether the price list has answered, so that another question would not help.
    """

    line: Line
    price: Price | None
    reason: str = ""
    is_asked: bool = True

    @property
    def monthly(self) -> Range:
        """The price per month for the smallest, the middle and the largest number."""
        if self.price is None:
            return NOTHING
        least, most = Decimal(self.line.minimum), Decimal(self.line.maximum)
        return Range(*(self.price.monthly(number) * self.line.share for number in (least, (least + most) / 2, most)))


@dataclass(frozen=True)
class PricedGpu:
    """The GPU nodes of a model with their price.

    Attributes:
        hourly: The price of one node for an hour; None if there is none.
    """

    gpu: Gpu
    priced: Priced
    hourly: Decimal | None


@dataclass(frozen=True)
class Estimate:
    """The cost of an environment.

    Attributes:
        platform: Everything but GPU nodes.
        by_use: Use that Azure bills, such as data per GiB.
        without_rule: Types of resources that this program has no meter for.
    """

    platform: Sequence[Priced]
    gpus: Sequence[PricedGpu]
    by_use: Sequence[str]
    without_rule: Sequence[str]

    @property
    def platform_total(self) -> Range:
        """The sum without GPU nodes."""
        return _sum(each.monthly for each in self.platform)

    @property
    def gpu_total(self) -> Range:
        """The sum of the GPU nodes."""
        return _sum(each.priced.monthly for each in self.gpus)

    @property
    def total(self) -> Range:
        """The sum of everything that has a price."""
        return self.platform_total.plus(self.gpu_total)

    @property
    def lines(self) -> list[Priced]:
        """All lines, the GPU nodes last."""
        return [*self.platform, *(each.priced for each in self.gpus)]

    @property
    def is_asked(self) -> bool:
        """Whether the price list has answered all questions."""
        return all(each.is_asked for each in self.lines)

    @property
    def not_priced(self) -> list[tuple[str, str]]:
        """Label and reason of everything that costs something by the hour and has no price."""
        found = [(each.line.label, each.reason) for each in self.lines if each.reason]
        return [*found, *((each, "this program has no meter for this type of resource") for each in self.without_rule)]

    @property
    def is_priced(self) -> bool:
        """Whether anything has a price, or nothing needs one."""
        return not self.lines or any(each.price is not None for each in self.lines)


def estimate(documents: Iterable[Document], summary: Mapping[str, Any], ask: Ask) -> Estimate:
    """Return the cost of stacks; `ask` returns the price list's entries for a filter."""
    stacks = list(documents)
    found = _merged(resources.lines(stacks))
    models = list(gpus.of_summary(summary))
    price = _Prices(ask)
    price.fetch([*found, *(model.line for model in models)])
    return Estimate(
        platform=[price.of(line) for line in found],
        gpus=[_of_nodes(model, price.of(model.line)) for model in models],
        by_use=list(resources.billed_by_use(stacks)),
        without_rule=list(resources.without_rule(stacks)),
    )


class _Prices:
    """Prices of lines; each question is asked once."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._answers: dict[str, Sequence[Mapping[str, Any]] | PriceListError] = {}

    def fetch(self, lines: Iterable[Line]) -> None:
        """Ask all questions, some at a time; without a region, the answer would have all regions."""
        questions = sorted({line.meter.query(line.region) for line in lines if _has_region(line)})
        columns = (SpinnerColumn(), TextColumn("{task.completed} of {task.total} prices"))
        with (
            Progress(*columns, console=progress_console(), transient=True) as progress,
            threads(_AT_ONCE) as pool,
        ):
            answers = progress.track(pool.map(self._answer, questions), total=len(questions))
            self._answers = dict(zip(questions, answers, strict=True))

    def of(self, line: Line) -> Priced:
        """Return a line with its price."""
        if not _has_region(line):
            return Priced(line, None, "the region is not known")
        answer = self._answers[line.meter.query(line.region)]
        if isinstance(answer, PriceListError):
            return Priced(line, None, str(answer), is_asked=False)
        try:
            return Priced(line, choose(answer, line.meter, line.region, datetime.now(UTC)))
        except NoPriceError as error:
            return Priced(line, None, str(error))
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            reason = f"the price list's entry has another form than expected ({type(error).__name__}: {error})"
            return Priced(line, None, reason)

    def _answer(self, question: str) -> Sequence[Mapping[str, Any]] | PriceListError:
        try:
            return self._ask(question)
        except PriceListError as error:
            return error


def _has_region(line: Line) -> bool:
    return bool(line.region) or line.meter.is_global


def _merged(lines: Iterable[Line]) -> list[Line]:
    """Return the lines with equal ones counted together, such as four private endpoints."""
    least: Counter[Line] = Counter()
    most: Counter[Line] = Counter()
    for line in lines:
        alone = replace(line, minimum=0, maximum=0)
        least[alone] += line.minimum
        most[alone] += line.maximum
    return [replace(line, minimum=least[line], maximum=most[line]) for line in most]


def _of_nodes(gpu: Gpu, priced: Priced) -> PricedGpu:
    """Return the price of a model's nodes; only that of one hour if their number is unknown."""
    hourly = priced.price.hourly() if priced.price else None
    if gpu.nodes is None and priced.price:
        priced = Priced(priced.line, None, f"the number of nodes that KAITO creates for {gpu.preset} is not known here")
    return PricedGpu(gpu, priced, hourly)


def _sum(ranges: Iterable[Range]) -> Range:
    total = NOTHING
    for each in ranges:
        total = total.plus(each)
    return total
