"""Bastion, the managed service for SSH to the jump box.

See: https://learn.microsoft.com/azure/bastion/bastion-overview
"""

from cdktn_provider_azurerm.bastion_host import BastionHost
from constructs import Construct

from aks_kaito import diagnostics
from aks_kaito.network.virtual_network import VirtualNetwork, public_ip
from aks_kaito.placement import Placement
from aks_kaito.settings import Settings


class Bastion(Construct):
    """Defines the Bastion host and its address."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        placement: Placement,
        network: VirtualNetwork,
    ) -> None:
        """Define the host in its own subnet; Standard and Premium also carry native-client tunnels."""
        super().__init__(scope, construct_id)
        zones = list(settings.system_pool.zones)
        address = public_ip(self, "ip", placement=placement, name=placement.names.of("pip", "bastion"), zones=zones)
        host = BastionHost(
            self,
            "Resource",
            name=placement.names.of("bas"),
            sku=settings.bastion.sku,
            tunneling_enabled=settings.bastion.sku != "Basic",
            ip_configuration={
                "name": "default",
                "subnet_id": network.bastion_subnet_id,
                "public_ip_address_id": address.id,
            },
            **placement.arguments,
        )
        diagnostics.send(
            self,
            target_resource_id=host.id,
            workspace_resource_id=placement.workspace_resource_id,
            logs=["BastionAuditLogs"],
            metrics=True,
        )
