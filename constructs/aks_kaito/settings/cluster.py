"""The tables of the cluster: `[cluster]`, `[system_pool]`, `[user_pool]`, `[kaito]`, `[model]`, `[flux]`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from aks_kaito.settings.fields import (
    AllowedSources,
    Cidr,
    DayOfWeek,
    Guid,
    IpAddress,
    KaitoVersion,
    KubernetesVersion,
    Matching,
    NodeLabels,
    NodeTaint,
    Section,
    SshPublicKey,
    TimeOfDay,
    VmSize,
    Zones,
    distinct,
    fixed,
)

NodeCount = Annotated[int, Field(ge=0, le=1000)]
PoolName = Annotated[
    str,
    Matching(r"[a-z][a-z0-9]{0,11}", "must be 1-12 lower-case letters and digits, starting with a letter"),
]


class Cluster(Section):
    """The AKS cluster itself.

    See: https://learn.microsoft.com/azure/aks/what-is-aks
    """

    kubernetes_version: KubernetesVersion = "1.35"
    """Minor version (AKS picks the patch) or full version. One past its support date is a warning."""
    sku_tier: Literal["Free", "Standard", "Premium"] = "Free"
    """Free has no uptime SLA; Premium is needed for long-term support."""
    support_plan: Literal["KubernetesOfficial", "AKSLongTermSupport"] = "KubernetesOfficial"
    """Long-term support needs `sku_tier = "Premium"`."""
    automatic_upgrade_channel: Literal["none", "patch", "stable", "rapid", "node-image"] = "patch"
    """How far AKS upgrades Kubernetes by itself, within the maintenance window."""
    node_os_upgrade_channel: Literal["None", "Unmanaged", "SecurityPatch", "NodeImage"] = "NodeImage"
    """How AKS keeps the nodes' operating system patched."""
    maintenance_day: DayOfWeek = "Sunday"
    """Day of the week on which both upgrade channels may work."""
    maintenance_start_time: TimeOfDay = "02:00"
    """When the window opens, as HH:MM in UTC."""
    maintenance_duration_hours: Annotated[int, Field(ge=4, le=24)] = 4
    """How long the window stays open; AKS asks for at least four hours."""
    ssh_public_key: SshPublicKey
    """OpenSSH public key of the nodes' and the jump box's administrator. RSA is safe: AKS refused Ed25519 for years."""
    admin_username: Annotated[str, Matching(r"[a-z_][-a-z0-9_]{0,31}", "must be a Linux user name")] = fixed("azadmin")
    """Administrator of the nodes and the jump box."""
    admin_group_object_ids: Annotated[tuple[Guid, ...], Field(strict=False), AfterValidator(distinct)] = ()
    """Entra ID groups that administer the cluster. Without any, whoever deploys gets RBAC Cluster Admin."""
    private_cluster_enabled: bool = fixed(False)
    """The API server has a private address only. Needs a way in: see `private_access`."""
    private_access: Literal["bastion", "peered"] = "bastion"
    """How people reach a private cluster: Bastion with the jump box, or a network you peer yourself."""
    run_command_enabled: bool = True
    """`az aks command invoke` works, which needs no network path to a private API server."""
    api_server_vnet_integration_enabled: bool = fixed(False)
    """The API server gets an address in its own subnet, so nodes reach it without leaving the network."""
    authorized_ip_ranges: AllowedSources = ()
    """Public addresses that may reach a public API server, besides the nodes' own; empty means all of them."""
    network_plugin_mode: Literal["overlay", "pod-subnet"] = fixed("overlay")
    """`overlay` gives pods addresses of `pod_cidr`; `pod-subnet` those of `network.pod_subnet_cidr`."""
    network_policy: Literal["azure", "calico", "cilium"] = fixed("cilium")
    """Who enforces NetworkPolicy. Cilium also becomes the data plane; azure retires on Linux in September 2028."""
    pod_cidr: Cidr = fixed("192.168.0.0/16")
    """Addresses of pods in overlay mode; unused otherwise."""
    service_cidr: Cidr = fixed("172.16.0.0/16")
    """Addresses of Services; inside the cluster only."""
    dns_service_ip: IpAddress = fixed("172.16.0.10")
    """Address of the cluster's DNS Service, inside `service_cidr` and not its first."""
    image_cleaner_enabled: bool = True
    """Unused, vulnerable images are removed from nodes."""
    image_cleaner_interval_hours: Annotated[int, Field(ge=24, le=2160)] = 48
    """Hours between two cleanings."""
    azure_policy_enabled: bool = True
    """The Azure Policy add-on checks what is deployed in the cluster."""
    cost_analysis_enabled: bool = False
    """Costs per namespace; needs the Standard or Premium tier."""
    keda_enabled: bool = True
    """The KEDA add-on: event-driven scaling of workloads."""
    vertical_pod_autoscaler_enabled: bool = True
    """The Vertical Pod Autoscaler add-on."""
    key_vault_secrets_rotation_interval_minutes: Annotated[int, Field(ge=1, le=1440)] = 2
    """Minutes between two looks of the Key Vault secrets provider for changed secrets."""
    dapr_enabled: bool = False
    """The Dapr extension, in the namespace dapr-system."""
    application_gateway_resource_id: (
        Annotated[
            str,
            Matching(
                r"/subscriptions/[-0-9a-f]{36}/resourceGroups/[-\w.()]+/providers/Microsoft\.Network/applicationGateways/[-\w.]+",
                "must be the resource id of an Application Gateway (/subscriptions/.../applicationGateways/NAME)",
            ),
        ]
        | None
    ) = None
    """An existing Application Gateway that the AGIC add-on drives; needs `ingress.mode = "none"`."""


