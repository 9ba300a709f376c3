"""The tables of the cluster: `[cluster]`, `[system_pool]`, `[user_pool]` and `[flux]`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from aks_kaito.catalog import CATALOG
from aks_kaito.settings.addresses import ApiServerSources, Cidr, IpAddress
from aks_kaito.settings.fields import (
    DayOfWeek,
    Effect,
    Guid,
    KubernetesVersion,
    Matching,
    Section,
    SshPublicKey,
    TimeOfDay,
    VmSize,
    Zones,
    distinct,
    fixed,
)
from aks_kaito.settings.labels import NodeLabels, NodeTaints

# Nodes above a pool's size during an upgrade, in percent of its nodes. AKS rounds up.
# See: https://learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling
MAX_SURGE_PERCENT = 10

NodeCount = Annotated[int, Field(ge=0, le=1000)]
PoolName = Annotated[
    str,
    Matching(r"[a-z][a-z0-9]{0,11}", "must be 1-12 lower-case letters and digits, starting with a letter"),
]


def _username(value: str) -> str:
    if value in CATALOG.reserved_names.usernames:
        raise ValueError(
            f"must not be a name that Azure reserves: {', '.join(sorted(CATALOG.reserved_names.usernames))}"
        )
    return value


AdminUsername = Annotated[
    str,
    Matching(
        r"[a-z][-a-z0-9_]{0,31}",
        "must be a Linux user name: 1-32 lower-case letters, digits, '_' and '-', a letter first",
    ),
    AfterValidator(_username),
]


class Cluster(Section):
    """The AKS cluster.

    See: https://learn.microsoft.com/azure/aks/what-is-aks
    """

    kubernetes_version: KubernetesVersion = fixed("1.35", Effect.LOWER_REFUSED)
    """Minor version, for which AKS selects the patch, or full version. A newer one upgrades the control plane, then the
    pools; AKS upgrades one minor version at a time and cannot downgrade. An unsupported version causes a warning."""
    sku_tier: Literal["Free", "Standard", "Premium"] = "Free"
    """Pricing tier. Free has no uptime SLA; long-term support requires Premium."""
    support_plan: Literal["KubernetesOfficial", "AKSLongTermSupport"] = "KubernetesOfficial"
    """Support plan; long-term support requires `sku_tier = "Premium"`."""
    automatic_upgrade_channel: Literal["none", "patch", "stable", "rapid", "node-image"] = "patch"
    """Channel of automatic Kubernetes upgrades, within the maintenance window."""
    node_os_upgrade_channel: Literal["None", "Unmanaged", "SecurityPatch", "NodeImage"] = "NodeImage"
    """Channel of automatic upgrades of the nodes' operating system."""
    maintenance_day: DayOfWeek = "Sunday"
    """Day of the maintenance window of both upgrade channels."""
    maintenance_start_time: TimeOfDay = "02:00"
    """Start of the maintenance window, as HH:MM in UTC."""
    maintenance_duration_hours: Annotated[int, Field(ge=4, le=24)] = 4
    """Duration of the maintenance window, in hours; AKS requires at least four."""
    ssh_public_key: SshPublicKey
    """OpenSSH public key of the administrator of nodes and jump box. RSA is safe: AKS refused Ed25519 for years. Nodes
    take a changed key at their next image upgrade; the jump box keeps the first one (see `az vm user update`)."""
    admin_username: AdminUsername = fixed("azadmin")
    """User name of the administrator of nodes and jump box."""
    admin_group_object_ids: Annotated[tuple[Guid, ...], Field(strict=False), AfterValidator(distinct)] = ()
    """Object ids of Entra ID groups that administer the cluster and import dashboards. If empty, the first deployer
    gets these rights and keeps them."""
    private_cluster_enabled: bool = fixed(False)
    """Give the API server a private address only. Operators then need the access in `private_access`."""
    private_access: Literal["bastion", "peered"] = "bastion"
    """Access of operators to a private cluster: Bastion with the jump box, or a network that you peer yourself."""
    run_command_enabled: bool = True
    """Allow `az aks command invoke`, which needs no network path to a private API server."""
    api_server_vnet_integration_enabled: bool = fixed(False, Effect.LOWER_REFUSED)
    """Give the API server an address in a subnet of its own, so that nodes reach it inside the network."""
    authorized_ip_ranges: ApiServerSources = ()
    """Public addresses or ranges that can reach a public API server, in addition to the nodes'; if empty, all can.
    `["0.0.0.0/32"]` means the nodes only."""
    network_plugin_mode: Literal["overlay", "pod-subnet"] = fixed("overlay")
    """Source of pod addresses: `overlay` uses `pod_cidr`, `pod-subnet` uses `network.pod_subnet_cidr`."""
    network_policy: Literal["azure", "calico", "cilium"] = fixed("cilium")
    """NetworkPolicy engine. `cilium` is also the data plane; `azure` retires on Linux in September 2028."""
    pod_cidr: Cidr = fixed("192.168.0.0/16")
    """Range of pods in overlay mode; unused otherwise."""
    service_cidr: Cidr = fixed("172.16.0.0/16")
    """Range of Services, inside the cluster only."""
    dns_service_ip: IpAddress = fixed("172.16.0.10")
    """Address of the cluster's DNS Service, inside `service_cidr` but not its first."""
    image_cleaner_enabled: bool = True
    """Remove unused, vulnerable images from nodes."""
    image_cleaner_interval_hours: Annotated[int, Field(ge=24, le=2160)] = 48
    """Interval of the image cleaner, in hours."""
    azure_policy_enabled: bool = True
    """Enable the Azure Policy add-on, which checks the objects in the cluster."""
    cost_analysis_enabled: bool = False
    """Enable cost analysis per namespace; requires the Standard or Premium tier."""
    keda_enabled: bool = True
    """Enable the KEDA add-on for event-driven autoscaling."""
    vertical_pod_autoscaler_enabled: bool = True
    """Enable the Vertical Pod Autoscaler add-on."""
    key_vault_secrets_rotation_interval_minutes: Annotated[int, Field(ge=1, le=1440)] = 2
    """Polling interval of the Key Vault secrets provider, in minutes. A changed signing secret of the chat is used five
    minutes after it, and after ten minutes at least."""
    dapr_enabled: bool = False
    """Install the Dapr extension in the namespace dapr-system."""
    gateway_api_enabled: bool = False
    """Enable the Gateway API with app routing's Istio also if `ingress.mode` is not "gateway", which has both.
    `kaito.routing = "gateway"` needs it."""
    application_gateway_resource_id: (
        Annotated[
            str,
            Matching(
                r"/subscriptions/[-0-9A-Fa-f]{36}/resourceGroups/[-\w.()]+/providers/Microsoft\.Network/applicationGateways/[-\w.]+",
                "must be the resource id of an Application Gateway (/subscriptions/.../applicationGateways/NAME)",
            ),
        ]
        | None
    ) = None
    """Resource id of an existing Application Gateway for the AGIC add-on; requires `ingress.mode = "none"`."""

    @property
    def has_workload_autoscaler(self) -> bool:
        """Whether KEDA or the Vertical Pod Autoscaler is on."""
        return self.keda_enabled or self.vertical_pod_autoscaler_enabled


