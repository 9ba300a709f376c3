"""Rules on tunings, on their results as adapters of models, and on the mirror of models."""

from collections.abc import Iterator

from aks_kaito.catalog import CATALOG
from aks_kaito.models import sizes
from aks_kaito.models import tuning as tables
from aks_kaito.models.tables import KAITO
from aks_kaito.settings.problems import MISSING, Problem
from aks_kaito.settings.rules.kaito import MODEL_KEYS, prefix_of, refused_size
from aks_kaito.settings.rules.rule import Context, rule
from aks_kaito.settings.tuning import Tuning

_DATA = ("data_urls", "data_image", "data_volume_claim")
_BITS = ("load_in_4bit", "load_in_8bit")


@rule("tuning", "kaito")
def preset_can_be_tuned(context: Context) -> Iterator[Problem]:
    """KAITO can tune the preset; otherwise its controller would crash or do nothing."""
    version = context.settings.kaito.version
    known = tables.NEEDED_GIB[version]
    for name, tuning in context.settings.tuning.items():
        if tuning.preset not in known:
            allowed = f"cannot be tuned by KAITO {version}, which tunes {', '.join(sorted(known))}"
            yield Problem(f"tuning.{name}.preset", tuning.preset, allowed)


@rule("tuning", "kaito")
def tuning_has_a_gpu_node(context: Context) -> Iterator[Problem]:
    """KAITO creates one node of a size that it knows, whose GPUs hold the weights."""
    kaito = context.settings.kaito
    for name, tuning in context.settings.tuning.items():
        key, size = f"tuning.{name}.instance_type", tuning.instance_type
        if kaito.installed_provisioner == "none" or not size:
            yield Problem(key, size, 'needs a node that KAITO creates: not "", nor kaito.provisioner = "none"')
        elif reason := refused_size(size, kaito.version) or _unknown(size, kaito.version):
            yield Problem(key, size, reason)
        else:
            yield from _too_small(key, tuning, kaito.version)


def _unknown(size: str, version: str) -> str:
    """Return the reason why KAITO does not know the GPUs of a size; empty if it does."""
    azure = CATALOG.gpu_sizes.get(size)
    known_as = azure.kaito_name if azure and azure.kaito_name else size
    if known_as in KAITO[version].sizes:
        return ""
    return f"is not in the table of KAITO {version}, which a tuning needs: {', '.join(sizes.accepted(version))}"


def _too_small(key: str, tuning: Tuning, version: str) -> Iterator[Problem]:
    """Refuse GPUs that do not hold the weights: 16 bits each with LoRA, 4 with QLoRA."""
    preset, gpus = KAITO[version].find(tuning.preset), sizes.hardware(tuning.instance_type)
    if preset is None or gpus is None:
        return
    weights = preset.model.weights_gib / (4 if tuning.method == "qlora" else 1)
    if weights > gpus.memory_gib:
        allowed = f"has {gpus.memory_gib} GiB of GPU memory; the weights of {tuning.preset} alone take {weights:.0f}"
        yield Problem(key, tuning.instance_type, allowed)


@rule("tuning", "kaito")
def tuning_has_the_stated_memory(context: Context) -> Iterator[Problem]:
    """The node has the GPU memory that KAITO states for a tuning. This is a warning: KAITO does not check it."""
    version = context.settings.kaito.version
    for name, tuning in context.settings.running_tunings.items():
        needed = tables.NEEDED_GIB[version].get(tuning.preset, 0)
        gpus = sizes.hardware(tuning.instance_type)
        if gpus is not None and gpus.memory_gib < needed:
            allowed = f"has {gpus.memory_gib} GiB of GPU memory; KAITO states {needed} for a tuning of {tuning.preset}"
            yield Problem(f"tuning.{name}.instance_type", tuning.instance_type, allowed)


@rule("tuning")
def keys_of_a_tuning_agree(context: Context) -> Iterator[Problem]:
    """There is one source of data and one destination, and the parameters are those of the method."""
    for name, tuning in context.settings.tuning.items():
        for key, allowed in (*_data(tuning), *_output(tuning), *_config(tuning)):
            yield Problem(f"tuning.{name}.{key}", _value(tuning, key), allowed)


def _value(tuning: Tuning, key: str) -> object:
    """Return the value of a dotted key."""
    value: object = tuning.model_dump()
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return MISSING if value in (None, ()) else value


def _data(tuning: Tuning) -> Iterator[tuple[str, str]]:
    given = [key for key in _DATA if getattr(tuning, key)]
    if len(given) != 1:
        yield given[1] if given else _DATA[0], f"must be set alone: exactly one of {', '.join(_DATA)}"


def _output(tuning: Tuning) -> Iterator[tuple[str, str]]:
    if tuning.output_volume_claim is not None:
        for key in ("output_tag", "push_secret_name"):
            if key in tuning.model_fields_set and getattr(tuning, key) is not None:
                yield key, "must not be set beside output_volume_claim, which takes no image"


