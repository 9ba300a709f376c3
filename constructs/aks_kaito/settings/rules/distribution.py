"""Rules on KAITO's distribution: its version, its provisioner, its feature gates, and the network of its nodes."""

from collections.abc import Iterator

from aks_kaito.catalog import CATALOG
from aks_kaito.settings.feature_gates import NEEDED_BY_A_GATE, needed
from aks_kaito.settings.problems import Problem
from aks_kaito.settings.rules.kaito import MODEL_KEYS, models
from aks_kaito.settings.rules.rule import Context, rule

_HELM = 'kaito.distribution = "helm"'
_NODES = "kaito.provisioner"


@rule("kaito.distribution", "kaito.version")
def chart_has_the_version(context: Context) -> Iterator[Problem]:
    """The version is one of the open-source chart that this project installs."""
    kaito = context.settings.kaito
    known = [version for version, facts in CATALOG.kaito_versions.items() if facts.is_chart]
    if kaito.distribution == "helm" and kaito.version not in known:
        yield Problem("kaito.version", kaito.version, f"must be {' or '.join(known)} with {_HELM}")


@rule("kaito")
def addon_has_no_keys_of_the_chart(context: Context) -> Iterator[Problem]:
    """A key of the other distribution has no effect, so it is refused."""
    kaito = context.settings.kaito
    keys = {"helm": ("provisioner_identity",), "addon": ("provisioner", "feature_gates")}[kaito.distribution]
    reasons = {
        "provisioner": f"needs {_HELM}: the add-on creates the nodes with a provisioner of its own",
        "feature_gates": f"needs {_HELM}: the add-on has no switch for KAITO's feature gates",
        "provisioner_identity": f"must not be set with {_HELM}, whose provisioner is kaito.provisioner",
    }
    for key in keys:
        value = getattr(kaito, key)
        if key in kaito.model_fields_set and (key == "provisioner" or value != type(kaito).model_fields[key].default):
            yield Problem(f"kaito.{key}", value, reasons[key])


@rule(*MODEL_KEYS, "kaito")
def feature_gates_agree(context: Context) -> Iterator[Problem]:
    """No feature gate contradicts a key that needs another value, or another gate."""
    settings = context.settings
    if settings.kaito.distribution != "helm":
        return
    reasons = needed(settings.kaito, settings.all_models)
    for gate, value in settings.kaito.feature_gates.items():
        key = f"kaito.feature_gates.{gate}"
        if not value and gate in reasons:
            yield Problem(key, value, f"must be true, or left out, because of {reasons[gate]}")
        if gate == "disableNodeAutoProvisioning" and value and gate not in reasons:
            yield Problem(key, value, f'must be false, or left out, unless {_NODES} = "none", by which KAITO decides')
        other = NEEDED_BY_A_GATE.get(gate)
        if value and other is not None and not settings.kaito_feature_gates[other]:
            yield Problem(key, value, f"needs kaito.feature_gates.{other} = true: KAITO's controller ends without it")


@rule(*MODEL_KEYS, "kaito")
def nodes_have_a_provisioner(context: Context) -> Iterator[Problem]:
    """All models are on created nodes, or all on existing ones: KAITO's provisioner is that of the whole cluster."""
    kaito = context.settings.kaito
    if kaito.distribution != "helm":
        return
    for prefix, model in models(context):
        name = model.instance_type
        if kaito.provisioner == "none" and name:
            allowed = f'must be "", for existing nodes, with {_NODES} = "none", which creates no nodes'
            yield Problem(f"{prefix}instance_type", name, allowed)
        if kaito.provisioner != "none" and not name:
            allowed = f'needs {_NODES} = "none" for existing nodes: KAITO creates the nodes of all models, or of none'
            yield Problem(f"{prefix}instance_type", name, allowed)


@rule("kaito", "cluster.network_policy", "cluster.network_plugin_mode")
def network_takes_auto_provisioned_nodes(context: Context) -> Iterator[Problem]:
    """Node auto-provisioning supports the network.

    See: https://learn.microsoft.com/azure/aks/node-auto-provisioning-networking
    """
    settings = context.settings
    if settings.kaito.installed_provisioner != "node-auto-provisioning":
        return
    way_out = f'{_NODES} = "node-auto-provisioning"; {_NODES} = "gpu-provisioner" has no such limit'
    if settings.cluster.network_policy == "calico":
        yield Problem("cluster.network_policy", "calico", f'must be "cilium" or "azure" with {way_out}')
    if settings.cluster.network_plugin_mode == "pod-subnet":
        yield Problem("cluster.network_plugin_mode", "pod-subnet", f'must be "overlay" with {way_out}')


@rule("kaito")
def gpu_provisioner_is_deprecated(context: Context) -> Iterator[Problem]:
    """KAITO has deprecated its GPU provisioner. This is a warning: it works.

    See: https://kaito-project.github.io/kaito/docs/azure
    """
    provisioner = context.settings.kaito.installed_provisioner
    if provisioner == "gpu-provisioner":
        yield Problem(_NODES, provisioner, 'is deprecated by KAITO, which recommends "node-auto-provisioning"')
