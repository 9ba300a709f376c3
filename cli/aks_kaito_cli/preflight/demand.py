"""Virtual machines that an environment needs: at the start, and at the most."""

from collections.abc import Iterator
from dataclasses import dataclass

from aks_kaito.review.summary import models, tunings
from aks_kaito.settings import Settings
from aks_kaito.settings.cluster import NodePool

# KAITO makes a pool for each node, and AKS adds a node to a pool that it upgrades: at most one replica's nodes more.
_GPU_SURGE = 1


@dataclass(frozen=True)
class Demand:
    """The machines of one purpose.

    Attributes:
        purpose: The pool, the model or the jump box, as a message names it.
        size: The VM size, as Azure spells it.
        first: The number of machines that the deployment starts; None if it is unknown here.
        most: The number with the autoscaler's maximum and an upgrade.
        zones: The availability zones; empty if Azure selects them.
        is_spot: Whether the spot quota counts, instead of the family's.
        is_machine: Whether it is a virtual machine of its own, no node.
        encrypts_at_host: Whether the size must encrypt at the host.
    """

    purpose: str
    size: str
    first: int | None
    most: int | None
    zones: tuple[str, ...] = ()
    is_spot: bool = False
    is_machine: bool = False
    encrypts_at_host: bool = False


def of(settings: Settings) -> list[Demand]:
    """Return the machines of both pools, of the model and its standby, and of the jump box."""
    found = [
        _pool("system pool", settings.system_pool),
        _pool("user pool", settings.user_pool, is_spot=settings.user_pool.spot_enabled),
        *_models(settings),
    ]
    if settings.jump_box.enabled:
        found.append(Demand("jump box", settings.jump_box.vm_size, 1, 1, is_machine=True))
    return found


def _pool(purpose: str, pool: NodePool, *, is_spot: bool = False) -> Demand:
    return Demand(
        purpose,
        pool.vm_size,
        first=pool.first_count,
        most=pool.max_count + pool.surge_count,
        zones=pool.zones,
        is_spot=is_spot,
        encrypts_at_host=pool.host_encryption_enabled,
    )


def _models(settings: Settings) -> Iterator[Demand]:
    for purpose, found in zip(("model", "standby"), models(settings), strict=True):
        for gpu in (each for each in found if each.instance_type):
            first, most = (
                None if gpu.node_count is None else gpu.node_count * replicas
                for replicas in (gpu.min_replicas, gpu.replicas + _GPU_SURGE)
            )
            yield Demand(f"{purpose} {gpu.preset}", gpu.instance_type, first, most)
    yield from (Demand(f"tuning {gpu.name}", gpu.instance_type, 1, 1) for gpu in tunings(settings))
