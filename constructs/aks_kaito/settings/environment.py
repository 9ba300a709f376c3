"""The model of an environment file.

This model and those of its tables define every key of `environments/NAME.toml`, its type and its default. The page on
settings and the JSON Schema for editors are generated from them.
"""

from typing import Annotated

from aks_kaito.settings import feature_gates
from aks_kaito.settings.cluster import Cluster, Flux, SystemPool, UserPool
from aks_kaito.settings.fields import Guid, Location, Matching, Section, fixed
from aks_kaito.settings.model import DEFAULT, FeatureGate, Kaito, Model, ModelName
from aks_kaito.settings.model_parts import TuningName
from aks_kaito.settings.monitoring import Monitoring
from aks_kaito.settings.network import Network
from aks_kaito.settings.services import Bastion, JumpBox, KeyVault, OpenAi, PostgreSql, Registry, Storage
from aks_kaito.settings.tags import TagNames, Tags
from aks_kaito.settings.tuning import Tuning
from aks_kaito.settings.workload import Charts, Chat, Ingress, State, Workloads

Prefix = Annotated[
    str, Matching(r"[A-Za-z][A-Za-z0-9]{1,9}", "must be 2-10 letters and digits, starting with a letter")
]


class Settings(Section):
    """The settings of one environment."""

    prefix: Prefix = fixed()
    """Prefix of every resource's name, in lower case."""
    location: Location = fixed()
    """Azure region of every resource."""
    subscription_id: Guid | None = fixed(None)
    """Subscription of the deployment, and part of globally unique names. If unset, that of the provider
    (`ARM_SUBSCRIPTION_ID`)."""
    resource_provider_registration_enabled: bool = True
    """Register the required resource providers. Set `false` if the deployer lacks the permission."""
    tags: Tags = {"createdWith": "Terraform"}
    """Tags of every resource, in addition to `environment`, which is the file's name unless you set it here."""
    tags_ignored: TagNames = ()
    """Names of tags that others set, such as a policy, in their spelling. Terraform does not change or remove them."""
    network: Network = Network()
    cluster: Cluster
    system_pool: SystemPool = SystemPool()
    user_pool: UserPool = UserPool()
    kaito: Kaito = Kaito()
    model: Model = Model()
    models: dict[ModelName, Model] = {}
    tuning: dict[TuningName, Tuning] = {}
    chat: Chat = Chat()
    ingress: Ingress = Ingress()
    workloads: Workloads = Workloads()
    charts: Charts = Charts()
    state: State = State()
    registry: Registry = Registry()
    key_vault: KeyVault = KeyVault()
    storage: Storage = Storage()
    openai: OpenAi = OpenAi()
    postgresql: PostgreSql = PostgreSql()
    bastion: Bastion = Bastion()
    jump_box: JumpBox = JumpBox()
    monitoring: Monitoring = Monitoring()
    flux: Flux = Flux()

    @property
    def all_models(self) -> dict[str, Model]:
        """The models by their keys, the default model first; `[model]` counts if it is written or the only one."""
        short = {DEFAULT: self.model} if self.has_short_model else {}
        found = short | self.models
        return {key: found[key] for key in sorted(found, key=lambda key: (key != DEFAULT, key))}

    @property
    def running_tunings(self) -> dict[str, Tuning]:
        """The tunings that are enabled, by their names; none while KAITO is off."""
        return {name: each for name, each in sorted(self.tuning.items()) if each.enabled and self.kaito.enabled}

    @property
    def has_short_model(self) -> bool:
        """Whether `[model]` describes a model."""
        return not self.models or "model" in self.model_fields_set

    @property
    def kaito_feature_gates(self) -> dict[FeatureGate, bool]:
        """Every feature gate of the open-source KAITO: its default, what models need, or what the file says."""
        needed = feature_gates.needed(self.kaito, self.all_models)
        return feature_gates.DEFAULTS | dict.fromkeys(needed, True) | self.kaito.feature_gates

    @property
    def has_gateway_api(self) -> bool:
        """Whether the cluster has the Gateway API with app routing's Istio."""
        return self.cluster.gateway_api_enabled or self.ingress.mode == "gateway"

    @property
    def model_hostnames(self) -> dict[str, str]:
        """The host names of the models' own endpoints, by the models' keys."""
        found = {name: model.hostname for name, model in self.all_models.items()}
        if DEFAULT in found:
            found[DEFAULT] = found[DEFAULT] or self.ingress.model_hostname
        return {name: hostname for name, hostname in found.items() if hostname is not None}
