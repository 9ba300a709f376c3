"""Rules on models and their GPUs, according to KAITO's tables and the catalog."""

from collections.abc import Iterator
from difflib import get_close_matches

from aks_kaito.catalog import CATALOG
from aks_kaito.models import copies, sizes
from aks_kaito.models.tables import KAITO
from aks_kaito.settings.model import DEFAULT, Model
from aks_kaito.settings.problems import MISSING, Problem
from aks_kaito.settings.rules.rule import Context, rule

MODEL_KEYS = ("model", "models", "kaito.version")
_WARNING_KEYS = ("model", "models", "kaito")
# Keys that a standby has of its own, as `standby_KEY`.
_STANDBY = "standby_"
_OWN_KEYS = ("preset", "instance_type", "node_count")


@rule(*MODEL_KEYS)
def gpu_size_is_available(context: Context) -> Iterator[Problem]:
    """Azure offers the size, and KAITO serves presets on it, or starts a template's pod."""
    version = context.settings.kaito.version
    for prefix, model in models(context):
        name = model.instance_type
        allowed = refused_size(name, version, is_template=model.template is not None) if name else ""
        if allowed:
            yield Problem(f"{prefix}instance_type", name, allowed)


def refused_size(name: str, version: str, *, is_template: bool = False) -> str:
    """Return the reason why a GPU size cannot be used; empty if it can."""
    return _unavailable(name) or _refused(name, version, is_template=is_template)


def _unavailable(name: str) -> str:
    """Return the reason why Azure does not allocate a size; empty if it does."""
    retired = CATALOG.retired_gpu_size(name)
    if retired is None:
        return ""
    return f"was retired by Azure on {retired.retired_on}; use {retired.replacement} ({retired.source})"


def _refused(name: str, version: str, *, is_template: bool) -> str:
    """Return the reason why KAITO does not serve a preset or a template on a size; empty if it does."""
    choices = ", ".join(sizes.accepted(version))
    if reason := sizes.unsupported(name):
        return f"{reason}; KAITO {version} accepts {choices}"
    if is_template:
        return "" if sizes.admits_templates(name) else "must be a size of Azure's N or D series, which KAITO admits"
    if name not in CATALOG.gpu_sizes and not sizes.may_be_new(name, version):
        hint = "has no GPU, which a preset needs; a template runs on it. " if sizes.admits_templates(name) else ""
        return f"{hint}is not a GPU size of catalog.toml: {choices}"
    if name in CATALOG.gpu_sizes and name not in sizes.accepted(version):
        return f"is not in the table of KAITO {version}, which serves presets on {choices}"
    return ""


