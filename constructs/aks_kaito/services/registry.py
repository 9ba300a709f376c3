"""Container registry of the chat's image.

See: https://learn.microsoft.com/azure/container-registry/container-registry-intro
"""

from cdktn_provider_azurerm.container_registry import ContainerRegistry as AzureContainerRegistry
from cdktn_provider_azurerm.container_registry import ContainerRegistryGeoreplications
from constructs import Construct

from aks_kaito import diagnostics
from aks_kaito.network.private_endpoint import PrivateLink
from aks_kaito.placement import Placement
from aks_kaito.services.network_access import NetworkAccess
from aks_kaito.settings.services import Registry

_LINK = PrivateLink("registry", "privatelink.azurecr.io")


class ContainerRegistry(Construct):
    """Registry without admin user and anonymous pulls.

    Public attributes: `resource_id`, `name`, `login_server`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Registry,
        placement: Placement,
        access: NetworkAccess,
    ) -> None:
        """Define the registry; tiers below Premium leave out the arguments that only Premium accepts."""
        super().__init__(scope, construct_id)
        premium = settings.sku == "Premium"
        registry = AzureContainerRegistry(
            self,
            "Resource",
            name=placement.names.registry,
            sku=settings.sku,
            admin_enabled=False,
            anonymous_pull_enabled=False if settings.sku != "Basic" else None,
            public_network_access_enabled=None if access.public else False,
            zone_redundancy_enabled=premium and settings.zone_redundancy_enabled,
            retention_policy_in_days=settings.untagged_retention_days if premium else None,
            georeplications=[
                ContainerRegistryGeoreplications(
                    location=location,
                    global_endpoint_routing_enabled=True,
                    zone_redundancy_enabled=settings.zone_redundancy_enabled,
                    tags=placement.tags,
                )
                # azurerm reads them in this order, from a list that Azure returns in no order.
                for location in sorted(settings.georeplication_locations)
            ]
            or None,
            **placement.arguments,
        )
        access.add_private_endpoint(self, placement=placement, link=_LINK, resource_id=registry.id)
        diagnostics.send(
            self,
            placement=placement,
            target_resource_id=registry.id,
            logs=["ContainerRegistryRepositoryEvents", "ContainerRegistryLoginEvents"],
            metrics=True,
        )
        self.resource_id: str = registry.id
        self.name: str = registry.name
        self.login_server: str = registry.login_server
