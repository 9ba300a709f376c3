"""Tables of a cost for a terminal."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from rich import box
from rich.markup import escape
from rich.table import Table

from aks_kaito_cli.answers import Finding
from aks_kaito_cli.cost.actual import Billed
from aks_kaito_cli.cost.difference import changed, minus
from aks_kaito_cli.cost.estimate import Estimate, Priced, Range
from aks_kaito_cli.cost.wording import difference_cells, hours_of, money, per_replica, rate, signed, span

_AMOUNTS = ("Minimum", "Expected", "Maximum")


def of_estimate(estimate: Estimate, currency: str) -> Iterator[Table]:
    """Yield the table of all meters, and that of the GPU nodes."""
    yield _per_month(estimate, currency)
    if estimate.gpus:
        yield _per_hour(estimate, currency)


def of_difference(old: Estimate, new: Estimate, currency: str) -> Table:
    """Return the lines that a change adds, removes or changes, with the difference per month."""
    table = _table(f"{currency} per month", "Number", *_AMOUNTS)
    for each in changed(old, new):
        table.add_row(escape(each.label), *difference_cells(each))
    table.add_row("all together", "", *map(signed, minus(new.total, old.total)), style="bold")
    return table


def of_bill(billed: Sequence[Billed], currency: str) -> Table:
    """Return the cost of each service by resource group."""
    table = _table("Resource group", "Service", currency)
    table.columns[1].justify = "left"
    for group, rows in groupby(sorted(billed, key=lambda each: each.group), key=lambda each: each.group):
        found = list(rows)
        shown = f"{escape(group)}{'' if found[0].is_own else ' (by the tag alone)'}"
        for each in found:
            table.add_row(shown, escape(each.service), money(each.cost))
            shown = ""
    table.add_row("all together", "", money(sum((each.cost for each in billed), Decimal(0))), style="bold")
    return table


def by_use(findings: Sequence[Finding]) -> Iterator[Table]:
    """Yield the table of what Azure bills by use, if there is any."""
    if not findings:
        return
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("Billed by use, not estimated", overflow="fold")
    table.add_column("", overflow="fold")
    for each in findings:
        table.add_row(escape(each.subject), escape(each.detail))
    yield table


def _per_month(estimate: Estimate, currency: str) -> Table:
    table = _table(f"{currency} per month", "Number", *_AMOUNTS)
    for each in estimate.platform:
        table.add_row(*_row(each))
    if estimate.gpus:
        table.add_row("without GPU nodes", "", *_amounts(estimate.platform_total), style="bold", end_section=True)
        for model in estimate.gpus:
            table.add_row(*_row(model.priced))
    table.add_row("all together", "", *_amounts(estimate.total), style="bold")
    return table


def _per_hour(estimate: Estimate, currency: str) -> Table:
    table = _table(f"{currency} per hour", "Nodes", "A node", "A replica", "Replicas")
    for each in estimate.gpus:
        gpu = each.gpu
        nodes = "?" if gpu.nodes is None else str(gpu.nodes)
        label = f"{gpu.name}: {gpu.preset}, {gpu.size}{hours_of(gpu)}"
        table.add_row(escape(label), nodes, rate(each.hourly), rate(per_replica(each)), span(gpu.minimum, gpu.maximum))
    return table


def _row(priced: Priced) -> tuple[str, ...]:
    line = priced.line
    amounts = _amounts(priced.monthly) if priced.price else ("not priced", "", "")
    return (escape(line.label), span(line.minimum, line.maximum), *amounts)


def _amounts(amounts: Range) -> tuple[str, ...]:
    return tuple(money(amount) for amount in amounts)


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column(first, overflow="fold")
    for heading in others:
        table.add_column(heading, justify="right", overflow="fold")
    return table
