"""Add-ons that AKS installs and operates, except those that azapi switches (`azapi_properties`).

See: https://learn.microsoft.com/azure/aks/integrations
"""

from typing import Any

from aks_kaito.placement import Placement
from aks_kaito.settings.cluster import Cluster
from aks_kaito.settings.monitoring import Monitoring


def arguments(
    cluster: Cluster,
    monitoring: Monitoring,
    placement: Placement,
    *,
    web_app_routing: bool,
    dns_zone_ids: list[str],
    blob_driver: bool,
) -> dict[str, Any]:
    """Return the cluster's arguments that switch its add-ons, each explicitly on or off."""
    gateway_id = cluster.application_gateway_resource_id
    return {
        # KAITO needs the issuer, also where nothing else uses workload identity.
        "oidc_issuer_enabled": True,
        "workload_identity_enabled": True,
        "azure_policy_enabled": cluster.azure_policy_enabled,
        # Without the block AKS decides, as for clusters that were deployed without it.
        "storage_profile": {"blob_driver_enabled": True} if blob_driver else None,
        "cost_analysis_enabled": cluster.cost_analysis_enabled,
        "http_application_routing_enabled": False,
        "open_service_mesh_enabled": False,
        "image_cleaner_enabled": cluster.image_cleaner_enabled,
        "image_cleaner_interval_hours": cluster.image_cleaner_interval_hours,
        # Azure returns no profile if both are off from the start, so a block with two times false would be a change in
        # every plan. azapi switches them off (see azapi_properties.py).
        "workload_autoscaler_profile": {
            "keda_enabled": cluster.keda_enabled,
            "vertical_pod_autoscaler_enabled": cluster.vertical_pod_autoscaler_enabled,
        }
        if cluster.has_workload_autoscaler
        else None,
        "key_vault_secrets_provider": {
            "secret_rotation_enabled": True,
            "secret_rotation_interval": f"{cluster.key_vault_secrets_rotation_interval_minutes}m",
        },
        "monitor_metrics": {
            "annotations_allowed": monitoring.annotations_allowed,
            "labels_allowed": monitoring.labels_allowed,
        },
        "oms_agent": {
            "log_analytics_workspace_id": placement.workspace_resource_id,
            "msi_auth_for_monitoring_enabled": True,
        }
        if monitoring.container_insights_enabled
        else None,
        "web_app_routing": {"dns_zone_ids": dns_zone_ids} if web_app_routing else None,
        "ingress_application_gateway": {"gateway_id": gateway_id} if gateway_id else None,
    }
