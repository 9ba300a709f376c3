"""Azure OpenAI, an optional second source of models for the chat.

See: https://learn.microsoft.com/azure/ai-foundry/openai/how-to/managed-identity
"""

from cdktn_provider_azurerm.cognitive_account import CognitiveAccount
from cdktn_provider_azurerm.cognitive_deployment import CognitiveDeployment
from constructs import Construct

from aks_kaito import diagnostics, roles
from aks_kaito.identity import Identity
from aks_kaito.network.private_endpoint import PrivateLink
from aks_kaito.placement import Placement
from aks_kaito.services.network_access import NetworkAccess
from aks_kaito.settings.services import OpenAi as OpenAiSettings

_LINK = PrivateLink("account", "privatelink.openai.azure.com")


class OpenAi(Construct):
    """Account without keys, its deployments, and the chat's right to use them.

    Public attributes: `resource_id`, `endpoint`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: OpenAiSettings,
        placement: Placement,
        access: NetworkAccess,
        workload_identity: Identity,
    ) -> None:
        """Define the account and its deployments for `workload_identity`."""
        super().__init__(scope, construct_id)
        account = CognitiveAccount(
            self,
            "Resource",
            name=placement.names.openai,
            kind="OpenAI",
            sku_name=settings.sku_name,
            # Sign-in with Entra ID requires a host name per account.
            custom_subdomain_name=placement.names.openai,
            local_auth_enabled=False,
            public_network_access_enabled=access.public,
            outbound_network_access_restricted=True,
            identity={"type": "SystemAssigned"},
            **placement.arguments,
        )
        previous: list[CognitiveDeployment] = []
        for name, deployment in settings.deployments.items():
            previous = [
                CognitiveDeployment(
                    self,
                    f"deployment-{name}",
                    name=name,
                    cognitive_account_id=account.id,
                    model={"format": "OpenAI", "name": deployment.model, "version": deployment.version},
                    sku={"name": deployment.sku_name, "capacity": deployment.capacity},
                    # Azure rejects concurrent changes of one account.
                    depends_on=previous,
                )
            ]
        roles.assign(
            self,
            "chat-uses-models",
            on=account.id,
            role=roles.OPENAI_USER,
            principal_id=workload_identity.principal_id,
        )
        access.add_private_endpoint(self, placement=placement, link=_LINK, resource_id=account.id)
        diagnostics.send(
            self,
            placement=placement,
            target_resource_id=account.id,
            logs=["Audit", "RequestResponse", "Trace"],
            metrics=True,
        )
        self.resource_id: str = account.id
        self.endpoint: str = account.endpoint
