"""Rights of the Application Gateway Ingress Controller (AGIC), an add-on of the cluster, on its gateway.

See: https://learn.microsoft.com/azure/application-gateway/tutorial-ingress-controller-add-on-existing
"""

from cdktn_provider_azurerm.data_azurerm_application_gateway import DataAzurermApplicationGateway
from constructs import Construct

from aks_kaito import roles


def grant(scope: Construct, *, gateway_resource_id: str, principal_id: str) -> None:
    """Let AGIC change the gateway, join its subnet and read its resource group.

    The gateway must be in the cluster's subscription.
    """
    group_id, _, path = gateway_resource_id.partition("/providers/")
    gateway = DataAzurermApplicationGateway(
        scope,
        "application-gateway",
        name=path.rpartition("/")[2],
        resource_group_name=group_id.rpartition("/")[2],
    )
    subnet_id = gateway.gateway_ip_configuration.get(0).subnet_id
    for construct_id, on, role in (
        ("agic-changes-gateway", gateway_resource_id, roles.CONTRIBUTOR),
        ("agic-joins-subnet", subnet_id, roles.NETWORK_CONTRIBUTOR),
        ("agic-reads-group", group_id, roles.READER),
    ):
        roles.assign(scope, construct_id, on=on, role=role, principal_id=principal_id)
