"""Markdown of a cost, for a comment on a pull request."""

from collections.abc import Iterator, Sequence

from aks_kaito_cli.cost.actual import Billed
from aks_kaito_cli.cost.difference import changed, minus
from aks_kaito_cli.cost.estimate import Estimate, Priced, Range
from aks_kaito_cli.cost.wording import difference_cells, hours_of, money, per_replica, rate, signed, span

_HEAD = ("Number", "Minimum", "Expected", "Maximum")


def of_estimate(estimate: Estimate, currency: str) -> Iterator[str]:
    """Yield the lines of one estimate, its parts without a price last."""
    yield from _head(f"{currency} per month")
    for each in estimate.platform:
        yield _priced(each)
    for model in estimate.gpus:
        yield _priced(model.priced)
    yield _row("**all together**", "", *map(money, estimate.total))
    yield ""
    for model in estimate.gpus:
        nodes = "?" if model.gpu.nodes is None else model.gpu.nodes
        yield (
            f"{model.gpu.name.capitalize()} `{model.gpu.preset}`: {nodes} node(s) of `{model.gpu.size}` per replica, "
            f"{rate(model.hourly)} {currency} per node and hour, {rate(per_replica(model))} per replica and hour"
            f"{hours_of(model.gpu)}."
        )
        yield ""
    yield from _rest(estimate)


def of_difference(old: Estimate, new: Estimate, currency: str) -> Iterator[str]:
    """Yield the lines that differ, then what has no price in the new estimate."""
    found = list(changed(old, new))
    if found:
        yield from _head(f"{currency} per month")
        for each in found:
            yield _row(each.label, *difference_cells(each))
        yield _row("**all together**", "", *map(signed, minus(new.total, old.total)))
        yield ""
    yield _total("Before", old.total, currency)
    yield _total("After", new.total, currency)
    yield ""
    yield from _rest(new)


def of_bill(billed: Sequence[Billed]) -> Iterator[str]:
    """Yield the cost of each service by resource group."""
    yield _row("Resource group", "Service", "Cost", "")
    yield _row("---", "---", "---:", "---")
    for each in billed:
        yield _row(each.group, each.service, money(each.cost), each.currency)


def _rest(estimate: Estimate) -> Iterator[str]:
    if estimate.not_priced:
        yield f"**Not priced:** {'; '.join(f'{label} ({reason})' for label, reason in estimate.not_priced)}."
        yield ""
    if estimate.by_use:
        yield f"<details><summary>Billed by use, and not estimated: {len(estimate.by_use)}</summary>"
        yield ""
        yield from (f"- {each}" for each in estimate.by_use)
        yield ""
        yield "</details>"
        yield ""


def _total(label: str, total: Range, currency: str) -> str:
    shown = f"{money(total.minimum)} to {money(total.maximum)}, expected {money(total.expected)}"
    return f"- {label}: {shown} {currency} per month"


def _head(first: str) -> Iterator[str]:
    yield _row(first, *_HEAD)
    yield _row("---", *["---:"] * len(_HEAD))


def _priced(priced: Priced) -> str:
    line = priced.line
    amounts = map(money, priced.monthly) if priced.price else ("not priced", "", "")
    return _row(line.label, span(line.minimum, line.maximum), *amounts)


def _row(*cells: str) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
