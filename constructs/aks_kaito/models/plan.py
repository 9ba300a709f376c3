"""KAITO's plan for one model: the nodes that it creates, their memory, and the obstacles.

A version without an estimator creates the configured number of nodes; its admission webhook checks fixed requirements.
See: https://github.com/kaito-project/kaito/blob/v0.6.0/api/v1beta1/workspace_validation.go
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from aks_kaito.models import sizes
from aks_kaito.models.estimator import estimate, shares_between_gpus
from aks_kaito.models.tables import KAITO, Model, Preset, Requirements, Size

# KAITO 0.6 requires a configured context length on a node with several GPUs of less memory.
# See: https://github.com/kaito-project/kaito/blob/v0.6.0/api/v1beta1/inference_config_validation.go
_SMALL_GPU_GIB = 20


class Wanted(Protocol):
    """The settings of one model."""

    @property
    def preset(self) -> str:
        """The short name, or a Hugging Face id."""

    @property
    def instance_type(self) -> str:
        """The VM size of the GPU nodes."""

    @property
    def node_count(self) -> int:
        """The configured number of nodes."""

    @property
    def max_model_len(self) -> int | None:
        """The configured length of the context, in tokens."""


@dataclass(frozen=True)
class Obstacle:
    """A reason why KAITO refuses the model or its server crashes; `key` is the setting to change."""

    key: str
    text: str


@dataclass(frozen=True)
class Plan:
    """KAITO's plan; memory in GiB over all nodes. A value is None if the model or the size is unknown here.

    Attributes:
        nodes: Number of nodes that KAITO creates.
        used_nodes: Number of nodes that serve the model.
        needed_gib: Memory that the model needs.
        usable_gib: Memory that the nodes have for it.
        obstacles: Reasons why the model will not run; empty if it fits.
    """

    nodes: int | None
    used_nodes: int | None = None
    needed_gib: float | None = None
    usable_gib: float | None = None
    obstacles: tuple[Obstacle, ...] = ()


def plan(wanted: Wanted, version: str) -> Plan:
    """Return the plan of a KAITO version for one model."""
    tables = KAITO[version]
    preset = tables.find(wanted.preset)
    size = sizes.hardware(wanted.instance_type)
    if preset is None or size is None:
        known = _of_any_size(wanted, version, preset) if preset else ()
        return Plan(None if tables.estimator else wanted.node_count, obstacles=tuple(known))
    if preset.requirements is None:
        return _estimated(wanted, version, preset.model, size)
    return _configured(wanted, version, preset, preset.requirements, size)


def on_slice(wanted: Wanted, version: str, profile: str) -> Plan:
    """Return the plan for a slice of an existing node's GPU (NVIDIA MIG), which holds the whole model."""
    tables = KAITO[version]
    preset = tables.find(wanted.preset)
    if preset is None or tables.estimator is None:
        return Plan(nodes=0)
    gib = int(profile.partition(".")[2].removesuffix("gb"))
    found = estimate(tables.estimator, preset.model, Size(1, gib, "MIG slice"), wanted.max_model_len)
    fits = found.nodes == 1
    text = (
        f"has {gib} GiB, of which {max(found.room_gib, 0):.1f} are for {found.weights_gib:.1f} GiB of {wanted.preset}"
    )
    return Plan(
        nodes=0,
        needed_gib=found.weights_gib,
        usable_gib=found.room_gib,
        obstacles=(
            *([] if fits else [Obstacle("mig_profile", text)]),
            *_too_long(wanted, preset.model),
        ),
    )


def _configured(wanted: Wanted, version: str, preset: Preset, needs: Requirements, size: Size) -> Plan:
    sharing = wanted.node_count if needs.distributed else 1
    usable = float(size.memory_gib * sharing) if needs.tensor_parallel else size.memory_gib / size.gpus
    return Plan(
        nodes=wanted.node_count,
        used_nodes=min(sharing, math.ceil(needs.memory_gib / size.memory_gib)),
        needed_gib=needs.memory_gib,
        usable_gib=usable,
        obstacles=(
            *_shortage(wanted, needs, size, sharing, usable),
            *_undividable(wanted, preset.model, size.gpus if needs.tensor_parallel else 1),
            *_of_any_size(wanted, version, preset, size),
        ),
    )


