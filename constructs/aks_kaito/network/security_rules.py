"""Rules of the network security groups, as data.

Azure's default rules follow them: inbound, only the virtual network and the load balancer are allowed.

See: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cdktn_provider_azurerm.network_security_group import NetworkSecurityGroupSecurityRule

_FIRST_PRIORITY = 100
_STEP = 10
# The service tag of the addresses from which Azure Front Door connects to origins.
FRONT_DOOR = "AzureFrontDoor.Backend"


@dataclass(frozen=True)
class Rule:
    """One rule. Its priority is its position in the list of rules."""

    name: str
    direction: Literal["Inbound", "Outbound"]
    source: str
    destination: str
    ports: tuple[str, ...]
    access: Literal["Allow", "Deny"] = "Allow"
    protocol: Literal["Tcp", "*"] = "Tcp"


def in_order(rules: Iterable[Rule]) -> list[NetworkSecurityGroupSecurityRule]:
    """Return azurerm's form of the rules, which has separate arguments for one port and for several."""
    return [
        NetworkSecurityGroupSecurityRule(
            name=rule.name,
            priority=_FIRST_PRIORITY + _STEP * position,
            direction=rule.direction,
            access=rule.access,
            protocol=rule.protocol,
            source_address_prefix=rule.source,
            source_port_range="*",
            destination_address_prefix=rule.destination,
            destination_port_range=rule.ports[0] if len(rule.ports) == 1 else None,
            destination_port_ranges=list(rule.ports) if len(rule.ports) > 1 else None,
        )
        for position, rule in enumerate(rules)
    ]


def web(*, published: bool, front_door_only: bool) -> tuple[Rule, ...]:
    """Return the rule that allows browsers, or Azure Front Door only, to reach the ingress controller, if there is one.

    See: https://learn.microsoft.com/azure/frontdoor/origin-security
    """
    source = FRONT_DOOR if front_door_only else "Internet"
    return (Rule("allow-web", "Inbound", source, "*", ("80", "443")),) if published else ()


def ssh_from(cidr: str | None) -> tuple[Rule, ...]:
    """Return the rules that allow SSH from Bastion's subnet only; without Bastion, Azure's default rules apply."""
    if cidr is None:
        return ()
    return (
        Rule("allow-ssh-from-bastion", "Inbound", cidr, "*", ("22",)),
        Rule("deny-other-ssh", "Inbound", "*", "*", ("22",), access="Deny"),
    )


# Rules that Bastion requires on its subnet.
# See: https://learn.microsoft.com/azure/bastion/bastion-nsg
BASTION = (
    Rule("allow-https-in", "Inbound", "Internet", "*", ("443",)),
    Rule("allow-gateway-manager-in", "Inbound", "GatewayManager", "*", ("443",)),
    Rule("allow-load-balancer-in", "Inbound", "AzureLoadBalancer", "*", ("443",)),
    Rule("allow-bastion-in", "Inbound", "VirtualNetwork", "VirtualNetwork", ("8080", "5701"), protocol="*"),
    Rule("allow-ssh-rdp-out", "Outbound", "*", "VirtualNetwork", ("22", "3389"), protocol="*"),
    Rule("allow-azure-out", "Outbound", "*", "AzureCloud", ("443",)),
    Rule("allow-bastion-out", "Outbound", "VirtualNetwork", "VirtualNetwork", ("8080", "5701"), protocol="*"),
    Rule("allow-session-info-out", "Outbound", "*", "Internet", ("80",), protocol="*"),
)
