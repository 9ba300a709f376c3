"""Storage account of the jump box's boot diagnostics.

See: https://learn.microsoft.com/azure/virtual-machines/boot-diagnostics
"""

from cdktn_provider_azurerm.storage_account import StorageAccount as AzureStorageAccount
from constructs import Construct

from aks_kaito import diagnostics
from aks_kaito.network.private_endpoint import PrivateLink
from aks_kaito.placement import Placement
from aks_kaito.services.network_access import NetworkAccess
from aks_kaito.settings.services import Storage

_LINK = PrivateLink("blob", "privatelink.blob.core.windows.net")
_DELETED_BLOB_RETENTION_DAYS = 7


class StorageAccount(Construct):
    """Account without public blobs and local users; its keys work only if the settings enable them.

    Public attributes: `resource_id`, `primary_blob_endpoint`, `private_zone_id` (None without a private endpoint).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Storage,
        placement: Placement,
        access: NetworkAccess,
    ) -> None:
        """Define the account and the logs of its blob service."""
        super().__init__(scope, construct_id)
        account = AzureStorageAccount(
            self,
            "Resource",
            name=placement.names.storage_account,
            account_kind="StorageV2",
            account_tier="Standard",
            account_replication_type=settings.replication_type,
            min_tls_version="TLS1_2",
            https_traffic_only_enabled=True,
            shared_access_key_enabled=settings.shared_access_key_enabled,
            default_to_oauth_authentication=True,
            local_user_enabled=False,
            allow_nested_items_to_be_public=False,
            cross_tenant_replication_enabled=False,
            public_network_access_enabled=access.public,
            # The platform writes boot logs as a trusted Azure service.
            network_rules={**access.firewall, "bypass": ["AzureServices"]},
            blob_properties={"delete_retention_policy": {"days": _DELETED_BLOB_RETENTION_DAYS}},
            identity={"type": "SystemAssigned"},
            **placement.arguments,
        )
        endpoint = access.add_private_endpoint(self, placement=placement, link=_LINK, resource_id=account.id)
        diagnostics.send(
            self,
            placement=placement,
            target_resource_id=f"{account.id}/blobServices/default",
            logs=["StorageRead", "StorageWrite", "StorageDelete"],
        )
        self.resource_id: str = account.id
        self.primary_blob_endpoint: str = account.primary_blob_endpoint
        self.private_zone_id: str | None = endpoint.zone_id if endpoint else None
