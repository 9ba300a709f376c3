"""Rules between the keys of a model, and between models: features of KAITO, templates, copies, adapters, tokens."""

from collections import Counter
from collections.abc import Iterator

from aks_kaito.catalog import CATALOG
from aks_kaito.models import copies
from aks_kaito.models.tables import KAITO
from aks_kaito.settings.model import DEFAULT, Model
from aks_kaito.settings.problems import MISSING, Problem
from aks_kaito.settings.rules.kaito import MODEL_KEYS, prefix_of
from aks_kaito.settings.rules.rule import Context, rule

# Keys that configure a preset, which a template has not.
_OF_A_PRESET = (
    "preset",
    "max_model_len",
    "vllm",
    "runtime",
    "adapters",
    "access_secret",
    "mig_profile",
    "performance_mode",
    "auto_upgrade",
)
# Keys of vLLM, which another runtime does not read.
_OF_VLLM = ("max_model_len", "vllm", "performance_mode")


def _changed(model: Model, *keys: str) -> Iterator[str]:
    """Yield the keys that have another value than the default one."""
    yield from (key for key in keys if getattr(model, key) != Model.model_fields[key].default)


def _each(context: Context) -> Iterator[tuple[str, Model]]:
    """Yield the models without their standbys, each with the beginning of its keys."""
    yield from ((prefix_of(context, name), model) for name, model in context.settings.all_models.items())


@rule("model", "models")
def default_model_is_described_once(context: Context) -> Iterator[Problem]:
    """There is one table of the default model."""
    settings = context.settings
    if settings.has_short_model and DEFAULT in settings.models:
        allowed = "must not be there beside [model], which is its short form: keep one of the two tables"
        yield Problem(f"models.{DEFAULT}", settings.models[DEFAULT].title, allowed)


def _uses(model: Model) -> dict[str, str]:
    """Return the features of KAITO that a model uses, each with its key."""
    volumes = [name for name, adapter in model.adapters.items() if adapter.volume_claim]
    used = {
        "adapter_volumes": f"adapters.{volumes[0]}.volume_claim" if volumes else "",
        "auto_upgrade": "auto_upgrade" if model.auto_upgrade else "",
        "autoscaling": "max_replicas" if model.max_replicas is not None else "",
        "existing_nodes": "" if model.instance_type else "instance_type",
        "mig": "mig_profile" if model.mig_profile else "",
        "node_image_family": "node_image_family" if model.node_image_family else "",
        "performance_mode": next(_changed(model, "performance_mode"), ""),
        "preferred_nodes": "preferred_nodes" if model.preferred_nodes else "",
        "schedule": "schedule" if model.schedule else "",
        "spot": "spot_enabled" if model.spot_enabled else "",
    }
    return {feature: key for feature, key in used.items() if key}


@rule(*MODEL_KEYS, "kaito.distribution")
def kaito_has_the_features(context: Context) -> Iterator[Problem]:
    """The KAITO version has the features that a model uses, and the managed add-on offers them."""
    version, is_addon = context.settings.kaito.version, context.settings.kaito.distribution == "addon"
    for prefix, model in _each(context):
        for name, key in _uses(model).items():
            feature = CATALOG.kaito_features[name]
            since = f"KAITO {feature.since} to {feature.until}" if feature.until else f"KAITO {feature.since} or newer"
            allowed = ""
            if feature.addon and is_addon:
                allowed = f"needs the open-source {since}: the managed add-on {feature.addon}"
            elif not feature.is_in(version):
                allowed = f"needs {since}; kaito.version is {version}"
            if allowed:
                yield Problem(f"{prefix}{key}", _value(model, key), allowed)


def _value(model: Model, key: str) -> object:
    """Return the value of a dotted key."""
    first, *rest = key.split(".")
    value = getattr(model, first)
    return getattr(value[rest[0]], rest[1]) if rest else value


@rule("model", "models", "kaito.distribution")
def keys_of_a_model_agree(context: Context) -> Iterator[Problem]:
    """Keys that contradict each other, or have no effect together, are refused."""
    for prefix, model in _each(context):
        found = (*_template(model), *_runtime(model), *_copies(model), *_workspaces(model, context), *_nodes(model))
        for key, allowed in found:
            value = _value(model, key)
            yield Problem(f"{prefix}{key}", MISSING if value is None else value, allowed)
        for name, adapter in model.adapters.items():
            key = f"{prefix}adapters.{name}"
            if [adapter.image, adapter.volume_claim, adapter.tuning].count(None) != 2:  # noqa: PLR2004  (one is left)
                allowed = "must be set, or volume_claim, or tuning, and not several of them"
                yield Problem(f"{key}.image", adapter.image or MISSING, allowed)
            if adapter.strength is not None and model.runtime == "vllm":
                yield Problem(f"{key}.strength", adapter.strength, 'needs runtime = "transformers": vLLM has none')