def _estimated(wanted: Wanted, version: str, model: Model, size: Size) -> Plan:
    numbers = KAITO[version].estimator
    assert numbers is not None  # noqa: S101 - a preset without requirements is of a version that estimates
    found = estimate(numbers, model, size, wanted.max_model_len)
    if found.nodes is None:
        text = (
            f"has {size.memory_per_gpu_gib} GiB per GPU: {numbers.utilization:.0%} of them do not exceed the "
            f"{found.reserve_gib:.1f} GiB that KAITO {version} reserves for the runtime and the context"
        )
        return Plan(None, obstacles=(Obstacle("instance_type", text), *_too_long(wanted, model)))
    sharing = size.gpus if shares_between_gpus(model, size, found.nodes) else 1
    return Plan(
        nodes=found.nodes,
        used_nodes=found.nodes,
        needed_gib=found.weights_gib,
        usable_gib=found.room_gib * found.nodes * size.gpus,
        obstacles=(
            *_undividable(wanted, model, sharing),
            *_too_thin(wanted, model, found.nodes),
            *_too_long(wanted, model),
        ),
    )


def _shortage(wanted: Wanted, needs: Requirements, size: Size, nodes: int, usable: float) -> Iterator[Obstacle]:
    gpus = size.gpus * nodes
    if gpus >= needs.gpus and size.memory_per_gpu_gib >= needs.memory_per_gpu_gib and usable >= needs.memory_gib:
        return
    wants = [f"{needs.memory_gib:g} GiB of GPU memory"]
    wants += [f"{needs.memory_per_gpu_gib:g} GiB per GPU"] if needs.memory_per_gpu_gib else []
    wants += [f"{needs.gpus} GPUs"] if needs.gpus > 1 else []
    where = f"{nodes} node(s)" if needs.tensor_parallel else "one GPU, because GPUs cannot share it"
    text = (
        f"offers {usable:g} GiB of GPU memory on {where}, {gpus} GPU(s) of {size.memory_per_gpu_gib} GiB, but "
        f"{wanted.preset} needs {', '.join(wants)}"
    )
    yield Obstacle("instance_type", text)


def _undividable(wanted: Wanted, model: Model, gpus: int) -> Iterator[Obstacle]:
    if not model.divides_among(gpus):
        text = (
            f"has {gpus} GPUs, which cannot share the {model.attention_heads} attention heads and {model.kv_heads} KV "
            f"heads of {wanted.preset}: the model server would crash"
        )
        yield Obstacle("instance_type", text)


def _too_thin(wanted: Wanted, model: Model, nodes: int) -> Iterator[Obstacle]:
    if nodes > model.layers:
        text = f"takes {nodes} nodes for {wanted.preset}, which has {model.layers} layers to share between them"
        yield Obstacle("instance_type", text)


def _of_any_size(wanted: Wanted, version: str, preset: Preset, size: Size | None = None) -> Iterator[Obstacle]:
    """Yield the obstacles that are known without the size."""
    if preset.requirements is not None:
        yield from _idle(wanted, version, preset.requirements)
        yield from _unset_length(wanted, version, size)
    yield from _too_long(wanted, preset.model)


def _idle(wanted: Wanted, version: str, needs: Requirements) -> Iterator[Obstacle]:
    if wanted.node_count > 1 and not needs.distributed:
        text = (
            f"must be 1: KAITO {version} shares {wanted.preset} between the GPUs of one node only, "
            "and further nodes would be billed without a use"
        )
        yield Obstacle("node_count", text)


def _unset_length(wanted: Wanted, version: str, size: Size | None) -> Iterator[Obstacle]:
    small = size is not None and size.gpus > 1 and size.memory_per_gpu_gib < _SMALL_GPU_GIB
    if wanted.max_model_len is None and (small or wanted.node_count > 1):
        reason = f"several GPUs of less than {_SMALL_GPU_GIB} GiB each" if small else "several nodes"
        yield Obstacle("max_model_len", f"must be set: KAITO {version} refuses {reason} without it")


def _too_long(wanted: Wanted, model: Model) -> Iterator[Obstacle]:
    if wanted.max_model_len is not None and wanted.max_model_len > model.token_limit:
        yield Obstacle("max_model_len", f"must be at most {model.token_limit}, the longest context of {wanted.preset}")
