"""The storage account of boot diagnostics.

See: https://learn.microsoft.com/azure/virtual-machines/boot-diagnostics
"""

from cdktn_provider_azurerm.storage_account import StorageAccount as AzureStorageAccount
from constructs import Construct

from aks_kaito import diagnostics
from aks_kaito.network import private_endpoint
from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement
from aks_kaito.settings import Settings

_DELETED_BLOB_RETENTION_DAYS = 7


class StorageAccount(Construct):
    """Defines the account: Entra ID only unless the settings say otherwise, nothing public, closed to the internet.

    Public attributes: `resource_id`, `primary_blob_endpoint`.
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
        """Define the account and what its blob service logs."""
        super().__init__(scope, construct_id)
        private = settings.network.private_endpoints_enabled
        account = AzureStorageAccount(
            self,
            "Resource",
            name=placement.names.storage_account,
            account_kind="StorageV2",
            account_tier="Standard",
            account_replication_type=settings.storage.replication_type,
            min_tls_version="TLS1_2",
            https_traffic_only_enabled=True,
            shared_access_key_enabled=settings.storage.shared_access_key_enabled,
            default_to_oauth_authentication=True,
            local_user_enabled=False,
            allow_nested_items_to_be_public=False,
            cross_tenant_replication_enabled=False,
            public_network_access_enabled=not private,
            network_rules={
                "default_action": "Deny",
                # The platform writes boot logs as a trusted Azure service.
                "bypass": ["AzureServices"],
                "ip_rules": list(settings.network.allowed_ip_ranges),
                "virtual_network_subnet_ids": network.trusted_subnet_ids,
            },
            blob_properties={"delete_retention_policy": {"days": _DELETED_BLOB_RETENTION_DAYS}},
            identity={"type": "SystemAssigned"},
            **placement.arguments,
        )
        if private:
            private_endpoint.PrivateEndpoint(
                self,
                "private-endpoint",
                placement=placement,
                network=network,
                link=private_endpoint.BLOB,
                target_resource_id=account.id,
            )
        diagnostics.send(
            self,
            target_resource_id=f"{account.id}/blobServices/default",
            workspace_resource_id=placement.workspace_resource_id,
            logs=["StorageRead", "StorageWrite", "StorageDelete"],
        )
        self.resource_id: str = account.id
        self.primary_blob_endpoint: str = account.primary_blob_endpoint
