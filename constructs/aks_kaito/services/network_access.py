"""Network access to the services of this package: one policy for all of them.

Each service passes itself as the scope, so its resources keep their Terraform addresses.
"""

from dataclasses import dataclass
from typing import Any

from constructs import Construct

from aks_kaito.network.private_endpoint import PrivateEndpoint, PrivateLink
from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement
from aks_kaito.settings.addresses import firewall_rules
from aks_kaito.settings.network import Network


@dataclass(frozen=True)
class NetworkAccess:
    """Private endpoints, public access from trusted subnets and allowed addresses, or both."""

    settings: Network
    network: VirtualNetwork

    @property
    def public(self) -> bool:
        """Whether services can be reached at their public addresses."""
        return not self.settings.services_are_private

    @property
    def firewall(self) -> dict[str, Any]:
        """Arguments of a service's firewall, except its exemption for Azure's own services."""
        return {
            "default_action": "Deny",
            "ip_rules": firewall_rules(self.settings.allowed_ip_ranges),
            "virtual_network_subnet_ids": self.network.trusted_subnet_ids,
        }

    def add_private_endpoint(
        self, service: Construct, *, placement: Placement, link: PrivateLink, resource_id: str, required: bool = False
    ) -> PrivateEndpoint | None:
        """Define the private endpoint of `service` if the settings ask for endpoints; `required` overrides them."""
        if not required and not self.settings.private_endpoints_enabled:
            return None
        return PrivateEndpoint(
            service,
            "private-endpoint",
            placement=placement,
            network=self.network,
            link=link,
            target_resource_id=resource_id,
        )
