"""Answers about cost, in each of the forms in which they are printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from aks_kaito_cli.answers import FINE, UNDECIDED, Answer, findings_table
from aks_kaito_cli.cost import markdown, tables, wording
from aks_kaito_cli.cost.actual import Billed, Period, totals
from aks_kaito_cli.cost.estimate import Estimate
from aks_kaito_cli.cost.form import Form
from aks_kaito_cli.cost.retail import RetailPrices
from aks_kaito_cli.cost.schedule import Schedule
from aks_kaito_cli.terminal import Terminal


@dataclass(frozen=True)
class Output:
    """An answer and its tables.

    Attributes:
        tables: For a terminal.
        lines: The same in Markdown.
        notes: Sentences that say where the numbers come from.
    """

    title: str
    answer: Answer
    tables: Sequence[Table]
    lines: Sequence[str]
    notes: Sequence[str] = ()

    def show(self, form: Form) -> int:
        """Print the answer, and return the exit status."""
        if form is Form.JSON:
            print(self.answer.as_json())
        elif form is Form.MARKDOWN:
            print(*[f"### {self.title}", "", self.answer.sentence, "", *self.lines, *self.notes], sep="\n")
        else:
            self._show_tables()
        return self.answer.exit_status

    def _show_tables(self) -> None:
        console = Terminal()
        lacking = [each for each in self.answer.findings if each.state != "info"]
        by_use = [each for each in self.answer.findings if each.state == "info"]
        shown = [*self.tables, *([findings_table(lacking)] if lacking else []), *tables.by_use(by_use)]
        for table in shown:
            console.print(table)
        for line in (*self.notes, self.answer.sentence, f"Next: {self.answer.next_command}"):
            console.print(line, markup=False, soft_wrap=True)


def of_estimate(name: str, found: Estimate, prices: RetailPrices, hours: Schedule | None) -> Output:
    """Return the cost of an environment."""
    if not found.is_priced:
        return _undecided(name, found, prices)
    notes = wording.notes(prices)
    data = {
        "currency": prices.currency,
        "notes": notes,
        **wording.as_data(found),
        "saving": wording.range_data(wording.saving(found, hours)) if hours else None,
    }
    return Output(
        f"Cost of `{name}`",
        _answer(name, found, wording.sentence(name, found, prices.currency, hours), data),
        list(tables.of_estimate(found, prices.currency)),
        list(markdown.of_estimate(found, prices.currency)),
        notes,
    )


def of_difference(name: str, old: Estimate, new: Estimate, base: str, prices: RetailPrices) -> Output:
    """Return the cost of a change since a revision."""
    if not (old.is_priced and new.is_priced):
        return _undecided(name, old if new.is_priced else new, prices)
    notes = wording.notes(prices)
    data = {
        "currency": prices.currency,
        "notes": notes,
        **wording.as_data(new),
        "base": {"revision": base, **wording.as_data(old)},
        "difference": wording.difference_data(old, new),
    }
    return Output(
        f"Cost of `{name}`, compared with `{base}`",
        _answer(name, new, wording.difference_sentence(name, old, new, base, prices.currency), data),
        [tables.of_difference(old, new, prices.currency)],
        list(markdown.of_difference(old, new, prices.currency)),
        notes,
    )


def of_bill(name: str, found: Sequence[Billed], period: Period) -> Output:
    """Return what Azure has billed, each currency in a table of its own."""
    sums = totals(found)
    days = f"from {period.first} to {period.last}"
    own = wording.sums(totals(each for each in found if each.is_own))
    elsewhere = wording.sums(totals(each for each in found if not each.is_own))
    more = f", and {elsewhere} for resources elsewhere that have its tag" if elsewhere else ""
    sentence = f"Azure has billed {own or 'nothing'} for {name} {days}{more}; costs arrive up to two days late."
    data = {"from": str(period.first), "to": str(period.last), "billed": [each.as_data() for each in found]}
    by_currency = [(currency, [each for each in found if each.currency == currency]) for currency in sums]
    return Output(
        f"Cost of `{name}` {days}",
        Answer([], sentence, f"make gpu-pools ENV={name}", FINE, data),
        [tables.of_bill(each, currency) for currency, each in by_currency],
        list(markdown.of_bill(found)),
    )


def _undecided(name: str, found: Estimate, prices: RetailPrices) -> Output:
    """Return the answer without any price: the reasons, once each."""
    reasons = sorted({reason for _, reason in found.not_priced})
    sentence = f"The cost of {name} cannot be told: {'; '.join(reasons)}"
    following = f"make cost ENV={name}, on a machine that reaches {prices.endpoint}"
    data = {"currency": prices.currency, **wording.as_data(found)}
    return Output(f"Cost of `{name}`", Answer([], sentence, following, UNDECIDED, data), [], [])


def _answer(name: str, found: Estimate, sentence: str, data: dict[str, Any]) -> Answer:
    following = f"make cost ENV={name} ACTUAL=1, some days after the deployment"
    status = FINE if found.is_asked else UNDECIDED
    return Answer(list(wording.findings(found)), sentence, following, status, data)
