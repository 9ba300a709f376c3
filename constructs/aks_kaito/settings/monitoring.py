"""The `[monitoring]` table: logs, metrics, dashboards and alerts."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from aks_kaito.settings.fields import EmailAddresses, Matching, Principals, Section, distinct, fixed

# The supported log categories of Microsoft.ContainerService/managedClusters.
# See: https://learn.microsoft.com/azure/aks/monitor-aks-reference
ClusterLogCategory = Literal[
    "kube-apiserver",
    "kube-audit",
    "kube-audit-admin",
    "kube-controller-manager",
    "kube-scheduler",
    "cluster-autoscaler",
    "cloud-controller-manager",
    "guard",
]
# The tables of the cluster's logs that support the plan Basic.
# See: https://learn.microsoft.com/azure/azure-monitor/logs/basic-logs-azure-tables
BasicTable = Literal["AKSAudit", "AKSAuditAdmin", "AKSControlPlane", "ContainerLogV2"]
# A comma-separated list of metric allow-lists in the format of kube-state-metrics.
AllowList = Annotated[
    str, Matching(r"[a-z*][-\w./,*=\[\]]{0,1023}", "must be a list such as pods=[app,team],nodes=[*]")
]
# The characters of an address (RFC 3986), without a user and without quotes. Braces are none of them, which Prometheus
# interprets in annotations.
FolderUrl = Annotated[
    str,
    Matching(
        r"(?=.{1,400}$)https?://[-A-Za-z0-9.:]+(/[-A-Za-z0-9._~:/?#@!$&()*+,;=%]*)?",
        "must be the address of a folder, such as https://git.contoso.com/aks-kaito/docs/runbooks",
    ),
]


class Monitoring(Section):
    """Log Analytics, managed Prometheus and managed Grafana.

    See: https://learn.microsoft.com/azure/azure-monitor/containers/kubernetes-monitoring-overview
    """

    log_retention_days: Annotated[int, Field(ge=30, le=730)] = 30
    """Retention of logs in Log Analytics, in days; the first 30 are free."""
    log_daily_quota_gib: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Daily ingestion limit of Log Analytics, in GiB; if unset, there is none."""
    cluster_log_categories: Annotated[
        tuple[ClusterLogCategory, ...], Field(strict=False, min_length=1), AfterValidator(distinct)
    ] = (
        "kube-apiserver",
        "kube-audit-admin",
        "kube-controller-manager",
        "kube-scheduler",
        "cluster-autoscaler",
        "guard",
    )
    """Control plane logs to collect. `kube-audit` is by far the largest log and includes `kube-audit-admin`, which has
    no reads."""
    basic_log_tables: Annotated[tuple[BasicTable, ...], Field(strict=False), AfterValidator(distinct)] = (
        "AKSAudit",
        "AKSAuditAdmin",
        "AKSControlPlane",
    )
    """Tables of the cluster's logs with the plan Basic. Ingestion costs a fraction of Analytics; queries are billed,
    and read one table at a time, for 30 days. Search jobs read `log_retention_days`; alert rules and Grafana read
    nothing. `ContainerLogV2` has the logs of containers. Azure changes a table's plan once a week at most."""
    container_insights_enabled: bool = True
    """Send container logs to Log Analytics, through a data collection rule."""
    annotations_allowed: AllowList | None = None
    """Kubernetes annotations that become metric labels; if unset, none."""
    labels_allowed: AllowList | None = None
    """Kubernetes labels that become metric labels; if unset, none."""
    public_network_access_enabled: bool = True
    """Allow queries of the Azure Monitor workspace from public networks, subject to roles."""
    windows_rules_enabled: bool = False
    """Create the three groups of recording rules for Windows nodes. This project has no Windows pools."""
    grafana_major_version: Literal["12", "13"] = "12"
    """Major version of Azure Managed Grafana."""
    grafana_public_network_access_enabled: bool = True
    """Allow access to Grafana from public networks, with Entra ID sign-in. If off, Grafana has a private endpoint."""
    grafana_zone_redundancy_enabled: bool = fixed(False)
    """Run Grafana in several availability zones."""
    grafana_admin_object_ids: Principals = fixed({})
    """Object ids of Entra ID principals that administer Grafana, by names of your choice."""
    gpu_exporter_enabled: bool = False
    """Run NVIDIA's DCGM exporter on KAITO's GPU nodes, where AKS runs none, for the GPU dashboard and its alert. The
    nodes pull its image from nvcr.io."""
    alerts_enabled: bool = True
    """Create the alert rules of the chat and the model in Azure Monitor."""
    alert_email_addresses: EmailAddresses = {}
    """Recipients of alerts, by names of your choice; if empty, alerts are visible in the portal only."""
    runbooks_url: FolderUrl | None = None
    """Address of the folder of runbooks to which alerts link; for a mirror of this repository, that of its
    `docs/runbooks`. If unset, this project's."""
