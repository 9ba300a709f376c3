"""The vault of the chat's secrets, read by pods through the Secrets Store CSI driver.

See: https://learn.microsoft.com/azure/key-vault/general/security-features
"""

from cdktn_provider_azurerm.key_vault import KeyVault as AzureKeyVault
from constructs import Construct

from aks_kaito import diagnostics, roles
from aks_kaito.network import private_endpoint
from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement
from aks_kaito.settings import Settings


class KeyVault(Construct):
    """Defines the vault: rights by role, deletions that can be undone, closed to all but our subnets.

    Public attributes: `resource_id`, `name`, `vault_uri`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        placement: Placement,
        network: VirtualNetwork,
        tenant_id: str,
    ) -> None:
        """Define the vault of `tenant_id`, and who may write secrets."""
        super().__init__(scope, construct_id)
        private = settings.network.private_endpoints_enabled
        vault = AzureKeyVault(
            self,
            "Resource",
            name=placement.names.key_vault,
            sku_name=settings.key_vault.sku_name,
            tenant_id=tenant_id,
            rbac_authorization_enabled=True,
            purge_protection_enabled=True,
            soft_delete_retention_days=settings.key_vault.soft_delete_retention_days,
            public_network_access_enabled=not private,
            network_acls={
                "default_action": "Deny",
                "bypass": "AzureServices",
                "ip_rules": list(settings.network.allowed_ip_ranges),
                "virtual_network_subnet_ids": network.trusted_subnet_ids,
            },
            **placement.arguments,
        )
        for name, object_id in settings.key_vault.secrets_officer_object_ids.items():
            roles.assign(
                self,
                f"secrets-officer-{name}",
                on=vault.id,
                role=roles.KEY_VAULT_SECRETS_OFFICER,
                principal_id=object_id,
                principal_type=None,
            )
        if private:
            private_endpoint.PrivateEndpoint(
                self,
                "private-endpoint",
                placement=placement,
                network=network,
                link=private_endpoint.VAULT,
                target_resource_id=vault.id,
            )
        diagnostics.send(
            self,
            target_resource_id=vault.id,
            workspace_resource_id=placement.workspace_resource_id,
            logs=["AuditEvent", "AzurePolicyEvaluationDetails"],
            metrics=True,
        )
        self.resource_id: str = vault.id
        self.name: str = vault.name
        self.vault_uri: str = vault.vault_uri
