"""Plan of the subnets: their address ranges, security rules, delegations and outbound path.

See: https://learn.microsoft.com/azure/aks/concepts-network
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aks_kaito.network import security_rules
from aks_kaito.network.security_rules import Rule
from aks_kaito.settings.network import Network

# Bastion requires this name.
# See: https://learn.microsoft.com/azure/bastion/configuration-settings#subnet
_BASTION_SUBNET_NAME = "AzureBastionSubnet"


@dataclass(frozen=True)
class Features:
    """Features that need a subnet or a security rule: an ingress controller, Bastion, API server VNet integration."""

    ingress: bool
    bastion: bool
    api_server_integration: bool
    front_door_only: bool = False


@dataclass(frozen=True)
class Plan:
    """Specification of one subnet."""

    key: str
    cidr: str
    nat: bool = True
    rules: Sequence[Rule] | None = None
    delegated: bool = False
    service_endpoints: bool = False
    name: str | None = None


def plans(settings: Network, features: Features) -> list[Plan]:
    """Return the subnets to define, in the order of their address ranges."""
    # Nodes reach public services through service endpoints, which the services' firewalls admit.
    trusted = not settings.services_are_private
    web = security_rules.web(published=features.ingress, front_door_only=features.front_door_only)
    planned = [
        Plan("system", settings.system_subnet_cidr, rules=web, service_endpoints=trusted),
        Plan("user", settings.user_subnet_cidr, rules=web, service_endpoints=trusted),
    ]
    if settings.pod_subnet_cidr is not None:
        planned.append(Plan("pod", settings.pod_subnet_cidr, rules=web, delegated=True, service_endpoints=trusted))
    if features.api_server_integration:
        # AKS manages access to the API server; a security group here could only cut nodes off from it.
        planned.append(Plan("api-server", settings.api_server_subnet_cidr, nat=False, delegated=True))
    ssh = security_rules.ssh_from(settings.bastion_subnet_cidr if features.bastion else None)
    planned.append(Plan("vm", settings.vm_subnet_cidr, rules=ssh, service_endpoints=trusted))
    if features.bastion:
        planned.append(
            Plan(
                "bastion",
                settings.bastion_subnet_cidr,
                nat=False,
                rules=security_rules.BASTION,
                name=_BASTION_SUBNET_NAME,
            )
        )
    return planned
