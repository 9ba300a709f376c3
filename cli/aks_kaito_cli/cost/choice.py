"""Choice of one price among the entries that the price list has for a meter; it never guesses."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from aks_kaito_cli.cost.meters import GLOBAL, Meter
from aks_kaito_cli.cost.units import Unit, UnknownUnitError, parse

Item = Mapping[str, Any]

_WINDOWS = "Windows"
# Other ways to buy the same VM size.
_OTHER_PRODUCTS = ("Cloud Services", "CloudServices", "Dedicated Host", "Promo")
_SPOT, _LOW_PRIORITY = "Spot", "Low Priority"
_NO_LONGER_SOLD = ("Expired", "Free")


class NoPriceError(Exception):
    """The price list has no price for a meter, or several that contradict each other."""


@dataclass(frozen=True)
class Price:
    """The price of a meter.

    Attributes:
        tiers: Number of units per month from which a price holds, and that price; the first is 0.
        since: The day from which the price holds.
    """

    meter: str
    product: str
    unit: Unit
    tiers: tuple[tuple[Decimal, Decimal], ...]
    since: str

    def monthly(self, count: Decimal) -> Decimal:
        """Return the price of a number of resources, or of their things, for a whole month."""
        units = count * self.unit.per_month
        ends = [*(start for start, _ in self.tiers[1:]), units]
        return sum(
            (
                max(min(units, end) - start, Decimal(0)) * price
                for (start, price), end in zip(self.tiers, ends, strict=True)
            ),
            Decimal(0),
        )

    def hourly(self) -> Decimal:
        """Return the price of one resource for an hour."""
        return self.monthly(Decimal(1)) / 730


def choose(items: Iterable[Item], meter: Meter, region: str, now: datetime) -> Price:
    """Return the price that holds now for pay-as-you-go.

    Raises:
        NoPriceError: There is none, or there are several different ones.
    """
    matching = [item for item in items if _matches(item, meter)]
    here = _in_force(_in_region(matching, meter, region), now)
    if not here:
        raise NoPriceError(f"the price list has no such meter: {meter}")
    by_unit = {str(item["unitOfMeasure"]) for item in here}
    if len(by_unit) > 1:
        raise NoPriceError(f"the price list counts {meter} in several units: {', '.join(sorted(by_unit))}")
    try:
        unit = parse(by_unit.pop())
    except UnknownUnitError as error:
        raise NoPriceError(f"{meter}: {error}") from None
    if unit.thing != meter.per:
        counted, wanted = unit.thing or "resource", meter.per or "resource"
        raise NoPriceError(f"the price list counts {meter} per {counted}, not per {wanted}")
    tiers = tuple(_tiers(here, meter))
    first = here[0]
    return Price(str(first["meterName"]), str(first["productName"]), unit, tiers, str(first["effectiveStartDate"])[:10])


def _matches(item: Item, meter: Meter) -> bool:
    """Return whether an entry is one of the meter's, pay-as-you-go and for Linux."""
    product, name, sku = (str(item.get(key) or "") for key in ("productName", "meterName", "skuName"))
    asked = ((meter.service, item.get("serviceName")), (meter.name, name), (meter.sku, sku))
    return (
        item.get("type") == "Consumption"
        and all(not wanted or wanted == found for wanted, found in asked)
        and (not meter.arm_sku or meter.arm_sku.lower() == str(item.get("armSkuName") or "").lower())
        and product.startswith(meter.product)
        and not product.endswith(_WINDOWS)
        and not any(word in product for word in _OTHER_PRODUCTS)
        and not name.endswith(_NO_LONGER_SOLD)
        and not any(text.endswith(_LOW_PRIORITY) for text in (name, sku))
        and any(text.endswith(_SPOT) for text in (name, sku)) == meter.is_spot
    )


def _in_region(items: Sequence[Item], meter: Meter, region: str) -> list[Item]:
    """Return the entries of the region; of all regions if the meter has none."""
    for each in (region, *(GLOBAL if meter.is_global else ())):
        found = [item for item in items if str(item.get("armRegionName") or "") == each]
        if found:
            primary = [item for item in found if item.get("isPrimaryMeterRegion")]
            return primary or found
    return []


def _in_force(items: Sequence[Item], now: datetime) -> list[Item]:
    """Return the newest entry of each meter and tier that already holds, and has not ended."""
    newest: dict[tuple[str, Decimal], Item] = {}
    for item in sorted(items, key=lambda item: _time(item, "effectiveStartDate", now)):
        if _time(item, "effectiveStartDate", now) <= now and _time(item, "effectiveEndDate", now) >= now:
            newest[str(item.get("meterId")), _tier(item)] = item
    return list(newest.values())


def _tiers(items: Sequence[Item], meter: Meter) -> Iterator[tuple[Decimal, Decimal]]:
    """Yield start and price of each tier."""
    prices: dict[Decimal, set[Decimal]] = defaultdict(set)
    for item in items:
        prices[_tier(item)].add(Decimal(str(item["unitPrice"])))
    starts = sorted(prices)
    if starts[0] != 0 or any(len(found) > 1 for found in prices.values()) or any(a == b for a, b in pairwise(starts)):
        shown = sorted({f"{item['meterName']} ({item['productName']}): {item['unitPrice']}" for item in items})
        raise NoPriceError(f"the price list has contradicting prices for {meter}: {'; '.join(shown)}")
    yield from ((start, prices[start].pop()) for start in starts)


def _tier(item: Item) -> Decimal:
    return Decimal(str(item.get("tierMinimumUnits") or 0))


def _time(item: Item, key: str, missing: datetime) -> datetime:
    text = item.get(key)
    return datetime.fromisoformat(str(text)) if text else missing
