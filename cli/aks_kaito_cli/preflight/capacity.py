"""Quota of the region against the machines and addresses that the environment needs.

See: https://learn.microsoft.com/azure/virtual-machines/quotas
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from aks_kaito_cli.answers import Check, Finding
from aks_kaito_cli.preflight import demand, resource_types, sizes, usages
from aks_kaito_cli.preflight.asking import Once, if_allowed, together
from aks_kaito_cli.preflight.context import Context
from aks_kaito_cli.preflight.sizes import Size
from aks_kaito_cli.preflight.usages import Usage

GROUP = "Quota"
_REGIONAL, _SPOT, _ADDRESSES = "cores", "lowprioritycores", "standardskupublicipaddresses"
_NO_CAPACITY = (
    "quota is not capacity: it is the permission to ask. If the region has no free machine of a size, Azure refuses it"
    " (AllocationFailed, ZonalAllocationFailed) whatever the quota; only a capacity reservation holds machines"
)


@dataclass(frozen=True)
class _Need:
    """The need of one quota; a number is None if it cannot be known.

    Attributes:
        first: The need at the start.
        most: The need at the autoscaler's maximum, with an upgrade.
        own: The deployed environment's use, which Azure's number includes.
    """

    first: int | None
    most: int | None
    own: int | None


def checks(context: Context) -> list[Check]:
    """Return the checks of sizes, of vCPUs and of public addresses. The first two share the list of sizes."""
    known = Once(partial(sizes.listed, context))
    return [
        Check(sizes.GROUP, "VM sizes", lambda: sizes.findings(context, known())),
        Check(GROUP, "vCPUs", partial(_vcpus, context, known)),
        Check(GROUP, "public addresses", partial(_addresses, context)),
        Check(GROUP, "capacity", lambda: [Finding(GROUP, "capacity", "info", _NO_CAPACITY)]),
    ]


def _vcpus(context: Context, known: Callable[[], dict[str, Size]]) -> Iterator[Finding]:
    found, listed, own = together(known, partial(usages.of_compute, context), partial(_own_machines, context))
    for size in {each.size for each in demand.of(context.settings) if each.size.lower() not in found}:
        text = f"without a description of {size}, neither its vCPUs nor its quota are known"
        yield Finding(GROUP, f"vCPUs of {size}", "unknown", text)
    for name, need in _needs(context, found, own).items():
        yield _compared(context, listed.get(name.lower()), name, need, of_network=False)


def _own_machines(context: Context) -> list[tuple[str, int, bool]] | None:
    """Return size, number and spot of the deployed machines; None if the identity may not see them."""
    return if_allowed(partial(usages.own_machines, context))


def _needs(context: Context, known: dict[str, Size], own: list[tuple[str, int, bool]] | None) -> dict[str, _Need]:
    """Return the vCPUs by quota: the region's, each family's, and those of spot nodes."""
    first: dict[str, int | None] = {}
    most: dict[str, int | None] = {}
    for each in demand.of(context.settings):
        size = known.get(each.size.lower())
        if size is not None:
            for name in _counted(size, is_spot=each.is_spot):
                first[name] = _sum(first.get(name, 0), each.first, size.vcpus)
                most[name] = _sum(most.get(name, 0), each.most, size.vcpus)
    used: Counter[str] = Counter()
    for name, count, is_spot in own or []:
        if size := known.get(name.lower()):
            used.update(dict.fromkeys(_counted(size, is_spot=is_spot), size.vcpus * count))
    return {name: _Need(first[name], most[name], None if own is None else used[name]) for name in first}


def _counted(size: Size, *, is_spot: bool) -> tuple[str, ...]:
    """Return the quotas that count a machine. Spot nodes have one of their own, whatever their family."""
    return (_SPOT,) if is_spot else (_REGIONAL, size.family)


def _sum(before: int | None, count: int | None, each: int) -> int | None:
    return None if before is None or count is None else before + count * each


def _addresses(context: Context) -> list[Finding]:
    listed, own = together(partial(usages.of_network, context), partial(_own_addresses, context))
    number = resource_types.public_addresses(context.settings)
    need = _Need(number, number, own)
    return [_compared(context, listed.get(_ADDRESSES), "StandardSkuPublicIpAddresses", need, of_network=True)]


def _own_addresses(context: Context) -> int | None:
    return if_allowed(partial(usages.own_addresses, context))


def _compared(context: Context, usage: Usage | None, name: str, need: _Need, *, of_network: bool) -> Finding:
    """Return the finding about one quota.

    Too little for the start is a blocker. Too little for the maximum is a warning: the deployment works, and its
    autoscaler or an upgrade stops later.
    """
    if usage is None:
        return Finding(GROUP, name, "unknown", f"Azure lists no quota of this name in {context.settings.location}")
    subject = usage.title
    if need.first is None or need.most is None:
        text = f"{usage.words}; the number of GPU nodes is unknown here, as KAITO's version and the size decide it"
        return Finding(GROUP, subject, "unknown", text)
    text = f"{usage.words}; needs {need.first} at the start"
    if need.most != need.first:
        text += f", {need.most} at most (max_count and an upgrade)"
    if need.own:
        text += f"; {need.own} of those used are this environment's"
    free = usage.free + (need.own or 0)
    remedy = usages.raise_command(context, usage, usage.used - (need.own or 0) + need.most, of_network=of_network)
    if need.most <= free:
        return Finding(GROUP, subject, "ok", text)
    if need.first <= free:
        return Finding(GROUP, subject, "warning", text, f"{remedy}, or lower max_count")
    if need.own is None:
        return Finding(GROUP, subject, "unknown", f"{text}; the environment's own use cannot be read", remedy)
    return Finding(GROUP, subject, "blocker", text, remedy)
