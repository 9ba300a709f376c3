"""User-assigned managed identities, and their federation with Kubernetes service accounts.

See: https://learn.microsoft.com/azure/aks/workload-identity-overview
"""

from cdktn_provider_azurerm.federated_identity_credential import FederatedIdentityCredential
from cdktn_provider_azurerm.user_assigned_identity import UserAssignedIdentity
from constructs import Construct

from aks_kaito.placement import Placement

_TOKEN_AUDIENCE = "api://AzureADTokenExchange"  # noqa: S105  (an audience, not a secret)


def federate(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    identity_resource_id: str,
    issuer_url: str,
    namespace: str,
    service_account_name: str,
) -> FederatedIdentityCredential:
    """Let a service account of the cluster with `issuer_url` use an identity."""
    return FederatedIdentityCredential(
        scope,
        construct_id,
        name=name,
        user_assigned_identity_id=identity_resource_id,
        audience=[_TOKEN_AUDIENCE],
        issuer=issuer_url,
        subject=f"system:serviceaccount:{namespace}:{service_account_name}",
    )


class Identity(Construct):
    """User-assigned managed identity.

    Public attributes: `resource_id`, `name`, `principal_id`, `client_id`, `tenant_id`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, placement: Placement, purpose: str) -> None:
        """Define the identity; `purpose` becomes part of its name."""
        super().__init__(scope, construct_id)
        identity = UserAssignedIdentity(self, "Resource", name=placement.names.of("id", purpose), **placement.arguments)
        self.resource_id: str = identity.id
        self.name: str = identity.name
        self.principal_id: str = identity.principal_id
        self.client_id: str = identity.client_id
        self.tenant_id: str = identity.tenant_id

    def trust(self, *, issuer_url: str, namespace: str, service_account_name: str) -> None:
        """Let a service account of a cluster use this identity."""
        federate(
            self,
            "federated-credential",
            name=f"{namespace}-{service_account_name}",
            identity_resource_id=self.resource_id,
            issuer_url=issuer_url,
            namespace=namespace,
            service_account_name=service_account_name,
        )
