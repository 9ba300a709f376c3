"""Key Vault with the chat's secrets, which pods read through the Secrets Store CSI driver.

See: https://learn.microsoft.com/azure/key-vault/general/security-features
"""

from collections.abc import Sequence

from cdktn_provider_azurerm.key_vault import KeyVault as AzureKeyVault
from cdktn_provider_azurerm.role_assignment import RoleAssignment
from constructs import Construct

from aks_kaito import diagnostics, protection, roles
from aks_kaito.identity import Identity
from aks_kaito.network.private_endpoint import PrivateLink
from aks_kaito.placement import Placement
from aks_kaito.services.network_access import NetworkAccess
from aks_kaito.settings.services import KeyVault as KeyVaultSettings

_LINK = PrivateLink("vault", "privatelink.vaultcore.azure.net")


class KeyVault(Construct):
    """Vault with Azure RBAC and purge protection.

    Public attributes: `resource_id`, `name`, `vault_uri`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: KeyVaultSettings,
        placement: Placement,
        access: NetworkAccess,
        tenant_id: str,
        workload_identity: Identity,
        chat_secrets: Sequence[str],
    ) -> None:
        """Define the vault; `workload_identity` reads `chat_secrets` only, the officers of `settings` write secrets."""
        super().__init__(scope, construct_id)
        vault = AzureKeyVault(
            self,
            "Resource",
            name=placement.names.key_vault,
            sku_name=settings.sku_name,
            tenant_id=tenant_id,
            rbac_authorization_enabled=True,
            purge_protection_enabled=True,
            soft_delete_retention_days=settings.soft_delete_retention_days,
            public_network_access_enabled=access.public,
            network_acls={**access.firewall, "bypass": "AzureServices"},
            lifecycle=protection.lifecycle(self),
            **placement.arguments,
        )
        for name, object_id in settings.secrets_officer_object_ids.items():
            roles.assign(
                self,
                f"secrets-officer-{name}",
                on=vault.id,
                role=roles.KEY_VAULT_SECRETS_OFFICER,
                principal_id=object_id,
                principal_type=None,
            )
        _let_read(scope, vault_id=vault.id, secrets=chat_secrets, principal_id=workload_identity.principal_id)
        access.add_private_endpoint(self, placement=placement, link=_LINK, resource_id=vault.id)
        diagnostics.send(
            self,
            placement=placement,
            target_resource_id=vault.id,
            logs=["AuditEvent", "AzurePolicyEvaluationDetails"],
            metrics=True,
        )
        self.resource_id: str = vault.id
        self.name: str = vault.name
        self.vault_uri: str = vault.vault_uri


def _let_read(stack: Construct, *, vault_id: str, secrets: Sequence[str], principal_id: str) -> None:
    """Let a principal read some secrets, which need not exist yet.

    The assignments are in the scope of the stack. The last one has the address of an assignment on the whole vault,
    which earlier versions deployed: Terraform deletes that one once all the new ones exist, so the chat can always
    read.
    """
    found: list[RoleAssignment] = []
    for secret in reversed(secrets):
        is_last = secret == secrets[0]
        assignment = roles.assign(
            stack,
            "chat-reads-secrets" if is_last else f"chat-reads-{secret}",
            on=f"{vault_id}/secrets/{secret}",
            role=roles.KEY_VAULT_SECRETS_USER,
            principal_id=principal_id,
            after=found if is_last else (),
        )
        found.append(assignment)
