"""Rules on the model and its GPUs, according to the catalog."""

from collections.abc import Iterator

from aks_kaito.catalog import CATALOG
from aks_kaito.settings.problems import Problem
from aks_kaito.settings.rules.rule import Context, rule

_MODEL_KEYS = ("model", "kaito.version")


@rule("model.instance_type", "kaito.version")
def gpu_size_is_available(context: Context) -> Iterator[Problem]:
    """Azure offers the size, and KAITO accepts it."""
    name = context.settings.model.instance_type
    version = context.settings.kaito.version
    choices = _accepted_sizes(version)
    retired = CATALOG.retired_gpu_sizes.get(name)
    if retired is not None:
        allowed = f"was retired by Azure on {retired.retired_on}; use {retired.replacement} ({retired.source})"
        yield Problem("model.instance_type", name, allowed)
    elif name not in CATALOG.gpu_sizes:
        yield Problem("model.instance_type", name, f"is not a GPU size of catalog.toml: {', '.join(choices)}")
    elif name not in choices:
        allowed = f"is not accepted by KAITO {version}, which accepts {', '.join(choices)}"
        yield Problem("model.instance_type", name, allowed)


@rule("model.preset", "kaito.version")
def preset_is_known(context: Context) -> Iterator[Problem]:
    """The KAITO version has a preset of this name."""
    name = context.settings.model.preset
    version = context.settings.kaito.version
    model = CATALOG.models.get(name)
    if model is None or version not in model.kaito_versions:
        choices = [preset for preset, facts in CATALOG.models.items() if version in facts.kaito_versions]
        allowed = f"is not a preset of KAITO {version} (catalog.toml); its presets are {', '.join(choices)}"
        yield Problem("model.preset", name, allowed)


@rule(*_MODEL_KEYS)
def model_fits_the_gpus(context: Context) -> Iterator[Problem]:
    """The GPUs have the memory that the preset needs."""
    settings = context.settings.model
    model = CATALOG.models.get(settings.preset)
    size = CATALOG.gpu_sizes.get(settings.instance_type)
    if model is None or size is None:
        return
    offered = model.usable_gib(size, settings.node_count)
    if offered < model.gpu_memory_gib:
        fitting = [
            name
            for name in _accepted_sizes(context.settings.kaito.version)
            if model.usable_gib(CATALOG.gpu_sizes[name], settings.node_count) >= model.gpu_memory_gib
        ]
        shared = (
            f"on {settings.node_count} node(s)" if model.tensor_parallel else "on one GPU, because it cannot be split"
        )
        allowed = (
            f"offers {offered:g} GiB of GPU memory {shared}, but {settings.preset} needs {model.gpu_memory_gib:g} GiB; "
            f"large enough: {', '.join(fitting) or 'more nodes'}"
        )
        yield Problem("model.instance_type", settings.instance_type, allowed)


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
    preset = context.settings.model.preset
    if CATALOG.models[preset].licence_token_required:
        yield Problem("model.preset", preset, "is gated: its Workspace needs a Hugging Face token in a Secret")
