"""The price of a VM for an hour."""

from datetime import UTC, datetime
from decimal import Decimal

from aks_kaito_cli.cost.choice import NoPriceError, choose
from aks_kaito_cli.cost.meters import virtual_machine
from aks_kaito_cli.cost.retail import PriceListError, RetailPrices


def hourly(prices: RetailPrices, region: str, size: str, *, is_spot: bool = False) -> Decimal | None:
    """Return the price; None if the price list has none or does not answer."""
    meter = virtual_machine(size, is_spot=is_spot)
    try:
        return choose(prices.items(meter.query(region)), meter, region, datetime.now(UTC)).hourly()
    except (PriceListError, NoPriceError, KeyError, TypeError, ValueError, ArithmeticError):
        return None
