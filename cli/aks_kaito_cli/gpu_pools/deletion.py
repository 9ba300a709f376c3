"""Deletion of one pool without an owner, with the checks that come before it."""

import re
from collections.abc import Callable

from aks_kaito_cli.gpu_pools import ownership
from aks_kaito_cli.gpu_pools.azure import Pools
from aks_kaito_cli.gpu_pools.cluster import ClusterUnreadableError, Objects
from aks_kaito_cli.gpu_pools.ownership import State
from aks_kaito_cli.gpu_pools.pools import Pool

# Names of AKS; another one would be another resource in a request's path.
_NAME = re.compile("[a-z][a-z0-9]{0,11}")

# Reads the objects of the cluster, each time anew.
Read = Callable[[], Objects]


class NotDeletedError(Exception):
    """A pool must not be deleted; nothing was changed."""


class UndecidedError(Exception):
    """It cannot be decided whether a pool may be deleted; nothing was changed."""


def orphan(pools: Pools, name: str, read: Read) -> Pool:
    """Return a pool that may be deleted now.

    The pool is read before the cluster: a pool that KAITO makes in between has its NodeClaim already.

    Raises:
        NotDeletedError: There is no such pool, KAITO did not make it, or it has an owner.
        UndecidedError: The cluster cannot be read.
        AzureAnswerError: Azure gives no usable answer.
    """
    if not _NAME.fullmatch(name):
        raise NotDeletedError(f"{name!r} is no name of a node pool: at most 12 lower-case letters and digits")
    pool = pools.find(name)
    if pool is None:
        raise NotDeletedError(f"there is no node pool {name}")
    if pool.owner is None:
        raise NotDeletedError(f"KAITO did not make the node pool {name}")
    try:
        objects = read()
    except ClusterUnreadableError as error:
        raise UndecidedError(f"whether {name} has an owner cannot be decided: {error}") from None
    state, detail = ownership.of(pool, objects)
    if state is not State.ORPHAN:
        raise NotDeletedError(f"the node pool {name} is no orphan: {detail}{_instead(pool, state)}")
    return pool


def _instead(pool: Pool, state: State) -> str:
    """Return the way to get rid of a pool that is no orphan."""
    owner = pool.owner
    if state is State.LEFT:
        return f". Delete the NodeClaim, and KAITO deletes the pool: kubectl delete nodeclaim {pool.name}"
    if state is State.OWNED and owner is not None:
        command = f"kubectl delete {owner.kind.lower()} {owner.name} --namespace {owner.namespace}"
        return f". Delete its owner instead: {command}"
    return ""
