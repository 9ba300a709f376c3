"""Private endpoints, each with the private DNS zone that resolves the service's public name to it.

See: https://learn.microsoft.com/azure/private-link/private-endpoint-dns
"""

from dataclasses import dataclass

from cdktn_provider_azurerm.private_dns_zone import PrivateDnsZone
from cdktn_provider_azurerm.private_dns_zone_virtual_network_link import PrivateDnsZoneVirtualNetworkLink
from cdktn_provider_azurerm.private_endpoint import PrivateEndpoint as AzurePrivateEndpoint
from constructs import Construct

from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement


@dataclass(frozen=True)
class PrivateLink:
    """Azure's sub-resource and DNS zone for the private endpoint of one kind of service."""

    subresource: str
    zone: str


class PrivateEndpoint(Construct):
    """Private endpoint of one service, its DNS zone and the zone's link to the network.

    Public attributes: `zone_id`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        placement: Placement,
        network: VirtualNetwork,
        link: PrivateLink,
        target_resource_id: str,
    ) -> None:
        """Define an endpoint for `target_resource_id` in the subnet of virtual machines and endpoints."""
        super().__init__(scope, construct_id)
        zone = PrivateDnsZone(
            self,
            "zone",
            name=link.zone,
            resource_group_name=placement.resource_group_name,
            tags=placement.tags,
        )
        PrivateDnsZoneVirtualNetworkLink(
            self,
            "zone-link",
            name=placement.names.of("link", link.subresource.lower()),
            private_dns_zone_id=zone.id,
            virtual_network_id=network.resource_id,
            tags=placement.tags,
        )
        AzurePrivateEndpoint(
            self,
            "Resource",
            name=placement.names.of("pep", link.subresource.lower()),
            subnet_id=network.vm_subnet_id,
            private_service_connection={
                "name": link.subresource.lower(),
                "private_connection_resource_id": target_resource_id,
                "subresource_names": [link.subresource],
                "is_manual_connection": False,
            },
            private_dns_zone_group={"name": "default", "private_dns_zone_ids": [zone.id]},
            **placement.arguments,
        )
        self.zone_id: str = zone.id