class NodePool(Section):
    """What the system and the user pool have in common.

    See: https://learn.microsoft.com/azure/aks/create-node-pools
    """

    name: PoolName
    """Name of the pool."""
    vm_size: VmSize = "Standard_D4ads_v5"
    """VM size of the nodes; with ephemeral disks its cache or temporary disk must hold `os_disk_size_gib`."""
    zones: Zones = ("1", "2", "3")
    """Availability zones of the nodes; empty where the region has none."""
    min_count: NodeCount = 3
    """Fewest nodes the autoscaler keeps."""
    max_count: NodeCount = 10
    """Most nodes the autoscaler starts."""
    node_count: NodeCount | None = None
    """Nodes at creation, between the two; left out, `min_count`. Later the autoscaler decides."""
    max_pods: Annotated[int, Field(ge=10, le=250)] = 50
    """Pods that a node may run."""
    os_disk_type: Literal["Ephemeral", "Managed"] = "Ephemeral"
    """Ephemeral disks live on the node: faster, free, and lost with it."""
    os_disk_size_gib: Annotated[int, Field(ge=30, le=2048)] = 128
    """Size of the operating system's disk."""
    os_sku: Literal["Ubuntu", "AzureLinux"] = "Ubuntu"
    """The nodes' operating system."""
    host_encryption_enabled: bool = False
    """Temporary disks and caches are encrypted at the host; the subscription must have registered EncryptionAtHost."""
    node_labels: NodeLabels = {}
    """Kubernetes labels of the nodes."""


class SystemPool(NodePool):
    """The pool of the cluster's own pods; nothing else runs on it."""

    name: PoolName = fixed("system")
    """Name of the pool."""


class UserPool(NodePool):
    """The pool of the chat and other applications. GPU nodes come from KAITO, not from here."""

    name: PoolName = fixed("user")
    """Name of the pool."""
    node_taints: Annotated[tuple[NodeTaint, ...], Field(strict=False)] = ()
    """Taints, such as `workload=chat:NoSchedule`. What is deployed here tolerates them, but for a Gateway's
    proxies, which AKS places."""
    spot_enabled: bool = fixed(False)
    """Spot nodes: cheap, evicted at any time. AKS taints them, which what is deployed here tolerates."""


class Kaito(Section):
    """The AI toolchain operator add-on.

    See: https://learn.microsoft.com/azure/aks/ai-toolchain-operator
    """

    enabled: bool = True
    """The add-on is on. `false` switches it off; Workspaces must be gone first."""
    version: KaitoVersion = "0.6.0"
    """KAITO version that the add-on ships; decides which presets and GPU sizes are accepted."""
    provisioner_identity: Literal["managed", "customer"] = "managed"
    """Who owns the GPU provisioner's identity: AKS, or (older clusters) an identity in the node resource group."""


class Model(Section):
    """The model that KAITO serves, and on what.

    See: https://github.com/kaito-project/kaito/tree/main/presets
    """

    preset: Annotated[str, Matching(r"[a-z0-9][-a-z0-9.]{0,62}", "must be a preset's short name")] = (
        "phi-4-mini-instruct"
    )
    """KAITO preset, by its short name. Its Workspace is replaced when this changes."""
    instance_type: VmSize = "Standard_NC24ads_A100_v4"
    """GPU size of the node that KAITO creates; the subscription needs quota for its family."""
    node_count: Annotated[int, Field(ge=1, le=10)] = 1
    """GPU nodes that share the model."""


class Flux(Section):
    """GitOps with Flux.

    See: https://learn.microsoft.com/azure/azure-arc/kubernetes/conceptual-gitops-flux2
    """

    enabled: bool = False
    """The Flux extension and one configuration."""
    url: Annotated[str, Matching(r"(https|ssh)://[^\s/]+/\S+", "must be an https:// or ssh:// URL")] | None = None
    """Git repository with the manifests; required while Flux is on."""
    branch: Annotated[str, Matching(r"[\w][-\w./]{0,199}", "must be a Git branch")] = "main"
    """Branch to follow."""
    kustomization_path: Annotated[str, Matching(r"\./[-\w./]*", "must be a path such as ./clusters/dev")] = "./"
    """Folder of the kustomization `apps` in that repository."""
