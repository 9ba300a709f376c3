"""KAITO's estimate of the nodes of one replica, which its controller uses instead of the configured number.

See: https://github.com/kaito-project/kaito/blob/v0.12.0/pkg/workspace/estimator/nodesestimator/estimator.go
"""

import math
from dataclasses import dataclass

from aks_kaito.models.tables import Estimator, Model, Size

_GIB = 2**30
# The share of a GPU's memory below which KAITO loads the model into each GPU of a node, instead of sharing it.
# See: https://github.com/kaito-project/kaito/blob/v0.12.0/pkg/model/interface.go (modelFitsOnSingleGPU)
_SHARE_FOR_COPIES = 0.5


@dataclass(frozen=True)
class Estimate:
    """Nodes of one replica, and its memory in GiB.

    Attributes:
        nodes: Number of nodes; None if a GPU has no room for weights.
        weights_gib: Weights after loading.
        reserve_gib: Memory of each GPU for the runtime and the KV cache.
        room_gib: Memory of each GPU for weights; negative or 0 if there is none.
    """

    nodes: int | None
    weights_gib: float
    reserve_gib: float
    room_gib: float


def estimate(numbers: Estimator, model: Model, size: Size, context: int | None) -> Estimate:
    """Count the nodes of a model; `context` is the configured maximum length, if there is one."""
    weights = _bytes(model.weights_gib) * numbers.weight_factor
    usable = float(size.memory_gib * _GIB // size.gpus) * numbers.utilization
    cache = (context or numbers.context) * model.token_bytes / size.gpus
    reserve = numbers.base_gib * _GIB + cache
    room = (usable - reserve) / (1 + numbers.runtime_share)
    nodes = None
    if usable > reserve:
        gpus = int(weights / room) + 1
        nodes = math.ceil(gpus / size.gpus)
    return Estimate(nodes, weights / _GIB, reserve / _GIB, room / _GIB)


def shares_between_gpus(model: Model, size: Size, nodes: int) -> bool:
    """Return whether the GPUs of a node share the model; a small model is copied to each of them instead."""
    is_copied = nodes == 1 and model.weights_gib < size.memory_gib / size.gpus * _SHARE_FOR_COPIES
    return size.gpus > 1 and not is_copied


def _bytes(gib: float) -> int:
    return math.ceil(gib * _GIB)
