"""The `[monitoring]` table: logs, metrics, dashboards."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from aks_kaito.settings.fields import EmailAddresses, Matching, Principals, Section, distinct, fixed

# The categories of Microsoft.ContainerService/managedClusters that this project offers.
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
# A comma-separated list of metric allow-lists, as kube-state-metrics takes it.
AllowList = Annotated[
    str, Matching(r"[a-z*][-\w./,*=\[\]]{0,1023}", "must be a list such as pods=[app,team],nodes=[*]")
]


class Monitoring(Section):
    """Log Analytics, managed Prometheus and managed Grafana.

    See: https://learn.microsoft.com/azure/azure-monitor/containers/kubernetes-monitoring-overview
    """

    log_retention_days: Annotated[int, Field(ge=30, le=730)] = 30
    """Days that Log Analytics keeps logs; the first 30 are free."""
    log_daily_quota_gib: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Ingestion stops for the day beyond this; left out, there is no limit."""
    cluster_log_categories: Annotated[
        tuple[ClusterLogCategory, ...], Field(strict=False, min_length=1), AfterValidator(distinct)
    ] = (
        "kube-apiserver",
        "kube-audit",
        "kube-audit-admin",
        "kube-controller-manager",
        "kube-scheduler",
        "cluster-autoscaler",
        "guard",
    )
    """Control-plane logs that are kept. `kube-audit` is by far the largest; `kube-audit-admin` leaves out reads."""
    container_insights_enabled: bool = True
    """Container logs go to Log Analytics, through a data collection rule."""
    annotations_allowed: AllowList | None = None
    """Kubernetes annotations that become metric labels; left out, none."""
    labels_allowed: AllowList | None = None
    """Kubernetes labels that become metric labels; left out, none."""
    public_network_access_enabled: bool = True
    """The Azure Monitor workspace answers queries from public networks, to those who may."""
    windows_rules_enabled: bool = False
    """The two groups of recording rules for Windows nodes, of which this project makes none."""
    grafana_major_version: Literal["12", "13"] = "12"
    """Major version of Azure Managed Grafana."""
    grafana_public_network_access_enabled: bool = True
    """Grafana is reached from public networks, behind Entra ID."""
    grafana_zone_redundancy_enabled: bool = fixed(False)
    """Grafana runs in several zones."""
    grafana_admin_object_ids: Principals = {}
    """Entra ID principals that administer Grafana, each under a name of your choice."""
    alerts_enabled: bool = True
    """The chat's and the model's alert rules, as rules of Azure Monitor."""
    alert_email_addresses: EmailAddresses = {}
    """Who is told of alerts, each under a name of your choice; left empty, they are seen in the portal only."""
