"""The container registry that holds the chat's image.

See: https://learn.microsoft.com/azure/container-registry/container-registry-intro
"""

from cdktn_provider_azurerm.container_registry import ContainerRegistry as AzureContainerRegistry
from cdktn_provider_azurerm.container_registry import ContainerRegistryGeoreplications
from constructs import Construct

from aks_kaito import diagnostics
from aks_kaito.network import private_endpoint
from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement
from aks_kaito.settings import Settings


class ContainerRegistry(Construct):
    """Defines the registry: no admin user, no anonymous pulls, private when the settings say so.

    Public attributes: `resource_id`, `name`, `login_server`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        placement: Placement,
        network: VirtualNetwork,
    ) -> None:
        """Define the registry; what only the Premium tier takes is left out of the others."""
        super().__init__(scope, construct_id)
        private = settings.network.private_endpoints_enabled
        premium = settings.registry.sku == "Premium"
        registry = AzureContainerRegistry(
            self,
            "Resource",
            name=placement.names.registry,
            sku=settings.registry.sku,
            admin_enabled=False,
            anonymous_pull_enabled=False if settings.registry.sku != "Basic" else None,
            public_network_access_enabled=False if private else None,
            zone_redundancy_enabled=settings.registry.zone_redundancy_enabled if premium else None,
            retention_policy_in_days=settings.registry.untagged_retention_days if premium else None,
            georeplications=[
                ContainerRegistryGeoreplications(
                    location=location,
                    global_endpoint_routing_enabled=True,
                    zone_redundancy_enabled=settings.registry.zone_redundancy_enabled,
                    tags=placement.tags,
                )
                for location in settings.registry.georeplication_locations
            ]
            or None,
            **placement.arguments,
        )
        if private:
            private_endpoint.PrivateEndpoint(
                self,
                "private-endpoint",
                placement=placement,
                network=network,
                link=private_endpoint.REGISTRY,
                target_resource_id=registry.id,
            )
        diagnostics.send(
            self,
            target_resource_id=registry.id,
            workspace_resource_id=placement.workspace_resource_id,
            logs=["ContainerRegistryRepositoryEvents", "ContainerRegistryLoginEvents"],
            metrics=True,
        )
        self.resource_id: str = registry.id
        self.name: str = registry.name
        self.login_server: str = registry.login_server