class NodePool(Section):
    """The keys that both node pools have.

    See: https://learn.microsoft.com/azure/aks/create-node-pools
    """

    name: PoolName
    """Name of the pool."""
    vm_size: VmSize = "Standard_D4ads_v5"
    """VM size of the nodes. With ephemeral disks, its cache or temporary disk must have room for `os_disk_size_gib`."""
    zones: Zones = ("1", "2", "3")
    """Availability zones of the nodes; use an empty list in regions without zones."""
    min_count: NodeCount = 3
    """Minimum number of nodes for the autoscaler."""
    max_count: NodeCount = 10
    """Maximum number of nodes for the autoscaler."""
    node_count: NodeCount | None = None
    """Initial number of nodes, by default `min_count`. The autoscaler changes it later."""
    max_pods: Annotated[int, Field(ge=10, le=250)] = 50
    """Maximum number of pods per node."""
    os_disk_type: Literal["Ephemeral", "Managed"] = "Ephemeral"
    """Type of the operating system disk. Ephemeral disks are on the node: faster, free, and lost with it."""
    os_disk_size_gib: Annotated[int, Field(ge=30, le=2048)] = 128
    """Size of the operating system disk, in GiB."""
    os_sku: Literal["Ubuntu", "AzureLinux"] = "Ubuntu"
    """Operating system of the nodes."""
    host_encryption_enabled: bool = False
    """Encrypt temporary disks and caches at the host; the subscription must have registered EncryptionAtHost."""
    node_labels: NodeLabels = {}
    """Kubernetes labels of the nodes."""

    @property
    def first_count(self) -> int:
        """The initial number of nodes."""
        return self.min_count if self.node_count is None else self.node_count

    @property
    def surge_count(self) -> int:
        """The number of nodes that an upgrade adds to the largest pool."""
        return -(-self.max_count * MAX_SURGE_PERCENT // 100)


class SystemPool(NodePool):
    """The node pool of the cluster's own pods only."""

    name: PoolName = fixed("system")
    """Name of the pool. Another name replaces the whole cluster."""


class UserPool(NodePool):
    """The node pool of the chat and other applications. KAITO creates the GPU nodes itself."""

    name: PoolName = fixed("user")
    """Name of the pool."""
    os_sku: Literal["Ubuntu", "AzureLinux"] = fixed("Ubuntu")
    """Operating system of the nodes."""
    node_taints: NodeTaints = ()
    """Taints, such as `workload=chat:NoSchedule`. The deployed workloads tolerate them, except the proxies of a
    Gateway, which AKS defines."""
    spot_enabled: bool = fixed(False)
    """Use Spot nodes: cheaper, and evicted at any time. The deployed workloads tolerate the taint that AKS adds."""

    @property
    def surge_count(self) -> int:
        """As for every pool; a spot pool accepts no upgrade settings, because Azure evicts its nodes."""
        return 0 if self.spot_enabled else super().surge_count


class Flux(Section):
    """GitOps with Flux.

    See: https://learn.microsoft.com/azure/azure-arc/kubernetes/conceptual-gitops-flux2
    """

    enabled: bool = False
    """Install the Flux extension with one configuration."""
    url: Annotated[str, Matching(r"(https|ssh)://[^\s/]+/\S+", "must be an https:// or ssh:// URL")] | None = None
    """URL of the Git repository with the manifests; required while Flux is on."""
    branch: Annotated[str, Matching(r"[\w][-\w./]{0,199}", "must be a Git branch")] = "main"
    """Branch to follow."""
    kustomization_path: Annotated[str, Matching(r"\./[-\w./]*", "must be a path such as ./clusters/dev")] = "./"
    """Path of the kustomization `apps` in the repository."""
