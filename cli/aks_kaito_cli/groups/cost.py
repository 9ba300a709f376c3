"""The subcommand that says what an environment costs: `cost`."""

import os
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

import typer

from aks_kaito.settings import SettingsError
from aks_kaito_cli.answers import UNDECIDED, UNUSABLE, show_failure
from aks_kaito_cli.comparison import ComparisonError, Synthesized, both_of, working_tree
from aks_kaito_cli.cost.form import Form
from aks_kaito_cli.groups import operations
from aks_kaito_cli.groups.arguments import Environment
from aks_kaito_cli.project import environment_named


def register(app: typer.Typer) -> None:
    """Add the subcommand to the application."""
    app.command(epilog="Example: aks-kaito cost prod --diff main --format markdown")(cost)


def cost(
    environment: Environment,
    *,
    hours_on: Annotated[
        str, typer.Option(metavar="HOURS", help="Hours in which GPU nodes run, such as 50/week or 10/day.")
    ] = "",
    diff: Annotated[str, typer.Option(metavar="REV", help="Show what the changes since a git revision cost.")] = "",
    actual: Annotated[bool, typer.Option("--actual", help="Show what Azure has billed this month.")] = False,
    currency: Annotated[str, typer.Option(metavar="CODE", help="Currency of the prices, such as EUR.")] = "USD",
    refresh: Annotated[bool, typer.Option("--refresh", help="Do not use prices that are stored here.")] = False,
    form: Annotated[Form, typer.Option("--format", help="Form of the output.")] = Form.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; the same as --format json.")] = False,
) -> None:
    """Say what an environment costs per month.

    Minimum and maximum are the autoscaler's bounds; expected is halfway between them. GPU nodes are also shown by the
    hour. Prices are Azure's public ones, stored for a week. Meters without a price, and meters by use, are listed.

    Needs the public price list (https://prices.azure.com) and no sign-in; with --diff also git. With --actual it needs
    a sign-in that may read costs, and no price list.

    Exit status: 0; 2 if an argument is unusable or the environment cannot be synthesized; 3 if the price list or Azure
    gives no usable answer.
    """
    chosen = Form.JSON if as_json else form
    is_json = chosen is Form.JSON
    operations.require(as_json=is_json)
    try:
        _refuse_together(actual=actual, diff=bool(diff), hours_on=bool(hours_on))
        if actual:
            status = _billed(environment, chosen)
        else:
            status = _estimated(environment, chosen, _Wanted(hours_on, diff, currency, refresh))
    except (SettingsError, ComparisonError, ValueError) as error:
        status = show_failure(str(error), exit_status=UNUSABLE, as_json=is_json)
    raise typer.Exit(status)


def _refuse_together(**chosen: bool) -> None:
    """Raise ValueError if more than one of the options is chosen: each asks another question."""
    given = [f"--{name.replace('_', '-')}" for name, is_given in chosen.items() if is_given]
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} cannot be combined")


class _Wanted(NamedTuple):
    """The options of an estimate."""

    hours_on: str
    base: str
    currency: str
    refresh: bool


def _estimated(name: str, form: Form, wanted: _Wanted) -> int:
    # Imported late: these libraries belong to an extra, which other subcommands do without.
    from aks_kaito_cli.cost import output, schedule
    from aks_kaito_cli.cost.estimate import Estimate, estimate
    from aks_kaito_cli.cost.retail import RetailPrices, currency_code

    environment_named(name)
    hours = schedule.parse(wanted.hours_on) if wanted.hours_on else None
    prices = RetailPrices(os.environ, currency_code(wanted.currency), refresh=wanted.refresh)

    def priced(side: Synthesized) -> Estimate:
        stacks, summary = side.of(name)
        return estimate(stacks.values(), summary, prices.items)

    if wanted.base:
        old, new = (priced(side) for side in both_of(wanted.base, name))
        return output.of_difference(name, old, new, wanted.base, prices).show(form)
    return output.of_estimate(name, priced(working_tree(name)), prices, hours).show(form)


def _billed(name: str, form: Form) -> int:
    from aks_kaito_cli.azure import access
    from aks_kaito_cli.azure.errors import AzureAnswerError
    from aks_kaito_cli.cost import output
    from aks_kaito_cli.cost.actual import billed, month_to_date

    environment = environment_named(name)
    period = month_to_date(datetime.now(UTC).date())
    try:
        arm = access.arm(os.environ)
        found = billed(arm, access.subscription(arm, environment, os.environ), environment, period)
    except AzureAnswerError as error:
        reason = f"Azure does not tell the cost of {name}: {error}"
        return show_failure(reason, exit_status=UNDECIDED, as_json=form is Form.JSON)
    return output.of_bill(name, found, period).show(form)
