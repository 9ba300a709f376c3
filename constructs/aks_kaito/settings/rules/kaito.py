"""Rules on the model and its GPUs, according to the catalog."""

from collections.abc import Iterator

from aks_kaito.catalog import CATALOG
from aks_kaito.settings.cluster import Model
from aks_kaito.settings.problems import Problem
from aks_kaito.settings.rules.rule import Context, rule

_MODEL_KEYS = ("model", "kaito.version")


@rule("model", "kaito.version")
def gpu_size_is_available(context: Context) -> Iterator[Problem]:
    """Azure offers the sizes, and KAITO accepts them."""
    version = context.settings.kaito.version
    choices = _accepted_sizes(version)
    for prefix, model in _models(context):
        key, name = f"{prefix}instance_type", model.instance_type
        retired = CATALOG.retired_gpu_sizes.get(name)
        if retired is not None:
            allowed = f"was retired by Azure on {retired.retired_on}; use {retired.replacement} ({retired.source})"
            yield Problem(key, name, allowed)
        elif name not in CATALOG.gpu_sizes:
            yield Problem(key, name, f"is not a GPU size of catalog.toml: {', '.join(choices)}")
        elif name not in choices:
            yield Problem(key, name, f"is not accepted by KAITO {version}, which accepts {', '.join(choices)}")


@rule("model", "kaito.version")
def preset_is_known(context: Context) -> Iterator[Problem]:
    """The KAITO version has presets of these names."""
    version = context.settings.kaito.version
    for prefix, served in _models(context):
        model = CATALOG.models.get(served.preset)
        if model is None or version not in model.kaito_versions:
            choices = [preset for preset, facts in CATALOG.models.items() if version in facts.kaito_versions]
            allowed = f"is not a preset of KAITO {version} (catalog.toml); its presets are {', '.join(choices)}"
            yield Problem(f"{prefix}preset", served.preset, allowed)


@rule(*_MODEL_KEYS)
def model_fits_the_gpus(context: Context) -> Iterator[Problem]:
    """The GPUs have the memory that the presets need."""
    for prefix, settings in _models(context):
        model = CATALOG.models.get(settings.preset)
        size = CATALOG.gpu_sizes.get(settings.instance_type)
        if model is None or size is None:
            continue
        offered = model.usable_gib(size, settings.node_count)
        if offered < model.gpu_memory_gib:
            fitting = [
                name
                for name in _accepted_sizes(context.settings.kaito.version)
                if model.usable_gib(CATALOG.gpu_sizes[name], settings.node_count) >= model.gpu_memory_gib
            ]
            shared = (
                f"on {settings.node_count} node(s)"
                if model.tensor_parallel
                else "on one GPU, because it cannot be split"
            )
            allowed = (
                f"offers {offered:g} GiB of GPU memory {shared}, but {settings.preset} needs "
                f"{model.gpu_memory_gib:g} GiB; large enough: {', '.join(fitting) or 'more nodes'}"
            )
            yield Problem(f"{prefix}instance_type", settings.instance_type, allowed)


@rule("model")
def standby_is_another_model(context: Context) -> Iterator[Problem]:
    """The standby differs from the model."""
    model = context.settings.model
    standby = model.standby()
    if standby is not None and standby == model:
        key = next(key for key in ("preset", "instance_type", "node_count") if getattr(model, f"standby_{key}"))
        allowed = "makes the standby the same as the model: set a key in which it differs, or remove model.standby_*"
        yield Problem(f"model.standby_{key}", getattr(model, f"standby_{key}"), allowed)


def _models(context: Context) -> list[tuple[str, Model]]:
    """Return the model and the standby, each with the beginning of its keys."""
    model = context.settings.model
    standby = model.standby()
    return [("model.", model), *([("model.standby_", standby)] if standby is not None else [])]


def _accepted_sizes(version: str) -> list[str]:
    """Return the sizes in the catalog that this KAITO version accepts."""
    return [
        name
        for name, size in CATALOG.gpu_sizes.items()
        if version in size.kaito_versions or CATALOG.kaito_versions[version].any_n_size_accepted
    ]


@rule(*_MODEL_KEYS)
def model_needs_a_token(context: Context) -> Iterator[Problem]:
    """A gated model needs a Hugging Face token to download; the chart reads it from a Secret."""
    for prefix, model in _models(context):
        if CATALOG.models[model.preset].licence_token_required:
            allowed = "is gated: its Workspace needs a Hugging Face token in a Secret"
            yield Problem(f"{prefix}preset", model.preset, allowed)
