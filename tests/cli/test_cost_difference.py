"""Differences of two estimates, and schedules: every number is asserted."""

import copy
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from aks_kaito.review.documents import Document, document
from aks_kaito_cli.cost import markdown, schedule, wording
from aks_kaito_cli.cost.difference import changed, minus
from aks_kaito_cli.cost.estimate import Range, estimate
from support.prices import recorded_entries

MODEL = {"preset": "phi-4-mini-instruct", "instance_type": "Standard_NC24ads_A100_v4", "node_count": 2}
REGION = {"location": "westeurope"}


def recorded(_question: str) -> Sequence[Mapping[str, Any]]:
    return recorded_entries()


def amounts(amounts: Range) -> list[str]:
    return [wording.money(each) for each in amounts]


def test_a_change_is_the_difference_of_both(stacks: dict[str, dict[str, Any]]) -> None:
    old = estimate([document("dev", stacks["dev"])], {**REGION, "gpu": {**MODEL, "node_count": 1}}, recorded)
    text = copy.deepcopy(stacks["dev"])
    (cluster,) = text["resource"]["azurerm_kubernetes_cluster"].values()
    cluster["default_node_pool"]["max_count"] = 5
    del text["resource"]["azurerm_container_registry"]
    new = estimate([document("dev", text)], {**REGION, "gpu": MODEL}, recorded)
    found = {each.label: (wording.numbers(each), amounts(each.difference)) for each in changed(old, new)}
    assert found == {
        "system nodes, Standard_D4ads_v5": ("1-3 → 1-5", ["0.00", "182.50", "365.00"]),
        "GPU nodes of the model, Standard_NC24ads_A100_v4": ("1 → 2", ["3,485.75"] * 3),
        "container registry, Basic": ("1 → 0", ["-5.07"] * 3),
    }
    assert amounts(minus(new.total, old.total)) == ["3,480.68", "3,663.18", "3,845.68"]
    assert wording.difference_sentence("dev", old, new, "main", "USD") == (
        "The change since main changes the cost of dev by +3,480.68 to +3,845.68 USD per month."
    )
    assert list(changed(old, old)) == []
    assert wording.difference_sentence("dev", old, old, "main", "USD") == (
        "The change since main does not change the cost of dev."
    )


def test_a_new_environment_costs_all_of_it(stacks: dict[str, dict[str, Any]]) -> None:
    nothing = estimate([], {}, recorded)
    new = estimate([document("dev", stacks["dev"])], {**REGION, "gpu": MODEL}, recorded)
    assert nothing.is_priced
    assert amounts(minus(new.total, nothing.total)) == amounts(new.total) == ["7,290.47", "7,564.22", "7,837.97"]
    assert next(iter(changed(nothing, new))).old is None


def test_a_changed_line_without_a_price_is_no_amount() -> None:
    def bastion(sku: str) -> Document:
        return document("s", {"resource": {"azurerm_bastion_host": {"one": {**REGION, "sku": sku}}}})

    old, new = (estimate([bastion(sku)], {}, recorded) for sku in ("Standard", "Basic"))
    rows = [(each.label, wording.difference_cells(each)) for each in changed(old, new)]
    assert rows == [
        ("Bastion, Basic", ("0 → 1", "+138.70", "+138.70", "+138.70")),
        ("Bastion, Standard", ("1 → 0", "not priced", "", "")),
    ]
    assert wording.difference_sentence("dev", old, new, "main", "USD") == (
        "The change since main changes the cost of dev by +138.70 USD per month, without 1 changed line that cannot be"
        " priced."
    )
    assert [each["monthly"] is None for each in wording.difference_data(old, new)["lines"]] == [False, True]


def test_the_markdown_of_a_change_has_its_rows(stacks: dict[str, dict[str, Any]]) -> None:
    old = estimate([document("dev", stacks["dev"])], {**REGION, "gpu": MODEL}, recorded)
    new = estimate([document("dev", stacks["dev"])], {**REGION, "gpu": {**MODEL, "node_count": 1}}, recorded)
    lines = list(markdown.of_difference(old, new, "USD"))
    assert lines[:7] == [
        "| USD per month | Number | Minimum | Expected | Maximum |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| GPU nodes of the model, Standard_NC24ads_A100_v4 | 2 → 1 | -3,485.75 | -3,485.75 | -3,485.75 |",
        "| **all together** |  | -3,485.75 | -3,485.75 | -3,485.75 |",
        "",
        "- Before: 7,290.47 to 7,837.97, expected 7,564.22 USD per month",
        "- After: 3,804.72 to 4,352.22, expected 4,078.47 USD per month",
    ]


def test_several_models_have_their_replicas() -> None:
    models = [
        {**MODEL, "name": "default", "replicas": 3, "min_replicas": 1},
        {**MODEL, "name": "small", "replicas": 2, "node_count": 1},
        {**MODEL, "name": "elsewhere", "replicas": 1, "instance_type": "", "node_count": 0},
    ]
    found = estimate(
        [], {**REGION, "models": models, "standbys": [{**MODEL, "name": "small", "replicas": 1}]}, recorded
    )
    rows = [(each.gpu.name, each.gpu.minimum, each.gpu.maximum, each.priced.line.maximum) for each in found.gpus]
    assert rows == [("model", 1, 3, 6), ("model small", 2, 2, 2), ("standby small", 1, 1, 2)]
    # 2, 4 and 6 nodes of the first model, beside 4 nodes of the others, for 3,485.75 each.
    assert amounts(found.gpu_total) == ["20,914.50", "27,886.00", "34,857.50"]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0.004", "0.00"), ("-0.004", "0.00"), ("0.005", "+0.01"), ("-1234.5", "-1,234.50"), ("0", "0.00")],
)
def test_a_difference_has_a_sign(amount: str, shown: str) -> None:
    assert wording.signed(Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("amount", "shown"), [("4.160", "4.16"), ("0.00005", "0.0001"), ("10", "10"), ("4.775", "4.775")]
)
def test_a_rate_has_the_digits_of_the_price_list(amount: str, shown: str) -> None:
    assert wording.rate(Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("text", "share"), [("12/day", "0.5"), ("84/week", "0.5"), ("365/month", "0.5"), ("0/week", "0"), ("168/week", "1")]
)
def test_a_schedule_is_a_share_of_its_period(text: str, share: str) -> None:
    assert schedule.parse(text).share == Decimal(share)


@pytest.mark.parametrize(
    "text", ["50", "50/year", "-1/week", "week", "50 /week", "25/day", "169/week", "731/month", "1e3/week"]
)
def test_another_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="--hours-on"):
        schedule.parse(text)
