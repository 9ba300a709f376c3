"""Azure OpenAI, a second place where the chat finds models.

See: https://learn.microsoft.com/azure/ai-foundry/openai/how-to/managed-identity
"""

from cdktn_provider_azurerm.cognitive_account import CognitiveAccount
from cdktn_provider_azurerm.cognitive_deployment import CognitiveDeployment
from constructs import Construct

from aks_kaito import diagnostics, roles
from aks_kaito.identity import Identity
from aks_kaito.network import private_endpoint
from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement
from aks_kaito.settings import Settings


class OpenAi(Construct):
    """Defines the account without keys, its deployments, and the chat's right to use them.

    Public attributes: `resource_id`, `endpoint`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        placement: Placement,
        network: VirtualNetwork,
        workload_identity: Identity,
    ) -> None:
        """Define the account; deployments follow one another, since the account changes one at a time."""
        super().__init__(scope, construct_id)
        private = settings.network.private_endpoints_enabled
        account = CognitiveAccount(
            self,
            "Resource",
            name=placement.names.openai,
            kind="OpenAI",
            sku_name=settings.openai.sku_name,
            # Entra ID needs the account to have a host name of its own.
            custom_subdomain_name=placement.names.openai,
            local_auth_enabled=False,
            public_network_access_enabled=not private,
            outbound_network_access_restricted=True,
            identity={"type": "SystemAssigned"},
            **placement.arguments,
        )
        previous: list[CognitiveDeployment] = []
        for name, deployment in settings.openai.deployments.items():
            previous = [
                CognitiveDeployment(
                    self,
                    f"deployment-{name}",
                    name=name,
                    cognitive_account_id=account.id,
                    model={"format": "OpenAI", "name": deployment.model, "version": deployment.version},
                    sku={"name": deployment.sku_name, "capacity": deployment.capacity},
                    # Azure refuses a second change of one account while the first is under way.
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
        if private:
            private_endpoint.PrivateEndpoint(
                self,
                "private-endpoint",
                placement=placement,
                network=network,
                link=private_endpoint.OPENAI,
                target_resource_id=account.id,
            )
        diagnostics.send(
            self,
            target_resource_id=account.id,
            workspace_resource_id=placement.workspace_resource_id,
            logs=["Audit", "RequestResponse", "Trace"],
            metrics=True,
        )
        self.resource_id: str = account.id
        self.endpoint: str = account.endpoint
