"""Storage account of the models' weights, from which models stream them when they start.

See: https://kaito-project.github.io/kaito/docs/model-mirror-streaming
"""

from cdktn_provider_azurerm.private_endpoint import PrivateEndpoint
from cdktn_provider_azurerm.storage_account import StorageAccount
from constructs import Construct

from aks_kaito import diagnostics
from aks_kaito.placement import Placement
from aks_kaito.services.network_access import NetworkAccess


class ModelMirror(Construct):
    """Premium block blobs. Models read with their identity; the Blob CSI driver of AKS mounts with the account's key.

    Public attributes: `resource_id`, `name`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        placement: Placement,
        access: NetworkAccess,
        blob_zone_id: str | None,
    ) -> None:
        """Define the account; `blob_zone_id` is the private DNS zone of the environment's other storage account."""
        super().__init__(scope, construct_id)
        account = StorageAccount(
            self,
            "Resource",
            name=placement.names.model_storage_account,
            account_kind="BlockBlobStorage",
            account_tier="Premium",
            account_replication_type="LRS",
            min_tls_version="TLS1_2",
            https_traffic_only_enabled=True,
            shared_access_key_enabled=True,
            default_to_oauth_authentication=True,
            local_user_enabled=False,
            allow_nested_items_to_be_public=False,
            cross_tenant_replication_enabled=False,
            public_network_access_enabled=access.public,
            network_rules={**access.firewall, "bypass": ["AzureServices"]},
            **placement.arguments,
        )
        if blob_zone_id is not None:
            PrivateEndpoint(
                self,
                "private-endpoint",
                name=placement.names.of("pep", "model-blob"),
                subnet_id=access.network.vm_subnet_id,
                private_service_connection={
                    "name": "model-blob",
                    "private_connection_resource_id": account.id,
                    "subresource_names": ["blob"],
                    "is_manual_connection": False,
                },
                private_dns_zone_group={"name": "default", "private_dns_zone_ids": [blob_zone_id]},
                **placement.arguments,
            )
        diagnostics.send(
            self,
            placement=placement,
            target_resource_id=f"{account.id}/blobServices/default",
            logs=["StorageRead", "StorageWrite", "StorageDelete"],
        )
        self.resource_id: str = account.id
        self.name: str = account.name
