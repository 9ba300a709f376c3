"""Properties of the cluster that azapi writes, because azurerm cannot, or would replace the cluster.

A property that is off is written too: azapi leaves properties that it does not name as they are.

See: https://learn.microsoft.com/rest/api/aks/managed-clusters/create-or-update
"""

from typing import Any

from aks_kaito.settings.cluster import Cluster

# The first stable API version with KAITO's profile and the Gateway API; KAITO's has existed since 2025-05-01.
API_VERSION = "2026-02-01"
# Errors of an update while AKS changes the cluster otherwise, such as a pool that KAITO creates: azapi tries again.
# See: https://github.com/Azure/terraform-provider-azapi/issues/889
CONFLICTS = ["EtagMismatch", "in.progress"]


def properties(
    cluster: Cluster, *, kaito_enabled: bool, web_app_routing_enabled: bool, gateway_api_enabled: bool
) -> dict[str, Any]:
    """Return the properties by their names in Azure's API."""
    return {
        "aiToolchainOperatorProfile": {"enabled": kaito_enabled},
        "ingressProfile": {
            "gatewayAPI": {"installation": "Standard" if gateway_api_enabled else "Disabled"},
            "webAppRouting": {
                # azurerm reads a missing value as true, and would plan to remove app routing's NGINX.
                "enabled": web_app_routing_enabled,
                "gatewayAPIImplementations": {
                    "appRoutingIstio": {"mode": "Enabled" if gateway_api_enabled else "Disabled"}
                },
            },
        },
        # azurerm would replace the cluster for another key.
        "linuxProfile": {
            "adminUsername": cluster.admin_username,
            "ssh": {"publicKeys": [{"keyData": cluster.ssh_public_key}]},
        },
        # azurerm switches KEDA and VPA off only while the other one is on (see add_ons.py).
        **({} if cluster.has_workload_autoscaler else {"workloadAutoScalerProfile": _AUTOSCALERS_OFF}),
    }


_AUTOSCALERS_OFF = {"keda": {"enabled": False}, "verticalPodAutoscaler": {"enabled": False}}
