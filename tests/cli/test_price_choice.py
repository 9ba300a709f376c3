"""Choice of a price: the right meter among its neighbours, and never a guess."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from aks_kaito_cli.cost.choice import NoPriceError, Price, choose
from aks_kaito_cli.cost.meters import Meter, virtual_machine
from aks_kaito_cli.cost.units import UnknownUnitError, parse
from support.prices import RECORDED, entry, recorded_entries

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
D4 = next(each for each in RECORDED if each.arm_sku == "Standard_D4ads_v5")
ZONE = Meter("Azure DNS", "Private Zone", sku="Private", is_global=True)


def found(*entries: dict[str, Any], meter: Meter | None = None, region: str = "westeurope") -> Price:
    return choose(entries, meter or virtual_machine("Standard_D4ads_v5"), region, NOW)


def hourly(*entries: dict[str, Any], **options: Any) -> str:
    return f"{found(*entries, **options).hourly():.6f}"


LINUX = entry(D4)
# A meter of its own, as each of these has.
NEIGHBOURS = [
    entry(D4, meterId="w", productName=f"{D4.product} Windows", unitPrice=0.434),
    entry(D4, meterId="s", skuName="D4ads v5 Spot", meterName="D4ads v5 Spot", unitPrice=0.05),
    entry(D4, meterId="l", skuName="D4ads v5 Low Priority", meterName="D4ads v5 Low Priority", unitPrice=0.05),
    entry(D4, meterId="d", type="DevTestConsumption", unitPrice=0.2),
    entry(D4, meterId="r", type="Reservation", reservationTerm="1 Year", unitPrice=1292.0),
    entry(D4, meterId="c", productName="Cloud Services Dadsv5 Series", unitPrice=0.3),
    entry(D4, meterId="e", meterName="D4ads v5 Expired", unitPrice=0.3),
    entry(D4, meterId="h", productName="Dadsv5 Series Dedicated Host", unitPrice=3.0),
    entry(D4, meterId="o", armSkuName="Standard_D4as_v5", unitPrice=0.208),
    entry(D4, meterId="n", armRegionName="northeurope", unitPrice=0.238),
    entry(D4, meterId="p", isPrimaryMeterRegion=False, unitPrice=0.26),
    entry(D4, meterId="b", serviceName="Virtual Machines Licenses", unitPrice=0.1),
]


@pytest.mark.parametrize("neighbour", NEIGHBOURS, ids=lambda each: each["meterId"])
def test_another_meter_of_the_same_size_is_not_taken(neighbour: dict[str, Any]) -> None:
    assert hourly(neighbour, LINUX) == "0.250000"
    if neighbour["meterId"] != "p":
        with pytest.raises(NoPriceError, match="no such meter: Virtual Machines, Standard_D4ads_v5"):
            found(neighbour)


def test_a_spot_vm_has_the_spot_meter_and_no_other() -> None:
    spot = virtual_machine("Standard_D4ads_v5", is_spot=True)
    assert hourly(LINUX, *NEIGHBOURS, meter=spot) == "0.050000"
    with pytest.raises(NoPriceError, match="Standard_D4ads_v5, Spot"):
        found(LINUX, meter=spot)


def test_a_meter_that_is_not_primary_is_taken_where_there_is_no_other() -> None:
    assert hourly(entry(D4, isPrimaryMeterRegion=False)) == "0.250000"


def test_the_newest_price_that_holds_today_is_taken() -> None:
    older = entry(D4, effectiveStartDate="2020-01-01T00:00:00Z", unitPrice=0.3)
    future = entry(D4, effectiveStartDate="2026-12-01T00:00:00Z", unitPrice=0.2)
    ended = entry(D4, effectiveStartDate="2025-01-01T00:00:00Z", effectiveEndDate="2026-01-01T00:00:00Z", unitPrice=0.1)
    price = found(future, LINUX, older, ended)
    assert (f"{price.hourly():.2f}", price.since) == ("0.25", "2023-10-01")
    with pytest.raises(NoPriceError, match="no such meter"):
        found(future, ended)


def test_the_same_price_twice_is_one_price_and_two_prices_are_none() -> None:
    assert hourly(LINUX, entry(D4, meterId="other")) == "0.250000"
    with pytest.raises(
        NoPriceError, match=r"contradicting prices for .*D4ads v5 \(Virtual Machines Dadsv5 Series\): 0.25"
    ):
        found(LINUX, entry(D4, meterId="other", unitPrice=0.26))


def test_tiers_add_up() -> None:
    price = found(*recorded_entries(), meter=ZONE)
    assert price.tiers == ((Decimal(0), Decimal("0.5")), (Decimal(25), Decimal("0.1")))
    assert [price.monthly(Decimal(number)) for number in (0, 4, 25, 30)] == [
        0,
        Decimal("2.0"),
        Decimal("12.5"),
        Decimal("13.0"),
    ]


def test_a_free_first_tier_is_free() -> None:
    first, rest = entry(D4, unitPrice=0.0), entry(D4, tierMinimumUnits=100.0, unitPrice=1.0)
    # 730 hours, 100 of them free.
    assert found(first, rest).monthly(Decimal(1)) == 630


def test_a_first_tier_that_is_missing_is_no_price() -> None:
    with pytest.raises(NoPriceError, match="contradicting"):
        found(entry(D4, tierMinimumUnits=100.0))


def test_a_meter_without_a_region_is_found_where_it_is_global_only() -> None:
    nat = Meter("NAT Gateway", "Standard Gateway", is_global=True)
    entries = recorded_entries()
    assert hourly(*entries, meter=nat) == "0.045000"
    # A region's own price takes precedence.
    regional = [{**each, "armRegionName": "westeurope", "meterId": "r", "unitPrice": 0.05} for each in entries]
    assert hourly(*entries, *regional, meter=nat) == "0.050000"
    with pytest.raises(NoPriceError):
        found(*entries, meter=Meter("NAT Gateway", "Standard Gateway"))


@pytest.mark.parametrize(
    ("unit", "price", "month"),
    [
        ("1 Hour", "0.1", "73.00"),
        ("1/Hour", "0.1", "73.00"),
        ("10 Hours", "1", "73.00"),
        ("100 Hours", "10", "73.00"),
        ("1,000 Hours", "100", "73.00"),
        ("1/Day", "1.6666", "50.69"),
        ("1/Month", "5.28", "5.28"),
        ("1 Month", "5.28", "5.28"),
        ("1", "0.5", "0.50"),
    ],
)
def test_units_of_time_become_a_month(unit: str, price: str, month: str) -> None:
    assert f"{found(entry(D4, unitOfMeasure=unit, unitPrice=Decimal(price))).monthly(Decimal(1)):.2f}" == month


@pytest.mark.parametrize("unit", ["1 GB", "10K", "1 GB/Second", "", "0 Hours", "Hour", "1 Rotation"])
def test_another_unit_is_no_price(unit: str) -> None:
    with pytest.raises(UnknownUnitError):
        parse(unit)
    with pytest.raises(NoPriceError, match=r"the unit .* is not known"):
        found(entry(D4, unitOfMeasure=unit))


def test_a_thing_that_is_counted_beside_time_must_be_the_asked_one() -> None:
    storage = Meter("Virtual Machines", arm_sku="Standard_D4ads_v5", per="GB")
    assert found(entry(D4, unitOfMeasure="1 GiB/Month", unitPrice=0.5), meter=storage).monthly(Decimal(64)) == 32
    with pytest.raises(NoPriceError, match="per GB, not per resource"):
        found(entry(D4, unitOfMeasure="1 GB/Month"))
    with pytest.raises(NoPriceError, match="per resource, not per GB"):
        found(LINUX, meter=storage)


def test_two_units_are_no_price() -> None:
    with pytest.raises(NoPriceError, match="in several units: 1 Hour, 1/Day"):
        found(LINUX, entry(D4, meterId="other", unitOfMeasure="1/Day"))


def test_a_filter_quotes_its_values() -> None:
    assert Meter("It's", "a").query("westeurope") == (
        "serviceName eq 'It''s' and armRegionName eq 'westeurope' and meterName eq 'a' and priceType eq 'Consumption'"
    )
