"""Azure Bastion, through which operators reach the jump box.

See: https://learn.microsoft.com/azure/bastion/bastion-overview
"""

from collections.abc import Sequence

from cdktn import TerraformResourceLifecycle
from cdktn_provider_azurerm.bastion_host import BastionHost
from constructs import Construct

from aks_kaito import diagnostics
from aks_kaito.network.public_ip import public_ip
from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement
from aks_kaito.settings.services import Bastion as BastionSettings


class Bastion(Construct):
    """Bastion host and its public address."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: BastionSettings,
        placement: Placement,
        zones: Sequence[str],
        network: VirtualNetwork,
    ) -> None:
        """Define the host in its own subnet; tiers above Basic allow tunnels for native clients."""
        super().__init__(scope, construct_id)
        address = public_ip(
            self,
            "ip",
            placement=placement,
            name=placement.names.of("pip", "bastion"),
            zones=zones,
            lifecycle=TerraformResourceLifecycle(ignore_changes=["zones"]),
        )
        host = BastionHost(
            self,
            "Resource",
            name=placement.names.of("bas"),
            sku=settings.sku,
            tunneling_enabled=settings.sku != "Basic",
            ip_configuration={
                "name": "default",
                "subnet_id": network.bastion_subnet_id,
                "public_ip_address_id": address.id,
            },
            **placement.arguments,
        )
        diagnostics.send(
            self,
            placement=placement,
            target_resource_id=host.id,
            logs=["BastionAuditLogs"],
            metrics=True,
        )
