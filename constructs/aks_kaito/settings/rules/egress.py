"""Rules on outbound traffic: the NAT gateway and its zones.

See: https://learn.microsoft.com/azure/nat-gateway/nat-availability-zones
"""

from collections.abc import Iterator

from aks_kaito.catalog import CATALOG
from aks_kaito.settings.problems import Problem
from aks_kaito.settings.rules.rule import Context, rule

# The default of network.nat_gateway_zones, which a file need not remove to use StandardV2.
_DEFAULT_ZONES = ("1",)


@rule("network.nat_gateway_sku", "network.nat_gateway_zones")
def only_standard_nat_has_a_zone(context: Context) -> Iterator[Problem]:
    """A StandardV2 gateway has no zone of its own: azurerm refuses zones for it."""
    network = context.settings.network
    if network.nat_gateway_sku == "StandardV2" and network.nat_gateway_zones not in ((), _DEFAULT_ZONES):
        allowed = 'must not be set while network.nat_gateway_sku = "StandardV2", which is in all zones'
        yield Problem("network.nat_gateway_zones", list(network.nat_gateway_zones), allowed)


@rule("network.nat_gateway_sku", "location")
def region_has_the_nat_gateway(context: Context) -> Iterator[Problem]:
    """The region has StandardV2 NAT gateways if the network has one.

    See: https://learn.microsoft.com/azure/nat-gateway/nat-sku
    """
    location = context.settings.location
    if context.settings.network.nat_gateway_sku == "StandardV2" and not CATALOG.regions[location].nat_gateway_v2:
        allowed = f'must be "Standard" in {location}, where Azure has no StandardV2 NAT gateway (catalog.toml)'
        yield Problem("network.nat_gateway_sku", "StandardV2", allowed)


@rule("network.nat_gateway_sku", "network.nat_gateway_zones", "location", "system_pool.zones", "user_pool.zones")
def nat_survives_the_failure_of_a_zone(context: Context) -> Iterator[Problem]:
    """No other zone than the nodes' own can cut them off. This is a warning: a change replaces the gateway."""
    settings = context.settings
    zones = sorted({*settings.system_pool.zones, *settings.user_pool.zones})
    own = list(settings.network.nat_gateway_zones)
    is_elsewhere = bool(own) and bool(zones) and own != zones
    if settings.network.nat_gateway_sku == "Standard" and (len(zones) > 1 or is_elsewhere):
        place = f"zone {own[0]}" if own else "one zone"
        nodes = f"zones {', '.join(zones)}" if len(zones) > 1 else f"zone {zones[0]}"
        hint = (
            '; "StandardV2" is in all zones; on a deployed network, the change replaces the outbound address'
            if CATALOG.regions[settings.location].nat_gateway_v2
            else f"; {settings.location} has no StandardV2 gateway, which is in all zones"
        )
        text = f"is in {place}, while nodes are in {nodes}: if that of the gateway fails, no node reaches the internet"
        yield Problem("network.nat_gateway_sku", "Standard", text + hint)
