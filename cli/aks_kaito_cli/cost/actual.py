"""Actual cost from Azure's Cost Management: by tag, and of both resource groups.

GPU nodes that KAITO creates have no tags of the environment: they are found by the resource group of the nodes.
See: https://learn.microsoft.com/rest/api/cost-management/query/usage
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from aks_kaito.settings import Environment
from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.azure.errors import AzureAnswerError

_MOST_PAGES = 50
_COST, _GROUP, _SERVICE, _CURRENCY = "Cost", "ResourceGroupName", "ServiceName", "Currency"
_TAG = "environment"


@dataclass(frozen=True)
class Billed:
    """The cost of one service in one resource group.

    Attributes:
        is_own: The group is the environment's, or that of its nodes; otherwise the tag alone names the environment.
    """

    group: str
    service: str
    cost: Decimal
    currency: str
    is_own: bool

    def as_data(self) -> dict[str, Any]:
        """Return the cost as plain data for JSON."""
        found_by = "resource group" if self.is_own else "tag"
        names = {"resource_group": self.group, "service": self.service, "found_by": found_by}
        return {**names, "cost": float(self.cost), "currency": self.currency}


@dataclass(frozen=True)
class Period:
    """The days of a bill, both included."""

    first: date
    last: date


def month_to_date(today: date) -> Period:
    """Return this month until today; the whole last month on the first day, which has no costs yet."""
    if today.day == 1:
        last = today - timedelta(days=1)
        return Period(last.replace(day=1), last)
    return Period(today.replace(day=1), today)


def billed(arm: Arm, subscription: str, environment: Environment, period: Period) -> list[Billed]:
    """Return the cost of each service, the largest first.

    Raises:
        AzureAnswerError: Azure gives no usable answer.
    """
    names = environment.names
    own = {names.resource_group.lower(), names.node_resource_group.lower()}
    path = f"/subscriptions/{subscription}/providers/Microsoft.CostManagement/query"
    found = [
        Billed(group, service, cost, currency, group.lower() in own)
        for group, service, cost, currency in _rows(arm, path, _question(environment, period))
    ]
    return sorted(found, key=lambda each: (-each.cost, each.group, each.service))


def _question(environment: Environment, period: Period) -> dict[str, Any]:
    names = environment.names
    groups = [names.resource_group, names.node_resource_group]
    # The user may have given the tag a value of his own, in another spelling: Azure ignores the case of names.
    name, value = next((name, value) for name, value in environment.tags.items() if name.lower() == _TAG)
    return {
        "type": "ActualCost",
        "timeframe": "Custom",
        "timePeriod": {"from": f"{period.first}T00:00:00Z", "to": f"{period.last}T23:59:59Z"},
        "dataset": {
            "granularity": "None",
            "aggregation": {"totalCost": {"name": _COST, "function": "Sum"}},
            "grouping": [{"type": "Dimension", "name": _GROUP}, {"type": "Dimension", "name": _SERVICE}],
            "filter": {
                "or": [
                    {"tags": {"name": name, "operator": "In", "values": [value]}},
                    {"dimensions": {"name": _GROUP, "operator": "In", "values": groups}},
                ]
            },
        },
    }


def _rows(arm: Arm, path: str, question: Mapping[str, Any]) -> Iterator[tuple[str, str, Decimal, str]]:
    """Yield group, service, cost and currency of each row; a next page wants the question again."""
    place = path
    for _ in range(_MOST_PAGES):
        properties = arm.post(place, question).get("properties") or {}
        try:
            columns = [str(column["name"]) for column in properties.get("columns") or []]
            for row in properties.get("rows") or []:
                named = dict(zip(columns, row, strict=True))
                yield str(named[_GROUP]), str(named[_SERVICE]), Decimal(str(named[_COST])), str(named[_CURRENCY])
            place = str(properties.get("nextLink") or "")
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            words = f"the answer has another form than expected ({type(error).__name__}: {error})"
            raise AzureAnswerError(f"{path}: {words}") from None
        if not place:
            return
        if urlsplit(place)[:2] != urlsplit(arm.endpoint)[:2]:
            raise AzureAnswerError(f"{path}: the next page is at {urlsplit(place).netloc}, which gets no token")
    raise AzureAnswerError(f"{path}: more than {_MOST_PAGES} pages")


def totals(found: Iterable[Billed]) -> dict[str, Decimal]:
    """Return the sum of each currency."""
    sums: dict[str, Decimal] = {}
    for each in found:
        sums[each.currency] = sums.get(each.currency, Decimal(0)) + each.cost
    return sums
