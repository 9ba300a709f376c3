"""Rules on models and their GPUs, according to KAITO's tables and the catalog."""

from collections.abc import Iterator
from difflib import get_close_matches

from aks_kaito.catalog import CATALOG
from aks_kaito.models import plan, sizes
from aks_kaito.models.tables import KAITO
from aks_kaito.settings.model import Model
from aks_kaito.settings.problems import MISSING, Problem
from aks_kaito.settings.rules.rule import Context, rule

_MODEL_KEYS = ("model", "kaito.version")
_WARNING_KEYS = ("model", "kaito")
# Keys that a standby has of its own, as `standby_KEY`.
_OWN_KEYS = ("preset", "instance_type", "node_count")


@rule("model", "kaito.version")
def gpu_size_is_available(context: Context) -> Iterator[Problem]:
    """Azure offers the size, and KAITO serves presets on it."""
    version = context.settings.kaito.version
    choices = ", ".join(sizes.accepted(version))
    for prefix, model in _models(context):
        name = model.instance_type
        retired = CATALOG.retired_gpu_size(name)
        allowed = ""
        if retired is not None:
            allowed = f"was retired by Azure on {retired.retired_on}; use {retired.replacement} ({retired.source})"
        elif reason := sizes.unsupported(name):
            allowed = f"{reason}; KAITO {version} accepts {choices}"
        elif name not in CATALOG.gpu_sizes and not sizes.may_be_new(name, version):
            allowed = f"is not a GPU size of catalog.toml: {choices}"
        elif name in CATALOG.gpu_sizes and name not in sizes.accepted(version):
            allowed = f"is not in the table of KAITO {version}, which serves presets on {choices}"
        if allowed:
            yield Problem(f"{prefix}instance_type", name, allowed)


@rule("model", "kaito.version")
def preset_is_known(context: Context) -> Iterator[Problem]:
    """The KAITO version has a preset of this name, or takes Hugging Face ids."""
    version = context.settings.kaito.version
    tables = KAITO[version]
    names = list(tables.presets)
    ids = ", and any Hugging Face id (organization/model)" if tables.estimator else ""
    for prefix, model in _models(context):
        name = model.preset
        if tables.find(name) is None and not ("/" in name and tables.estimator):
            close = get_close_matches(name.rpartition("/")[2].lower(), names, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            allowed = f"is not a preset of KAITO {version} (kaito_catalog.toml); {hint}"
            yield Problem(f"{prefix}preset", name, f"{allowed}its presets are {', '.join(names)}{ids}")


@rule(*_MODEL_KEYS)
def model_fits_the_gpus(context: Context) -> Iterator[Problem]:
    """The GPUs have the memory that the model needs, and can share it."""
    version = context.settings.kaito.version
    for prefix, model in _models(context):
        if CATALOG.retired_gpu_size(model.instance_type):
            continue
        for obstacle in plan(model, version).obstacles:
            value = getattr(model, obstacle.key)
            hint = f"; suitable: {', '.join(_fitting(model, version)) or 'more nodes'}"
            allowed = obstacle.text + (hint if obstacle.key == "instance_type" else "")
            # The context's length has one key for both.
            key = f"{prefix}{obstacle.key}" if obstacle.key in _OWN_KEYS else f"model.{obstacle.key}"
            yield Problem(key, MISSING if value is None else value, allowed)


@rule("model")
def standby_is_another_model(context: Context) -> Iterator[Problem]:
    """The standby differs from the model."""
    model = context.settings.model
    standby = model.standby()
    if standby is not None and standby == model:
        key = next(key for key in _OWN_KEYS if getattr(model, f"standby_{key}"))
        allowed = "makes the standby the same as the model: set a key in which it differs, or remove model.standby_*"
        yield Problem(f"model.standby_{key}", getattr(model, f"standby_{key}"), allowed)


def _fitting(model: Model, version: str) -> Iterator[str]:
    """Yield the sizes on which the model fits with its other settings."""
    for name in sizes.accepted(version):
        obstacles = plan(model.model_copy(update={"instance_type": name}), version).obstacles
        if not any(obstacle.key == "instance_type" for obstacle in obstacles):
            yield name


@rule(*_WARNING_KEYS)
def gpu_size_is_unknown(context: Context) -> Iterator[Problem]:
    """An unknown size of Azure's N series may be newer than the catalog."""
    version = context.settings.kaito.version
    for prefix, model in served(context):
        name = model.instance_type
        if sizes.may_be_new(name, version):
            close = get_close_matches(name, sizes.accepted(version), n=1, cutoff=0.85)
            hint = f"did you mean {close[0]}? " if close else ""
            allowed = f"is not in catalog.toml; {hint}KAITO {version} admits it, and nothing checks memory and quota"
            yield Problem(f"{prefix}instance_type", name, allowed)


@rule(*_WARNING_KEYS)
def model_is_unknown(context: Context) -> Iterator[Problem]:
    """KAITO reads the size of a model outside its catalog from Hugging Face."""
    version = context.settings.kaito.version
    for prefix, model in served(context):
        if KAITO[version].find(model.preset) is None:
            allowed = f"is not in the catalog of KAITO {version}, which asks Hugging Face; its nodes are unknown here"
            yield Problem(f"{prefix}preset", model.preset, allowed)


@rule(*_WARNING_KEYS)
def nodes_differ(context: Context) -> Iterator[Problem]:
    """KAITO creates another number of nodes than configured, or does not use all of them."""
    version = context.settings.kaito.version
    for prefix, model in served(context):
        found = plan(model, version)
        where = f"{model.preset} on {model.instance_type}"
        allowed = ""
        if found.nodes is not None and found.nodes != model.node_count:
            allowed = f"has no effect: KAITO {version} counts the nodes itself and creates {found.nodes} for {where}"
        elif found.used_nodes is not None and found.used_nodes < model.node_count:
            allowed = f"creates more nodes than KAITO {version} uses for {where}, which is {found.used_nodes}"
        if allowed:
            yield Problem(f"{prefix}node_count", model.node_count, allowed)


@rule(*_WARNING_KEYS)
def model_needs_a_token(context: Context) -> Iterator[Problem]:
    """A gated model needs a Hugging Face token to download; the chart reads it from a Secret."""
    tables = KAITO[context.settings.kaito.version]
    for prefix, model in served(context):
        preset = tables.find(model.preset)
        if preset is not None and preset.token_required:
            allowed = "is gated: its Workspace needs a Hugging Face token in a Secret"
            yield Problem(f"{prefix}preset", model.preset, allowed)


def _models(context: Context) -> list[tuple[str, Model]]:
    """Return the model and the standby, each with the beginning of its keys."""
    model = context.settings.model
    standby = model.standby()
    return [("model.", model), *([("model.standby_", standby)] if standby is not None else [])]


def served(context: Context) -> list[tuple[str, Model]]:
    """Return the models that the deployment requests: none while KAITO is off."""
    return _models(context) if context.settings.kaito.enabled else []
