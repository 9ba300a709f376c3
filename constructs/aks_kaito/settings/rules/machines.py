"""Rules on the sizes of node pools and of the jump box, according to the catalog.

See: https://learn.microsoft.com/azure/aks/use-system-pools#limitations
"""

from collections.abc import Iterator

from aks_kaito.catalog import CATALOG
from aks_kaito.models import sizes
from aks_kaito.settings.cluster import NodePool
from aks_kaito.settings.environment import Settings
from aks_kaito.settings.problems import Problem
from aks_kaito.settings.rules.rule import Context, rule

_LEAST_SYSTEM_VCPUS = 4
_LEAST_SYSTEM_PODS = 30
_LEAST_USER_VCPUS = 2


def _pools(settings: Settings) -> Iterator[tuple[str, NodePool]]:
    yield "system_pool", settings.system_pool
    yield "user_pool", settings.user_pool


def _sizes(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each key of a VM size and its value; the model's GPU size has its own rules."""
    for key, pool in _pools(settings):
        yield f"{key}.vm_size", pool.vm_size
    if settings.jump_box.enabled:
        yield "jump_box.vm_size", settings.jump_box.vm_size


@rule("system_pool.vm_size", "user_pool.vm_size", "jump_box")
def sizes_are_not_retired(context: Context) -> Iterator[Problem]:
    """Azure still offers the sizes."""
    for key, name in _sizes(context.settings):
        size = CATALOG.vm_size(name)
        if size and size.family.retires_on and size.family.retires_on <= context.today:
            yield Problem(key, name, f"was retired by Azure on {size.family.retires_on} (catalog.toml)")
        if retired := CATALOG.retired_gpu_size(name):
            allowed = f"was retired by Azure on {retired.retired_on}; use {retired.replacement} ({retired.source})"
            yield Problem(key, name, allowed)


@rule("system_pool.vm_size", "user_pool.vm_size")
def nodes_have_the_images_architecture(context: Context) -> Iterator[Problem]:
    """Nodes are x64 machines, for which the chat's image is built."""
    for key, pool in _pools(context.settings):
        size = CATALOG.vm_size(pool.vm_size)
        if size and size.family.architecture != "x64":
            allowed = f"must be an x64 size, such as Standard_D4ads_v5: {size.family.architecture} cannot run the chat"
            yield Problem(f"{key}.vm_size", pool.vm_size, allowed)


@rule("system_pool", "user_pool")
def ephemeral_disks_fit(context: Context) -> Iterator[Problem]:
    """The local disk of a node has room for an ephemeral operating system disk."""
    for key, pool in _pools(context.settings):
        size = CATALOG.vm_size(pool.vm_size)
        if pool.os_disk_type != "Ephemeral" or size is None or size.ephemeral_gib is None:
            continue
        if size.ephemeral_gib == 0:
            allowed = f'must be "Managed" with {size.name}, which has no local disk for the operating system'
            yield Problem(f"{key}.os_disk_type", pool.os_disk_type, allowed)
        elif pool.os_disk_size_gib > size.ephemeral_gib:
            allowed = f'must be at most {size.ephemeral_gib} with {size.name}, unless {key}.os_disk_type = "Managed"'
            yield Problem(f"{key}.os_disk_size_gib", pool.os_disk_size_gib, allowed)


@rule("system_pool.vm_size", "system_pool.max_pods")
def system_nodes_are_large_enough(context: Context) -> Iterator[Problem]:
    """System nodes have the vCPUs and the room for pods that AKS requires, and are not burstable."""
    pool = context.settings.system_pool
    if pool.max_pods < _LEAST_SYSTEM_PODS:
        yield Problem("system_pool.max_pods", pool.max_pods, f"must be at least {_LEAST_SYSTEM_PODS} in a system pool")
    size = CATALOG.vm_size(pool.vm_size)
    if size and (size.family.burstable or size.vcpus < _LEAST_SYSTEM_VCPUS):
        found = "is burstable" if size.family.burstable else f"has {size.vcpus}"
        allowed = (
            f"must have at least {_LEAST_SYSTEM_VCPUS} vCPUs and not be of the B series in a system pool; it {found}"
        )
        yield Problem("system_pool.vm_size", pool.vm_size, allowed)


@rule("user_pool.vm_size")
def user_nodes_are_large_enough(context: Context) -> Iterator[Problem]:
    """User nodes have the vCPUs that AKS requires."""
    size = CATALOG.vm_size(context.settings.user_pool.vm_size)
    if size and size.vcpus < _LEAST_USER_VCPUS:
        yield Problem("user_pool.vm_size", size.name, f"must have at least {_LEAST_USER_VCPUS} vCPUs in a node pool")


@rule("system_pool.vm_size", "user_pool.vm_size", "jump_box")
def sizes_are_known(context: Context) -> Iterator[Problem]:
    """The catalog knows the sizes. This is a warning: Azure adds sizes every month."""
    for key, name in _sizes(context.settings):
        size = CATALOG.vm_size(name)
        if size is None:
            yield Problem(key, name, _unchecked(name))
        elif size.family.retires_on is not None and context.today < size.family.retires_on:
            yield Problem(key, name, f"will be retired by Azure on {size.family.retires_on} (catalog.toml)")


def _unchecked(name: str) -> str:
    """Return the reason why a size is not checked in full."""
    if name in CATALOG.gpu_sizes:
        vcpus = CATALOG.gpu_sizes[name].vcpus
        return f"has GPUs, which nothing here uses, and {vcpus} vCPUs; its architecture and local disk are not checked"
    if reason := sizes.unsupported(name):
        return f"{reason}, and nothing here uses it; its vCPUs, architecture and local disk are not checked"
    return "is not in catalog.toml: its vCPUs, architecture and local disk are not checked"