@rule(*MODEL_KEYS)
def preset_is_known(context: Context) -> Iterator[Problem]:
    """The KAITO version has a preset of this name, or takes Hugging Face ids."""
    version = context.settings.kaito.version
    tables = KAITO[version]
    names = list(tables.presets)
    ids = ", and any Hugging Face id (organization/model)" if tables.estimator else ""
    for prefix, model in models(context):
        name = model.preset
        if model.template is None and tables.find(name) is None and not ("/" in name and tables.estimator):
            close = get_close_matches(name.rpartition("/")[2].lower(), names, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            allowed = f"is not a preset of KAITO {version} (kaito_catalog.toml); {hint}"
            yield Problem(f"{prefix}preset", name, f"{allowed}its presets are {', '.join(names)}{ids}")


@rule(*MODEL_KEYS)
def model_fits_the_gpus(context: Context) -> Iterator[Problem]:
    """The GPUs have the memory that the model needs, and can share it."""
    version = context.settings.kaito.version
    for prefix, model in models(context):
        if CATALOG.retired_gpu_size(model.instance_type):
            continue
        for obstacle in copies.of_one(model, version).obstacles:
            value = getattr(model, obstacle.key)
            hint = f"; suitable: {', '.join(_fitting(model, version)) or 'more nodes'}"
            allowed = obstacle.text + (hint if obstacle.key == "instance_type" else "")
            # The context's length has one key for both.
            begin = prefix if obstacle.key in _OWN_KEYS else prefix.removesuffix(_STANDBY)
            yield Problem(f"{begin}{obstacle.key}", MISSING if value is None else value, allowed)


@rule("model", "models")
def standby_is_another_model(context: Context) -> Iterator[Problem]:
    """The standby differs from the model."""
    for name, model in context.settings.all_models.items():
        standby = model.standby()
        if standby is not None and standby == model:
            key = next(key for key in _OWN_KEYS if getattr(model, f"standby_{key}"))
            begin = prefix_of(context, name)
            allowed = (
                f"makes the standby the same as the model: set a key in which it differs, or remove {begin}standby_*"
            )
            yield Problem(f"{begin}{_STANDBY}{key}", getattr(model, f"standby_{key}"), allowed)


def _fitting(model: Model, version: str) -> Iterator[str]:
    """Yield the sizes on which the model fits with its other settings."""
    for name in sizes.accepted(version):
        obstacles = copies.of_one(model.model_copy(update={"instance_type": name}), version).obstacles
        if not any(obstacle.key == "instance_type" for obstacle in obstacles):
            yield name


@rule(*_WARNING_KEYS)
def gpu_size_is_unknown(context: Context) -> Iterator[Problem]:
    """An unknown size of Azure's N series may be newer than the catalog."""
    version = context.settings.kaito.version
    for prefix, model in served(context):
        name = model.instance_type
        if model.template is None and sizes.may_be_new(name, version):
            close = get_close_matches(name, sizes.accepted(version), n=1, cutoff=0.85)
            hint = f"did you mean {close[0]}? " if close else ""
            allowed = f"is not in catalog.toml; {hint}KAITO {version} admits it, and nothing checks memory and quota"
            yield Problem(f"{prefix}instance_type", name, allowed)


@rule(*_WARNING_KEYS)
def model_is_unknown(context: Context) -> Iterator[Problem]:
    """KAITO reads the size of a model outside its catalog from Hugging Face."""
    version = context.settings.kaito.version
    for prefix, model in served(context):
        if model.template is None and KAITO[version].find(model.preset) is None:
            allowed = f"is not in the catalog of KAITO {version}, which asks Hugging Face; its nodes are unknown here"
            yield Problem(f"{prefix}preset", model.preset, allowed)


@rule(*_WARNING_KEYS)
def nodes_differ(context: Context) -> Iterator[Problem]:
    """KAITO creates another number of nodes than configured, or does not use all of them."""
    version = context.settings.kaito.version
    for prefix, model in served(context):
        if model.template is not None or not model.instance_type:
            continue
        found = copies.of_one(model, version)
        where = f"{model.preset} on {model.instance_type}"
        allowed = ""
        if found.nodes is not None and found.nodes != model.node_count:
            allowed = f"has no effect: KAITO {version} counts the nodes itself and creates {found.nodes} for {where}"
        elif found.used_nodes is not None and found.used_nodes < model.node_count:
            allowed = f"creates more nodes than KAITO {version} uses for {where}, which is {found.used_nodes}"
        if allowed:
            yield Problem(f"{prefix}node_count", model.node_count, allowed)


def prefix_of(context: Context, name: str) -> str:
    """Return the beginning of the keys of a model: `model.`, or `models.NAME.`."""
    is_short = name == DEFAULT and context.settings.has_short_model
    return "model." if is_short else f"models.{name}."


def models(context: Context) -> list[tuple[str, Model]]:
    """Return the models and their standbys, each with the beginning of its keys."""
    found: list[tuple[str, Model]] = []
    for name, model in context.settings.all_models.items():
        begin = prefix_of(context, name)
        found.append((begin, model))
        if (standby := model.standby()) is not None:
            found.append((f"{begin}{_STANDBY}", standby))
    return found


def served(context: Context) -> list[tuple[str, Model]]:
    """Return the models that the deployment requests: none while KAITO is off."""
    return models(context) if context.settings.kaito.enabled else []
