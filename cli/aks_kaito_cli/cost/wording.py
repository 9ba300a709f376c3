"""Words and numbers of a cost, for tables, Markdown and JSON."""

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from aks_kaito_cli.answers import Finding
from aks_kaito_cli.cost.difference import Changed, changed, minus
from aks_kaito_cli.cost.estimate import NOTHING, Estimate, PricedGpu, Range
from aks_kaito_cli.cost.gpus import HOURS_OF_A_WEEK, Gpu
from aks_kaito_cli.cost.retail import RetailPrices
from aks_kaito_cli.cost.schedule import Schedule

_CENT = Decimal("0.01")


def money(amount: Decimal) -> str:
    """Return an amount with two digits, such as 1,234.50."""
    return f"{amount.quantize(_CENT, ROUND_HALF_UP):,}"


def sums(amounts: Mapping[str, Decimal]) -> str:
    """Return amounts by currency, such as 12.00 EUR; empty if there are none."""
    return " and ".join(f"{money(amount)} {currency}" for currency, amount in amounts.items())


def signed(amount: Decimal) -> str:
    """Return a difference with its sign; nothing is 0.00."""
    shown = money(amount)
    return f"+{shown}" if amount > 0 and shown != "0.00" else shown.replace("-0.00", "0.00")


def rate(amount: Decimal | None) -> str:
    """Return a price per hour, with the digits of the price list."""
    return "?" if amount is None else f"{amount.quantize(Decimal('0.0001'), ROUND_HALF_UP).normalize():f}"


def span(minimum: int, maximum: int) -> str:
    """Return a number, or both ends of a range."""
    return str(minimum) if minimum == maximum else f"{minimum}-{maximum}"


def money_span(amounts: Range) -> str:
    """Return an amount in whole units, or both ends of a range."""
    ends = [f"{amount.quantize(Decimal(1), ROUND_HALF_UP):,}" for amount in (amounts.minimum, amounts.maximum)]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def per_replica(model: PricedGpu) -> Decimal | None:
    """Return the price of one replica for an hour; None if its nodes or their price are unknown."""
    return None if model.hourly is None or model.gpu.nodes is None else model.hourly * model.gpu.nodes


def hours_of(gpu: Gpu) -> str:
    """Return the hours of a model's schedule as the end of a label; empty without one."""
    return (
        "" if gpu.hours_per_week is None else f", {gpu.hours_per_week.normalize():f} of {HOURS_OF_A_WEEK} hours a week"
    )


def findings(estimate: Estimate) -> Iterator[Finding]:
    """Yield what has no price, then what Azure bills by use."""
    for label, reason in estimate.not_priced:
        yield Finding("Not priced", label, "unknown", reason)
    for each in estimate.by_use:
        noun, _, use = each.partition(": ")
        yield Finding("Billed by use", noun, "info", use)


def saving(estimate: Estimate, schedule: Schedule) -> Range:
    """Return what GPU nodes save that do not run outside the schedule; models with one of their own save it already."""
    total = NOTHING
    for each in estimate.gpus:
        if each.gpu.hours_per_week is None:
            total = total.plus(each.priced.monthly)
    return Range(*(amount * (1 - schedule.share) for amount in total))


def sentence(name: str, estimate: Estimate, currency: str, schedule: Schedule | None) -> str:
    """Return the answer in one sentence, with a second one for the schedule."""
    least = "at least " if estimate.not_priced else ""
    gpu = f", {money_span(estimate.gpu_total)} of them for GPU nodes" if estimate.gpus else ""
    text = f"{name} costs {least}{money_span(estimate.total)} {currency} per month{gpu}."
    if any(each.gpu.hours_per_week is not None for each in estimate.gpus):
        text += " Hours in which users wake a model outside its schedule are not included."
    if schedule is not None:
        saved = money_span(saving(estimate, schedule))
        text += f" GPU nodes that run only {schedule} save {saved} {currency} per month."
    return text


def notes(prices: RetailPrices) -> list[str]:
    """Return a sentence about the prices; none if no price was needed."""
    if prices.oldest is None:
        return []
    late = f"; newer ones cannot be read: {prices.problem}" if prices.problem else ""
    return [f"Prices of {prices.oldest:%Y-%m-%d}, pay-as-you-go, without taxes and discounts{late}."]


def difference_sentence(name: str, old: Estimate, new: Estimate, base: str, currency: str) -> str:
    """Return the cost of a change in one sentence."""
    differs, found = minus(new.total, old.total), list(changed(old, new))
    if not found:
        return f"The change since {base} does not change the cost of {name}."
    ends = [signed(differs.minimum), signed(differs.maximum)]
    amount = ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
    lacking = sum(not each.is_priced for each in found)
    more = f", without {lacking} changed line{'s' if lacking > 1 else ''} that cannot be priced" if lacking else ""
    return f"The change since {base} changes the cost of {name} by {amount} {currency} per month{more}."


def difference_cells(each: Changed) -> tuple[str, ...]:
    """Return number and amounts of a line that differs."""
    amounts = tuple(map(signed, each.difference)) if each.is_priced else ("not priced", "", "")
    return (numbers(each), *amounts)


def numbers(each: Changed) -> str:
    """Return old and new number of a line."""
    old, new = (f"{span(side.line.minimum, side.line.maximum)}" if side else "0" for side in (each.old, each.new))
    return new if old == new else f"{old} → {new}"


def as_data(estimate: Estimate) -> dict[str, Any]:
    """Return an estimate as plain data for JSON."""
    return {
        "platform": [
            {
                "label": each.line.label,
                "minimum": each.line.minimum,
                "maximum": each.line.maximum,
                "meter": each.price.meter if each.price else None,
                "since": each.price.since if each.price else None,
                "monthly": _data(each.monthly) if each.price else None,
            }
            for each in estimate.platform
        ],
        "gpus": [
            {
                "name": each.gpu.name,
                "preset": each.gpu.preset,
                "size": each.gpu.size,
                "nodes_per_replica": each.gpu.nodes,
                "replicas": {"minimum": each.gpu.minimum, "maximum": each.gpu.maximum},
                "hours_per_week": _number(each.gpu.hours_per_week),
                "hourly_per_node": _number(each.hourly),
                "hourly_per_replica": _number(per_replica(each)),
                "monthly": _data(each.priced.monthly) if each.priced.price else None,
            }
            for each in estimate.gpus
        ],
        "totals": {
            "platform": _data(estimate.platform_total),
            "gpus": _data(estimate.gpu_total),
            "all": _data(estimate.total),
        },
        "not_priced": [{"label": label, "reason": reason} for label, reason in estimate.not_priced],
        "billed_by_use": list(estimate.by_use),
    }


def difference_data(old: Estimate, new: Estimate) -> dict[str, Any]:
    """Return the cost of a change as plain data for JSON."""
    lines = [
        {
            "label": each.label,
            "number": numbers(each),
            "monthly": _data(each.difference) if each.is_priced else None,
        }
        for each in changed(old, new)
    ]
    return {"lines": lines, "totals": _data(minus(new.total, old.total))}


def range_data(amounts: Range) -> dict[str, float]:
    """Return a range as plain data for JSON."""
    return _data(amounts)


def _data(amounts: Range) -> dict[str, float]:
    return {key: float(amount.quantize(_CENT, ROUND_HALF_UP)) for key, amount in amounts._asdict().items()}


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
