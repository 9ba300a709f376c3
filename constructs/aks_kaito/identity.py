"""User-assigned identities, and the Kubernetes service accounts that may act as them.

See: https://learn.microsoft.com/azure/aks/workload-identity-overview
"""

from cdktn_provider_azurerm.federated_identity_credential import FederatedIdentityCredential
from cdktn_provider_azurerm.user_assigned_identity import UserAssignedIdentity
from constructs import Construct

from aks_kaito.placement import Placement

_TOKEN_AUDIENCE = "api://AzureADTokenExchange"  # noqa: S105  (the audience of every workload identity, no secret)


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
    """Let one service account of the cluster behind `issuer_url` act as an identity."""
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
    """Defines a user-assigned identity.

    Public attributes: `resource_id`, `name`, `principal_id`, `client_id`, `tenant_id`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, placement: Placement, purpose: str) -> None:
        """Define the identity for `purpose`, a word that becomes part of its name."""
        super().__init__(scope, construct_id)
        identity = UserAssignedIdentity(self, "Resource", name=placement.names.of("id", purpose), **placement.arguments)
        self._purpose = purpose
        self.resource_id: str = identity.id
        self.name: str = identity.name
        self.principal_id: str = identity.principal_id
        self.client_id: str = identity.client_id
        self.tenant_id: str = identity.tenant_id

    def trust(self, *, issuer_url: str, namespace: str, service_account_name: str) -> None:
        """Let one service account of a cluster act as this identity."""
        federate(
            self,
            "federated-credential",
            name=f"{namespace}-{service_account_name}",
            identity_resource_id=self.resource_id,
            issuer_url=issuer_url,
            namespace=namespace,
            service_account_name=service_account_name,
        )
