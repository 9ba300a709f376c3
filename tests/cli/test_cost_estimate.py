"""Estimates from synthesized stacks, with recorded prices: every number is asserted."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from aks_kaito.review import kinds
from aks_kaito.review.documents import Document, document
from aks_kaito_cli.cost import resources, schedule, wording
from aks_kaito_cli.cost.estimate import Estimate, Range, estimate
from aks_kaito_cli.cost.meters import Meter, virtual_machine
from aks_kaito_cli.cost.resources import Line
from aks_kaito_cli.cost.retail import PriceListError
from support.prices import FakePrices, recorded_entries

SIZE = "Standard_D4ads_v5"
MODEL = {"preset": "phi-4-mini-instruct", "instance_type": "Standard_NC24ads_A100_v4", "node_count": 2}
REGION = {"location": "westeurope"}


def recorded(_question: str) -> Sequence[Mapping[str, Any]]:
    """Answer any filter with everything: the choice must not depend on the filter."""
    return recorded_entries()


def of(kind: str, **arguments: Any) -> Document:
    return document("s", {"resource": {kind: {"one": {**REGION, **arguments}}}})


def lines(kind: str, **arguments: Any) -> list[Line]:
    return list(resources.lines([of(kind, **arguments)]))


def pool(**arguments: Any) -> dict[str, Any]:
    return {"name": "user", "vm_size": SIZE, "os_disk_type": "Ephemeral", "os_disk_size_gb": 128, **arguments}


def priced(found: Estimate) -> dict[str, tuple[int, int, str]]:
    """Return numbers and the minimum of each line."""
    return {
        each.line.label: (each.line.minimum, each.line.maximum, wording.money(each.monthly.minimum))
        for each in found.platform
        if each.price
    }


def amounts(amounts: Range) -> list[str]:
    return [wording.money(each) for each in amounts]


@pytest.mark.parametrize("name", ["dev", "prod", "sample"])
def test_every_type_that_is_billed_by_the_hour_has_meters(stacks: dict[str, dict[str, Any]], name: str) -> None:
    found = document(name, stacks[name])
    assert list(resources.without_rule([found])) == []
    by_the_hour = {each for each in kinds.known() if kinds.kind(each).hourly is not None}
    assert by_the_hour <= resources.priced_types()


def test_dev_is_priced_line_by_line(stacks: dict[str, dict[str, Any]]) -> None:
    found = estimate([document("dev", stacks["dev"])], {}, recorded)
    assert priced(found) == {
        "container registry, Basic": (1, 1, "5.07"),
        "system nodes, Standard_D4ads_v5": (1, 3, "182.50"),
        "user nodes, Standard_D2ads_v5": (1, 3, "91.25"),
        "NAT gateway, Standard": (1, 1, "32.85"),
        "public IP address, Standard": (2, 2, "7.30"),
    }
    assert [label for label, _ in found.not_priced] == ["Managed Grafana, Standard, units"]
    assert amounts(found.total) == ["318.97", "592.72", "866.47"]


def test_prod_is_priced_line_by_line(stacks: dict[str, dict[str, Any]]) -> None:
    found = estimate([document("prod", stacks["prod"])], {}, recorded)
    assert priced(found) == {
        "container registry, Premium": (1, 1, "50.69"),
        "AKS, tier Standard": (1, 1, "73.00"),
        "system nodes, Standard_D4ads_v5": (3, 6, "547.50"),
        "user nodes, Standard_D4ads_v5": (3, 10, "547.50"),
        "jump box, Standard_D2ads_v5": (1, 1, "91.25"),
        "jump box, disk": (1, 1, "5.28"),
        "NAT gateway, StandardV2": (1, 1, "32.85"),
        "PostgreSQL, GP_Standard_D2ds_v5": (2, 2, "296.38"),
        "PostgreSQL, GiB of storage": (64, 64, "8.83"),
        "private DNS zone": (4, 4, "2.00"),
        "private endpoint": (4, 4, "29.20"),
        "public IP address, Standard": (2, 2, "7.30"),
    }
    assert [label for label, _ in found.not_priced] == [
        "Bastion, Standard",
        "Managed Grafana, Standard, units",
        "Managed Grafana, zones",
        "public IP address, StandardV2",
    ]


def test_what_is_billed_by_use_is_named_and_not_priced(stacks: dict[str, dict[str, Any]]) -> None:
    found = estimate([document("prod", stacks["prod"])], {}, recorded)
    for words in ("NAT gateway: processed data, per GiB", "Log Analytics workspace: logs, per GiB ingested"):
        assert any(each.startswith(words) for each in found.by_use)
    assert list(resources.billed_by_use([of("azurerm_cognitive_deployment")])) == ["Azure OpenAI deployment: tokens"]
    assert not lines("azurerm_cognitive_deployment")


def test_gpu_nodes_are_apart_by_node_and_by_replica() -> None:
    found = estimate([], {**REGION, "gpu": MODEL, "standby": {**MODEL, "node_count": 1}}, recorded)
    model, standby = found.gpus
    assert (model.hourly, wording.per_replica(model)) == (Decimal("4.775"), Decimal("9.55"))
    assert wording.per_replica(standby) == Decimal("4.775")
    assert amounts(found.platform_total) == ["0.00"] * 3
    assert amounts(found.gpu_total) == ["10,457.25"] * 3
    assert amounts(model.priced.monthly) == ["6,971.50"] * 3


def test_nodes_of_an_unknown_number_are_not_counted() -> None:
    found = estimate([], {**REGION, "gpu": {**MODEL, "node_count": None}}, recorded)
    assert found.gpus[0].hourly == Decimal("4.775")
    assert wording.per_replica(found.gpus[0]) is None
    assert amounts(found.total) == ["0.00"] * 3
    assert "number of nodes that KAITO creates for phi-4-mini-instruct is not known" in found.not_priced[0][1]


def test_a_size_without_a_price_is_named(stacks: dict[str, dict[str, Any]]) -> None:
    found = estimate([], {**REGION, "gpu": {**MODEL, "instance_type": "Standard_NC1_v9"}, "standby": MODEL}, recorded)
    assert found.not_priced == [
        (
            "GPU nodes of the model, Standard_NC1_v9",
            "the price list has no such meter: Virtual Machines, Standard_NC1_v9",
        )
    ]
    assert wording.sentence("dev", found, "USD", None).startswith("dev costs at least 6,972 USD per month")
    assert stacks


def test_a_schedule_saves_gpu_nodes_only(stacks: dict[str, dict[str, Any]]) -> None:
    found = estimate([document("dev", stacks["dev"])], {**REGION, "gpu": MODEL}, recorded)
    hours = schedule.parse("50/week")
    # 118 of 168 hours of 6,971.50.
    assert amounts(wording.saving(found, hours)) == ["4,896.65"] * 3
    assert wording.sentence("dev", found, "USD", hours) == (
        "dev costs at least 7,290 to 7,838 USD per month, 6,972 of them for GPU nodes."
        " GPU nodes that run only 50 of 168 hours a week save 4,897 USD per month."
    )


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        ({"auto_scaling_enabled": True, "min_count": 0, "max_count": 5, "node_count": 2}, (0, 5)),
        ({"auto_scaling_enabled": False, "node_count": 2}, (2, 2)),
        ({}, (1, 1)),
    ],
)
def test_bounds_are_those_of_the_autoscaler(arguments: dict[str, Any], numbers: tuple[int, int]) -> None:
    (line,) = lines("azurerm_kubernetes_cluster_node_pool", **pool(**arguments))
    assert (line.minimum, line.maximum) == numbers
    assert line.meter == virtual_machine(SIZE)


def test_a_spot_pool_has_spot_prices() -> None:
    (line,) = lines("azurerm_kubernetes_cluster_node_pool", **pool(priority="Spot"))
    assert line.meter == virtual_machine(SIZE, is_spot=True)
    assert line.label == "user nodes, Standard_D4ads_v5 (spot)"


def test_a_managed_disk_is_billed_with_each_node() -> None:
    _, disk = lines("azurerm_kubernetes_cluster_node_pool", **pool(os_disk_type="Managed", node_count=3))
    assert (disk.meter, disk.minimum) == (Meter("Storage", "P10 LRS Disk", "Premium SSD Managed Disks", "P10 LRS"), 3)


@pytest.mark.parametrize(
    ("account", "gib", "name", "product"),
    [
        ("Premium_LRS", None, "P4 LRS Disk", "Premium SSD Managed Disks"),
        ("Premium_ZRS", 64, "P6 ZRS Disk", "Premium SSD Managed Disks"),
        ("StandardSSD_LRS", 65, "E10 LRS Disk", "Standard SSD Managed Disks"),
        ("Standard_LRS", 32767, "S80 LRS Disk", "Standard HDD Managed Disks"),
    ],
)
def test_the_disk_of_a_machine_is_the_next_larger_one(account: str, gib: int | None, name: str, product: str) -> None:
    disk = {"storage_account_type": account, **({"disk_size_gb": gib} if gib else {})}
    _, line = lines("azurerm_linux_virtual_machine", size=SIZE, os_disk=disk)
    assert (line.meter.name, line.meter.product) == (name, product)


@pytest.mark.parametrize(
    ("kind", "arguments", "meters"),
    [
        ("azurerm_kubernetes_cluster", {"sku_tier": "Free"}, []),
        ("azurerm_kubernetes_cluster", {"sku_tier": "Premium"}, ["Standard Long Term Support"]),
        ("azurerm_public_ip", {"allocation_method": "Static", "sku": "Standard", "ip_version": "IPv6"}, []),
        (
            "azurerm_public_ip",
            {"allocation_method": "Static", "sku": "Standard", "sku_tier": "Global"},
            ["Global IPv4 Static Public IP"],
        ),
        ("azurerm_bastion_host", {"sku": "Developer"}, []),
        ("azurerm_bastion_host", {}, ["Basic Gateway"]),
        (
            "azurerm_bastion_host",
            {"sku": "Premium", "scale_units": 5},
            ["Premium Gateway", "Premium Additional Gateway"],
        ),
        ("azurerm_dashboard_grafana", {"sku": "Essential"}, []),
        (
            "azurerm_dashboard_grafana",
            {"sku": "Standard", "zone_redundancy_enabled": True},
            ["Standard Node", "Standard Zone Redundancy"],
        ),
        ("azurerm_container_registry", {"sku": "Standard"}, ["Standard Registry Unit"]),
        ("azurerm_key_vault", {}, []),
    ],
)
def test_each_sku_has_its_meters(kind: str, arguments: dict[str, Any], meters: list[str]) -> None:
    if kind == "azurerm_kubernetes_cluster":
        arguments = {**arguments, "default_node_pool": pool()}
    found = [line for line in lines(kind, **arguments) if line.meter.service != "Virtual Machines"]
    assert [line.meter.name for line in found] == meters
    if "scale_units" in arguments:
        assert [line.minimum for line in found] == [1, 3]


def test_a_single_database_server_is_counted_once() -> None:
    compute, storage = lines("azurerm_postgresql_flexible_server", sku_name="B_Standard_B1ms", storage_mb=65536)
    assert (compute.meter.arm_sku, compute.minimum, storage.minimum) == ("Standard_B1ms", 1, 64)


def test_a_type_that_nobody_knows_is_named() -> None:
    found = estimate([of("azurerm_firewall"), of("helm_release"), of("azurerm_subnet")], {}, recorded)
    assert found.not_priced == [("azurerm_firewall", "this program has no meter for this type of resource")]


def test_an_entry_of_another_form_is_no_price() -> None:
    broken = [{**each, "unitPrice": "much"} for each in recorded_entries()]
    found = estimate([of("azurerm_nat_gateway", sku_name="Standard")], {}, lambda _: broken)
    ((label, reason),) = found.not_priced
    assert (label, "another form than expected" in reason) == ("NAT gateway, Standard", True)
    assert not found.is_priced


def test_each_question_is_asked_once_and_a_failure_is_each_lines_reason() -> None:
    asked: list[str] = []

    def failing(question: str) -> Sequence[Mapping[str, Any]]:
        asked.append(question)
        raise PriceListError("it does not answer")

    registry = of("azurerm_container_registry", sku="Basic")
    endpoints = document("s", {"resource": {"azurerm_private_endpoint": {"a": REGION, "b": REGION}}})
    found = estimate([registry, endpoints], {}, failing)
    assert len(asked) == 2
    assert found.not_priced == [
        ("container registry, Basic", "it does not answer"),
        ("private endpoint", "it does not answer"),
    ]


def test_a_region_of_its_own_is_asked_for() -> None:
    asked: list[str] = []
    here = of("azurerm_container_registry", sku="Basic", location="northeurope")
    estimate([here], {}, lambda question: asked.append(question) or [])  # type: ignore[func-returns-value]
    assert "armRegionName eq 'northeurope'" in asked[0]


def test_a_node_pool_is_in_the_region_of_its_cluster(stacks: dict[str, dict[str, Any]]) -> None:
    found = document("dev", stacks["dev"])
    (registry,) = found.of_type("azurerm_container_registry").values()
    registry["location"] = "northeurope"
    regions = {line.label: line.region for line in resources.lines([found])}
    assert regions["user nodes, Standard_D2ads_v5"] == "westeurope"
    assert regions["container registry, Basic"] == "northeurope"


def test_without_a_region_nothing_is_asked() -> None:
    asked: list[str] = []
    pools = document("s", {"resource": {"azurerm_kubernetes_cluster_node_pool": {"one": pool()}}})
    found = estimate([pools], {}, lambda question: asked.append(question) or [])  # type: ignore[func-returns-value]
    assert (asked, found.not_priced) == ([], [("user nodes, Standard_D4ads_v5", "the region is not known")])


def test_the_fake_answers_the_filters_that_are_asked(stacks: dict[str, dict[str, Any]]) -> None:
    fake = FakePrices()
    for line in resources.lines([document("prod", stacks["prod"])]):
        body = fake.answer({"$filter": line.meter.query(line.region), "currencyCode": "USD"}).body
        assert (b'"Count": 0' in body) == (
            line.label
            in {
                "Bastion, Standard",
                "Managed Grafana, Standard, units",
                "Managed Grafana, zones",
                "public IP address, StandardV2",
            }
        )


def test_nodes_of_a_scheduled_model_are_billed_by_its_hours() -> None:
    always = {**MODEL, "name": "default", "replicas": 4, "min_replicas": 1}
    scheduled = {**always, "name": "night", "hours_per_week": 42.0}
    found = estimate([], {**REGION, "models": [always, scheduled]}, recorded)
    first, second = (each.priced.monthly for each in found.gpus)
    assert second == Range(*(amount / 4 for amount in first))
    assert found.gpu_total == first.plus(second)
    # A saving counts hours that no schedule has saved already.
    assert wording.saving(found, schedule.parse("84/week")) == Range(*(amount / 2 for amount in first))
    data = wording.as_data(found)["gpus"]
    assert [each["hours_per_week"] for each in data] == [None, 42.0]
    assert "wake a model outside its schedule are not included" in wording.sentence("dev", found, "EUR", None)
    assert wording.hours_of(found.gpus[1].gpu) == ", 42 of 168 hours a week"
