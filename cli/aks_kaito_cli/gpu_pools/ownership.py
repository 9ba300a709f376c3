"""Whether a pool that KAITO made still has an owner."""

from enum import StrEnum
from typing import NamedTuple

from aks_kaito_cli.gpu_pools.cluster import Objects
from aks_kaito_cli.gpu_pools.pools import Owner, Pool


class State(StrEnum):
    """The state of a pool."""

    OWNED = "owned"
    LEFT = "left"
    GOING = "being deleted"
    ORPHAN = "orphan"
    UNKNOWN = "unknown"


class Ownership(NamedTuple):
    """The state of a pool, and the reason in words."""

    state: State
    detail: str


def of(pool: Pool, objects: Objects | None) -> Ownership:
    """Return the state of a pool that KAITO made; `objects` is None if the cluster cannot be read."""
    owner = pool.owner
    assert owner is not None  # noqa: S101 - only pools of KAITO are asked for
    if pool.is_going:
        return Ownership(State.GOING, f"Azure deletes the pool of {owner}")
    if objects is None:
        return Ownership(State.UNKNOWN, f"made for {owner}")
    lives = _found(owner, objects)
    if pool.name in objects.claims:
        return _claimed(pool, owner, lives, is_going=objects.claims[pool.name])
    if lives is not None:
        return Ownership(State.OWNED, f"{lives}, without a NodeClaim")
    return Ownership(State.ORPHAN, f"{owner} is gone, and so is the NodeClaim")


def _claimed(pool: Pool, owner: Owner, lives: str | None, *, is_going: bool) -> Ownership:
    if is_going:
        return Ownership(State.GOING, f"KAITO deletes the NodeClaim {pool.name} of {owner}")
    if lives is None:
        keeper = (
            f"NodePool {pool.node_pool} keeps the node" if pool.node_pool else f"NodeClaim {pool.name} keeps the pool"
        )
        return Ownership(State.LEFT, f"{owner} is gone, but the {keeper}")
    return Ownership(State.OWNED, lives)


def _found(owner: Owner, objects: Objects) -> str | None:
    """Return the owner in words if it exists; a label without a namespace may mean any."""
    for each, inference_set in objects.owners.items():
        if (each.kind, each.name) == (owner.kind, owner.name) and owner.namespace in ("", each.namespace):
            return f"{each} of InferenceSet {inference_set}" if inference_set else str(each)
    return None