def _config(tuning: Tuning) -> Iterator[tuple[str, str]]:
    if "output_dir" in tuning.config.get("TrainingArguments", {}):
        yield "config.TrainingArguments.output_dir", "must not be set: KAITO takes the result from its own folder"
    if "QuantizationConfig" not in tuning.config:
        return
    bits = tables.parameters(tuning.method, tuning.config)["QuantizationConfig"]
    for key in _BITS:
        if not isinstance(bits.get(key, False), bool):
            yield f"config.QuantizationConfig.{key}", "must be true or false"
            return
    count = sum(bits.get(key, False) for key in _BITS)
    if count != (tuning.method == "qlora"):
        wanted = "exactly one of load_in_4bit and load_in_8bit" if tuning.method == "qlora" else "neither of them"
        yield "config.QuantizationConfig", f'must have {wanted} true with method = "{tuning.method}"'


@rule("tuning")
def tunings_have_nodes_of_their_own(context: Context) -> Iterator[Problem]:
    """A tuning takes all GPUs of its node, so no model and no other tuning has its labels."""
    settings = context.settings
    first = {
        tuple(sorted(model.node_labels.items())): f"{prefix_of(context, name)}node_labels"
        for name, model in settings.all_models.items()
        if model.node_labels
    }
    for name, tuning in settings.tuning.items():
        labels, key = tuple(sorted(tuning.node_labels.items())), f"tuning.{name}.node_labels"
        if labels in first:
            yield Problem(key, dict(labels), f"must differ from {first[labels]}: a tuning takes the whole node")
        elif labels:
            first[labels] = key


@rule(*MODEL_KEYS, "tuning")
def adapters_have_a_tuning(context: Context) -> Iterator[Problem]:
    """An adapter names a tuning of the file, of the model's own preset."""
    settings = context.settings
    tables_of = KAITO[settings.kaito.version]
    for name, model in settings.all_models.items():
        for adapter, source in model.adapters.items():
            key = f"{prefix_of(context, name)}adapters.{adapter}.tuning"
            if source.tuning is None:
                if source.tuning_tag is not None:
                    yield Problem(f"{key}_tag", source.tuning_tag, "needs tuning beside it")
                continue
            tuning = settings.tuning.get(source.tuning)
            if tuning is None:
                known = ", ".join(sorted(settings.tuning)) or "there is none"
                yield Problem(key, source.tuning, f"must be the name of a table [tuning.NAME]: {known}")
                continue
            base, own = tables_of.find(tuning.preset), tables_of.find(model.preset)
            if base is not None and own is not None and base.model is not own.model:
                yield Problem(key, source.tuning, f"is an adapter of {tuning.preset}, and the model is {model.preset}")
            if tuning.output_volume_claim is not None:
                yield from _of_a_volume(context, key, source.tuning, tag=source.tuning_tag)


def _of_a_volume(context: Context, key: str, name: str, *, tag: str | None) -> Iterator[Problem]:
    version, feature = context.settings.kaito.version, CATALOG.kaito_features["adapter_volumes"]
    if tag is not None:
        yield Problem(f"{key}_tag", tag, f"must not be set: tuning.{name} writes into a volume, which has no tags")
    if not feature.is_in(version):
        allowed = f"has its result in a volume, which needs KAITO {feature.since} or newer; kaito.version is {version}"
        yield Problem(key, name, allowed)


@rule("kaito")
def mirror_has_the_open_source_kaito(context: Context) -> Iterator[Problem]:
    """Only the open-source KAITO has the two feature gates."""
    kaito = context.settings.kaito
    if kaito.model_mirror_enabled and not kaito.is_open_source:
        allowed = 'needs kaito.distribution = "helm": the add-on has no switch for ModelMirror and ModelStreaming'
        yield Problem("kaito.model_mirror_enabled", value=True, allowed=allowed)
    if kaito.is_open_source and kaito.feature_gates.get("ModelStreaming") and not kaito.model_mirror_enabled:
        allowed = "needs kaito.model_mirror_enabled = true, which makes the storage: models would wait without it"
        yield Problem("kaito.feature_gates.ModelStreaming", value=True, allowed=allowed)


@rule("kaito", "user_pool")
def mirror_can_be_filled(context: Context) -> Iterator[Problem]:
    """The Jobs that download weights have no tolerations, so they run in a user pool without taints."""
    settings = context.settings
    allowed = "must not be there with kaito.model_mirror_enabled: KAITO's downloads could not run"
    if settings.kaito.model_mirror_enabled and settings.user_pool.node_taints:
        yield Problem("user_pool.node_taints", list(settings.user_pool.node_taints), allowed)
    if settings.kaito.model_mirror_enabled and settings.user_pool.spot_enabled:
        yield Problem("user_pool.spot_enabled", value=True, allowed=allowed)
