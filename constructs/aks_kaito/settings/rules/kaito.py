"""Rules on the model and its GPUs, according to KAITO's tables and the catalog."""

from collections.abc import Iterator
from difflib import get_close_matches

from aks_kaito.catalog import CATALOG
from aks_kaito.models import plan, sizes
from aks_kaito.models.tables import KAITO
from aks_kaito.settings.problems import MISSING, Problem
from aks_kaito.settings.rules.rule import Context, rule

_MODEL_KEYS = ("model", "kaito.version")
_WARNING_KEYS = ("model", "kaito")


@rule("model.instance_type", "kaito.version")
def gpu_size_is_available(context: Context) -> Iterator[Problem]:
    """Azure offers the size, and KAITO serves presets on it."""
    name = context.settings.model.instance_type
    version = context.settings.kaito.version
    choices = sizes.accepted(version)
    retired = CATALOG.retired_gpu_sizes.get(name)
    if retired is not None:
        allowed = f"was retired by Azure on {retired.retired_on}; use {retired.replacement} ({retired.source})"
        yield Problem("model.instance_type", name, allowed)
    elif reason := sizes.unsupported(name):
        yield Problem("model.instance_type", name, f"{reason}; KAITO {version} accepts {', '.join(choices)}")
    elif name not in CATALOG.gpu_sizes and not sizes.may_be_new(name, version):
        yield Problem("model.instance_type", name, f"is not a GPU size of catalog.toml: {', '.join(choices)}")
    elif name in CATALOG.gpu_sizes and name not in choices:
        allowed = f"is not in the table of KAITO {version}, which serves presets on {', '.join(choices)}"
        yield Problem("model.instance_type", name, allowed)


@rule("model.preset", "kaito.version")
def preset_is_known(context: Context) -> Iterator[Problem]:
    """The KAITO version has a preset of this name, or takes Hugging Face ids."""
    name = context.settings.model.preset
    version = context.settings.kaito.version
    tables = KAITO[version]
    if tables.find(name) or ("/" in name and tables.estimator):
        return
    names = list(tables.presets)
    close = get_close_matches(name.rpartition("/")[2].lower(), names, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    ids = ", and any Hugging Face id (organization/model)" if tables.estimator else ""
    allowed = f"is not a preset of KAITO {version} (kaito_catalog.toml); {hint}its presets are {', '.join(names)}{ids}"
    yield Problem("model.preset", name, allowed)


@rule(*_MODEL_KEYS)
def model_fits_the_gpus(context: Context) -> Iterator[Problem]:
    """The GPUs have the memory that the model needs, and can share it."""
    model = context.settings.model
    version = context.settings.kaito.version
    if model.instance_type in CATALOG.retired_gpu_sizes:
        return
    for obstacle in plan(model, version).obstacles:
        value = getattr(model, obstacle.key)
        allowed = obstacle.text
        if obstacle.key == "instance_type":
            fitting = [
                name
                for name in sizes.accepted(version)
                if not any(
                    each.key == obstacle.key
                    for each in plan(model.model_copy(update={"instance_type": name}), version).obstacles
                )
            ]
            allowed += f"; suitable: {', '.join(fitting) or 'more nodes'}"
        yield Problem(f"model.{obstacle.key}", MISSING if value is None else value, allowed)


@rule(*_WARNING_KEYS)
def gpu_size_is_unknown(context: Context) -> Iterator[Problem]:
    """An unknown size of Azure's N series may be newer than the catalog."""
    name = context.settings.model.instance_type
    version = context.settings.kaito.version
    if context.settings.kaito.enabled and sizes.may_be_new(name, version):
        close = get_close_matches(name, sizes.accepted(version), n=1, cutoff=0.85)
        hint = f"did you mean {close[0]}? " if close else ""
        allowed = f"is not in catalog.toml; {hint}KAITO {version} admits it, and nothing checks memory and quota"
        yield Problem("model.instance_type", name, allowed)


@rule(*_WARNING_KEYS)
def model_is_unknown(context: Context) -> Iterator[Problem]:
    """KAITO reads the size of a model outside its catalog from Hugging Face."""
    name = context.settings.model.preset
    version = context.settings.kaito.version
    if context.settings.kaito.enabled and KAITO[version].find(name) is None:
        allowed = f"is not in the catalog of KAITO {version}, which asks Hugging Face; its nodes are unknown here"
        yield Problem("model.preset", name, allowed)


@rule(*_WARNING_KEYS)
def nodes_differ(context: Context) -> Iterator[Problem]:
    """KAITO creates another number of nodes than configured, or does not use all of them."""
    model = context.settings.model
    version = context.settings.kaito.version
    if not context.settings.kaito.enabled:
        return
    found = plan(model, version)
    size = f"{model.preset} on {model.instance_type}"
    if found.nodes is not None and found.nodes != model.node_count:
        allowed = f"has no effect: KAITO {version} counts the nodes itself and creates {found.nodes} for {size}"
        yield Problem("model.node_count", model.node_count, allowed)
    elif found.used_nodes is not None and found.used_nodes < model.node_count:
        allowed = f"creates more nodes than KAITO {version} uses for {size}, which is {found.used_nodes}"
        yield Problem("model.node_count", model.node_count, allowed)


@rule(*_WARNING_KEYS)
def model_needs_a_token(context: Context) -> Iterator[Problem]:
    """A gated model needs a Hugging Face token to download; the chart reads it from a Secret."""
    name = context.settings.model.preset
    preset = KAITO[context.settings.kaito.version].find(name)
    if context.settings.kaito.enabled and preset is not None and preset.token_required:
        yield Problem("model.preset", name, "is gated: its Workspace needs a Hugging Face token in a Secret")
