"""Rules on outbound traffic: the NAT gateway and its zones.

See: https://learn.microsoft.com/azure/nat-gateway/nat-availability-zones
"""

from collections.abc import Iterator

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


@rule("network.nat_gateway_sku", "system_pool.zones", "user_pool.zones")
def nat_survives_the_failure_of_a_zone(context: Context) -> Iterator[Problem]:
    """The NAT gateway is in all zones if nodes are in several. This is a warning: a change replaces the gateway."""
    settings = context.settings
    zones = sorted({*settings.system_pool.zones, *settings.user_pool.zones})
    if settings.network.nat_gateway_sku == "Standard" and len(zones) > 1:
        text = (
            f"is in one zone, while nodes are in zones {', '.join(zones)}: if that zone fails, no node reaches the "
            'internet. "StandardV2" is in all zones; on a deployed network, the change replaces the outbound address'
        )
        yield Problem("network.nat_gateway_sku", "Standard", text)
