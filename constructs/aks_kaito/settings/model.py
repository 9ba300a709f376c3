"""The tables of KAITO and its models: `[kaito]`, `[model]` and `[models.NAME]`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from aks_kaito.settings.fields import (
    DnsLabel,
    Hostname,
    InstanceType,
    KaitoVersion,
    KeyVaultSecretName,
    Matching,
    Preset,
    Section,
    distinct,
    fixed,
)
from aks_kaito.settings.labels import NodeLabels
from aks_kaito.settings.model_parts import (
    Adapters,
    AutoUpgrade,
    Icon,
    MigProfile,
    Starters,
    TemplatePath,
    VllmParameters,
)
from aks_kaito.settings.scaling import Autoscaling, Schedule

Replicas = Annotated[int, Field(ge=1, le=100)]
# The key of the model that `[model]` describes. Names of its objects have no key in their hash, so that they stay.
DEFAULT = "default"
ModelName = Annotated[
    str,
    Matching(
        r"[a-z]([-a-z0-9]{0,18}[a-z0-9])?",
        "names of models are at most 20 lower-case letters, digits and '-', a letter first",
    ),
]


# KAITO's feature gates, in the spelling of its chart.
# See: https://github.com/kaito-project/kaito/blob/v0.12.0/pkg/featuregates/featuregates.go
FeatureGate = Literal[
    "vLLM",
    "disableNodeAutoProvisioning",
    "gatewayAPIInferenceExtension",
    "enableInferenceSetController",
    "enableMIG",
    "enableAccelerator",
    "enableMultiRoleInferenceController",
    "ModelMirror",
    "ModelStreaming",
    "enableBaseImageAutoUpgrade",
]


class Kaito(Section):
    """KAITO: the managed add-on (AI toolchain operator), or the open-source chart.

    See: https://learn.microsoft.com/azure/aks/ai-toolchain-operator
    """

    enabled: bool = True
    """Install KAITO. Delete all Workspaces before you disable it."""
    distribution: Literal["addon", "helm"] = "addon"
    """KAITO's distribution: the managed add-on of AKS, or the open-source chart, which has more features. Delete all
    Workspaces before you change it."""
    version: KaitoVersion = "0.6.0"
    """KAITO version that the add-on ships or the chart has, which determines the accepted presets, GPU sizes and the
    number of nodes. Azure documents 0.6.0 and may run a newer one: `make deploy` compares this key with the image in
    the cluster. The open-source chart needs 0.12.0."""
    provisioner: Literal["node-auto-provisioning", "gpu-provisioner", "none"] = "node-auto-provisioning"
    """Creator of the GPU nodes of the open-source KAITO: AKS's managed Karpenter, which KAITO recommends; the
    deprecated `gpu-provisioner`, in pools of AKS; or `none`, for existing nodes only. Delete all Workspaces before you
    change it. The add-on has a provisioner of its own."""
    feature_gates: dict[FeatureGate, bool] = {}
    """Feature gates of the open-source KAITO by their names, such as `enableMultiRoleInferenceController = true`. The
    gates that a key of a model needs are on without being named here."""
    routing: Literal["service", "gateway"] = "service"
    """Distribution of the questions among the replicas of a model of the open-source KAITO: by connections, or through
    a Gateway inside the cluster, whose endpoint picker knows the load and the cache of each replica. `gateway` requires
    `cluster.gateway_api_enabled`."""
    model_mirror_enabled: bool = fixed(False)
    """Download the weights of each vLLM model of the open-source KAITO once, into a storage account of the environment,
    and stream them from there when the model starts. New models use it; a running one when it is replaced."""
    provisioner_identity: Literal["managed", "customer"] = "managed"
    """Owner of the identity of the add-on's GPU provisioner: AKS, or in older clusters an identity in the node resource
    group."""

    @property
    def is_open_source(self) -> bool:
        """Whether the open-source chart is installed, instead of the add-on."""
        return self.enabled and self.distribution == "helm"

    @property
    def is_add_on(self) -> bool:
        """Whether the managed add-on is on."""
        return self.enabled and self.distribution == "addon"

    @property
    def installed_provisioner(self) -> Literal["node-auto-provisioning", "gpu-provisioner", "none"] | None:
        """The provisioner of the open-source KAITO; None with the add-on, which has its own, and without KAITO."""
        return self.provisioner if self.is_open_source else None


class Model(Section):
    """A model that KAITO serves, its GPU nodes, and its profile in the chat.

    `[model]` is the short form of `[models.default]`: without any of these tables there is one model with the default
    values. Several models are several tables `[models.NAME]`, beside `[model]` or instead of it. The chat lists the
    default model first, then the others by their names.

    Another preset, size or number of nodes is another model, which starts from the beginning. Start it as the standby,
    then exchange both (docs/how-to/change-the-model.md).

    See: https://github.com/kaito-project/kaito/tree/main/presets
    """

    preset: Preset = "phi-4-mini-instruct"
    """Short name of the KAITO preset; KAITO 0.12 also takes a Hugging Face id, such as `Qwen/Qwen3.5-9B`. While
    the model runs, a change is refused unless the new one is a ready standby."""
    template: TemplatePath | None = None
    """YAML file of a pod template, instead of a preset: a path relative to the environment file. The container
    listens on port 5000. The keys of presets have no effect on it and are refused."""
    instance_type: InstanceType = "Standard_NC24ads_A100_v4"
    """VM size of the GPU nodes that KAITO creates; the subscription needs quota for its family. With a `template`
    also a CPU size, such as `Standard_D8ads_v5`. An empty string means existing nodes, which `node_labels` select."""
    node_count: Annotated[int, Field(ge=1, le=10)] = 1
    """Number of GPU nodes that share the model, on KAITO 0.6, which shares Llama and the large DeepSeek models only.
    KAITO 0.12 counts the nodes itself; `make synth` shows them."""
    replicas: Replicas = 1
    """Number of copies of the model, each on its own nodes. The add-on runs one Workspace for each, and the chat
    distributes the questions. The first one keeps its name when the number changes."""
    min_replicas: Replicas | None = None
    """Minimum number of copies, with autoscaling by load. Requires `max_replicas`."""
    max_replicas: Replicas | None = None
    """Maximum number of copies; enables autoscaling, instead of `replicas`."""
    autoscaling: Autoscaling | None = None
    """Metrics and windows of the autoscaling, as `[models.NAME.autoscaling]`. Requires `max_replicas`."""
    schedule: Schedule | None = None
    """Times at which the model is scaled to zero and started again, as `[models.NAME.schedule]`. Needs
    `kaito.distribution = "helm"`."""
    max_model_len: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Length of the context in tokens (vLLM's `max-model-len`), by default what fits. KAITO 0.6 requires it with
    several nodes; KAITO 0.12 counts the nodes of a new Workspace with it. A change restarts the model server."""
    vllm: VllmParameters = {}
    """Engine parameters of vLLM by their names, such as `gpu-memory-utilization = 0.9`. A change restarts the model
    server."""
    runtime: Literal["vllm", "transformers"] = "vllm"
    """KAITO's runtime. `transformers` has no streaming and no metrics on KAITO 0.6."""
    adapters: Adapters = {}
    """LoRA adapters by name, as `[models.NAME.adapters.ADAPTER]`, at most ten. A change restarts the model server."""
    access_secret: KeyVaultSecretName | None = None
    """Name of a secret in the environment's Key Vault with a Hugging Face token, for a gated model. It becomes the key
    `HF_TOKEN` of a Kubernetes Secret."""
    node_labels: NodeLabels = {}
    """Labels of the GPU nodes, by which the Workspace selects them; by default one label of its own."""
    preferred_nodes: Annotated[tuple[DnsLabel, ...], Field(strict=False), AfterValidator(distinct)] = ()
    """Names of existing nodes to use, on KAITO 0.6. They need the `node_labels`; KAITO creates missing nodes only."""
    mig_profile: MigProfile | None = None
    """Slice of a GPU (NVIDIA MIG) on existing nodes, such as `2g.20gb`."""
    spot_enabled: bool = False
    """Select Spot nodes among the existing ones. Azure can evict them at any time, and the model then starts again."""
    performance_mode: Literal["balanced", "interactivity", "throughput"] = "balanced"
    """Preset of vLLM's parameters: short answer times (`interactivity`), many tokens per second (`throughput`)."""
    node_image_family: Literal["ubuntu", "azurelinux"] | None = None
    """Operating system of the GPU nodes; by default KAITO's own, which is Ubuntu."""
    auto_upgrade: AutoUpgrade | None = None
    """Upgrade of the running model server after an upgrade of KAITO, as `[models.NAME.auto_upgrade]`."""
    hostname: Hostname | None = fixed(None)
    """Host name of the model's own endpoint, as `ingress.model_hostname` is that of the default model."""
    display_name: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    """Name in the chat's picker, by default the preset."""
    description: Annotated[str, Field(max_length=2000)] = ""
    """Description in the picker, as Markdown."""
    icon: Icon | None = None
    """Picture in the picker: an `https://` URL, or a path below `/public` of the application."""
    starters: Starters = ()
    """Questions that a new conversation with this model suggests, as `[[models.NAME.starters]]`, at most ten; by
    default the application's."""
    standby_preset: Preset | None = None
    """Preset of a standby: a second model that starts beside the first one, which answers meanwhile. By default the
    model's. There is a standby if one of the three keys is set; its GPU nodes are billed too."""
    standby_instance_type: InstanceType | None = None
    """VM size of the standby's GPU nodes; by default the model's."""
    standby_node_count: Annotated[int, Field(ge=1, le=10)] | None = None
    """Number of GPU nodes that share the standby; by default the model's."""
    interruption_allowed: bool = False
    """Accept a deployment that replaces a running model by one that is not ready: no answers for about 20 minutes."""

    def standby(self) -> "Model | None":
        """Return the standby, if there is one: the model with the preset, size and number of nodes of the standby."""
        keys = {
            "preset": self.standby_preset,
            "instance_type": self.standby_instance_type,
            "node_count": self.standby_node_count,
        }
        given = {key: value for key, value in keys.items() if value is not None}
        return self.model_copy(update=given) if given else None

    @property
    def most_replicas(self) -> int:
        """The largest number of copies."""
        return self.replicas if self.max_replicas is None else self.max_replicas

    @property
    def awake_replicas(self) -> int:
        """The number of copies with which the model starts."""
        given = None if self.schedule is None else self.schedule.replicas
        return given or self.min_replicas or self.replicas

    @property
    def title(self) -> str:
        """The preset, or the path of the template."""
        return self.preset if self.template is None else self.template