def _template(model: Model) -> Iterator[tuple[str, str]]:
    if model.template is not None:
        given = [*_changed(model, *_OF_A_PRESET, "standby_preset")]
        yield from ((key, "must not be set beside template, which defines the container itself") for key in given)


def _runtime(model: Model) -> Iterator[tuple[str, str]]:
    if model.runtime != "vllm":
        if model.max_replicas is not None:
            # See: https://github.com/kaito-project/kaito/tree/v0.12.0/presets/workspace/inference/text-generation
            yield "max_replicas", f'needs runtime = "vllm": runtime = "{model.runtime}" has no metrics for the scaler'
        given = _changed(model, *_OF_VLLM)
        yield from ((key, f'must not be set with runtime = "{model.runtime}", which does not read it') for key in given)


def _copies(model: Model) -> Iterator[tuple[str, str]]:
    if model.min_replicas is not None and model.max_replicas is None:
        yield "max_replicas", "must be set beside min_replicas"
    if model.max_replicas is not None and model.max_replicas < max(model.min_replicas or 1, 2):
        yield "max_replicas", f"must be at least 2 and min_replicas ({model.min_replicas or 1})"
    if model.max_replicas is not None and model.replicas != 1:
        yield "replicas", "must not be set beside max_replicas, which scales by load"


def _workspaces(model: Model, context: Context) -> Iterator[tuple[str, str]]:
    """Yield the keys that let several Workspaces select the same nodes; KAITO divides those of an InferenceSet."""
    if model.replicas > 1 and context.settings.kaito.distribution == "addon":
        for key in _changed(model, "node_labels", "preferred_nodes"):
            yield key, "must be empty with several replicas, which would start on each other's nodes"


def _nodes(model: Model) -> Iterator[tuple[str, str]]:
    if not model.instance_type:
        if not model.node_labels:
            yield "node_labels", 'must select the existing nodes of instance_type = ""'
        yield from ((key, "must not be set without an instance_type") for key in _changed(model, "node_image_family"))
    else:
        for key in _changed(model, "mig_profile", "spot_enabled"):
            yield key, 'needs existing nodes: instance_type = "" and their node_labels'
    if model.preferred_nodes and not model.node_labels:
        yield "node_labels", "must be labels of the preferred_nodes"


@rule(*MODEL_KEYS)
def gated_models_have_a_token(context: Context) -> Iterator[Problem]:
    """A gated model, or one with a gated standby, has a Hugging Face token; another known preset takes none."""
    version = context.settings.kaito.version
    for prefix, model in _each(context):
        pair = [each for each in (model, model.standby()) if each is not None]
        known = [each for each in pair if KAITO[version].find(each.preset) is not None]
        gated = next((each.preset for each in known if copies.takes_token(each, version)), None)
        if gated is not None and model.access_secret is None:
            allowed = (
                f"must be set: {gated} is gated. Accept its licence at Hugging Face, and write a token to this "
                "secret of the Key Vault"
            )
            yield Problem(f"{prefix}access_secret", MISSING, allowed)
        is_taken = any(copies.takes_token(each, version) for each in pair)
        if model.access_secret is not None and model.template is None and not is_taken:
            allowed = f"must not be set: {model.preset} is not gated, so KAITO {version} takes no token for it"
            yield Problem(f"{prefix}access_secret", model.access_secret, allowed)


@rule("model", "models")
def models_have_nodes_of_their_own(context: Context) -> Iterator[Problem]:
    """Models select different nodes: KAITO would start two of them on one GPU node, unless the nodes exist already."""
    first: dict[tuple[tuple[str, str], ...], str] = {}
    for prefix, model in _each(context):
        labels = tuple(sorted(model.node_labels.items()))
        if not labels or not model.instance_type:
            continue
        if labels in first:
            allowed = f"must differ from {first[labels]}, since KAITO would start both models on one GPU node"
            yield Problem(f"{prefix}node_labels", dict(labels), allowed)
        first.setdefault(labels, f"{prefix}node_labels")


@rule("model", "models", "openai")
def models_have_names_of_their_own(context: Context) -> Iterator[Problem]:
    """The chat's picker shows different names."""
    settings = context.settings
    shown = {name: model.display_name or _shown(name, model) for name, model in settings.all_models.items()}
    counts = Counter([*shown.values(), *(settings.openai.deployments if settings.openai.enabled else ())])
    for name, title in shown.items():
        if counts[title] > 1:
            value = settings.all_models[name].display_name
            allowed = f"must be set to a name of its own: the chat has {counts[title]} models named {title}"
            yield Problem(f"{prefix_of(context, name)}display_name", value or MISSING, allowed)


def _shown(name: str, model: Model) -> str:
    """Return the name in the picker of a model without a name of its own, as the chart makes it."""
    if model.template is not None:
        return "model" if name == DEFAULT else name
    return model.preset.rpartition("/")[2]
