"""Azure built-in roles that the platform assigns, and their assignment.

See: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

from collections.abc import Sequence
from typing import Literal

from cdktn import TerraformResourceLifecycle
from cdktn_provider_azurerm.role_assignment import RoleAssignment
from constructs import Construct

ACR_PULL = "AcrPull"
ACR_PUSH = "AcrPush"
AKS_RBAC_CLUSTER_ADMIN = "Azure Kubernetes Service RBAC Cluster Admin"
CONTRIBUTOR = "Contributor"
DNS_ZONE_CONTRIBUTOR = "DNS Zone Contributor"
GRAFANA_ADMIN = "Grafana Admin"
GRAFANA_EDITOR = "Grafana Editor"
KEY_VAULT_SECRETS_OFFICER = "Key Vault Secrets Officer"
KEY_VAULT_SECRETS_USER = "Key Vault Secrets User"
MANAGED_IDENTITY_OPERATOR = "Managed Identity Operator"
MONITORING_DATA_READER = "Monitoring Data Reader"
NETWORK_CONTRIBUTOR = "Network Contributor"
OPENAI_USER = "Cognitive Services OpenAI User"
READER = "Reader"
STORAGE_ACCOUNT_CONTRIBUTOR = "Storage Account Contributor"
STORAGE_BLOB_DATA_READER = "Storage Blob Data Reader"


def assign(
    scope: Construct,
    construct_id: str,
    *,
    on: str,
    role: str,
    principal_id: str,
    principal_type: Literal["ServicePrincipal"] | None = "ServicePrincipal",
    keeps_principal: bool = False,
    after: Sequence[RoleAssignment] = (),
) -> RoleAssignment:
    """Assign `role` on the resource id `on` to a principal; with `keeps_principal`, later principals do not replace it.

    With the type `ServicePrincipal`, Azure accepts an identity that Entra ID has not replicated yet. Use None for users
    and groups. An assignment with `after` takes the place of one that was deployed on another scope: Terraform creates
    it after the others, and deletes the old one last.
    """
    return RoleAssignment(
        scope,
        construct_id,
        scope=on,
        role_definition_name=role,
        principal_id=principal_id,
        principal_type=principal_type,
        depends_on=list(after) or None,
        lifecycle=_lifecycle(keeps_principal=keeps_principal, is_moved=bool(after)),
    )


def _lifecycle(*, keeps_principal: bool, is_moved: bool) -> TerraformResourceLifecycle | None:
    if keeps_principal:
        return TerraformResourceLifecycle(ignore_changes=["principal_id"])
    return TerraformResourceLifecycle(create_before_destroy=True) if is_moved else None
