"""Usages and limits of a region, and the machines and addresses that a deployed environment uses already."""

import shlex
from dataclasses import dataclass
from typing import Any

from aks_kaito_cli.preflight.asking import if_there, together
from aks_kaito_cli.preflight.context import Context

_UNLIMITED = 2**31
# The kinds of quota in requests for an increase.
_KINDS = {"lowprioritycores": "lowPriority"}


@dataclass(frozen=True)
class Usage:
    """One quota of a region.

    Attributes:
        name: Azure's name, such as standardDADSv5Family.
        title: The name on the portal's page of quotas.
    """

    name: str
    title: str
    used: int
    limit: int

    @property
    def free(self) -> int:
        """The part that is not used; it is negative after a limit was lowered."""
        return self.limit - self.used

    @property
    def words(self) -> str:
        """The usage in words."""
        return f"{self.used} of {self.limit} used"


def of_compute(context: Context) -> dict[str, Usage]:
    """Return the quotas of vCPUs, by their names in lower case."""
    return _listed(context, "Microsoft.Compute")


def of_network(context: Context) -> dict[str, Usage]:
    """Return the quotas of network resources, by their names in lower case."""
    return _listed(context, "Microsoft.Network")


def own_machines(context: Context) -> list[tuple[str, int, bool]]:
    """Return size, number and spot of the cluster's nodes and the jump box; none before the first deployment."""
    group, names = f"{context.group}/providers", context.names
    pools = f"{group}/Microsoft.ContainerService/managedClusters/{names.cluster}/agentPools"
    machine = f"{group}/Microsoft.Compute/virtualMachines/{names.jump_box}"
    listed, jump_box, others = together(
        lambda: if_there(lambda: context.arm.pages(pools)) or [],
        lambda: if_there(lambda: context.arm.get(machine)),
        lambda: _in_no_pool(context),
    )
    found = [*(_pool(each["properties"]) for each in listed), *others]
    if jump_box:
        found.append((jump_box["properties"]["hardwareProfile"]["vmSize"], 1, False))
    return found


def _in_no_pool(context: Context) -> list[tuple[str, int, bool]]:
    """Return the nodes of node auto-provisioning, which are virtual machines in the nodes' resource group."""
    if context.settings.kaito.installed_provisioner != "node-auto-provisioning":
        return []
    group = f"{context.scope}/resourceGroups/{context.names.node_resource_group}"
    path = f"{group}/providers/Microsoft.Compute/virtualMachines"
    found = [each["properties"] for each in if_there(lambda: context.arm.pages(path)) or []]
    return [(each["hardwareProfile"]["vmSize"], 1, each.get("priority") == "Spot") for each in found]


def own_addresses(context: Context) -> int:
    """Return the number of public addresses in the resource group, which Terraform made."""
    path = f"{context.group}/providers/Microsoft.Network/publicIPAddresses"
    return len(if_there(lambda: context.arm.pages(path)) or [])


def raise_command(context: Context, usage: Usage, limit: int, *, of_network: bool) -> str:
    """Return the command that requests a higher limit."""
    kind = "PublicIpAddresses" if of_network else _KINDS.get(usage.name.lower(), "dedicated")
    scope = f"{context.scope}/providers/{_provider(of_network=of_network)}/locations/{context.settings.location}"
    values = ("--limit-object", f"value={limit}", "limit-object-type=LimitValue", "--resource-type", kind)
    return shlex.join(("az", "quota", "update", "--resource-name", usage.name, "--scope", scope, *values))


def _provider(*, of_network: bool) -> str:
    return "Microsoft.Network" if of_network else "Microsoft.Compute"


def _listed(context: Context, provider: str) -> dict[str, Usage]:
    path = f"{context.scope}/providers/{provider}/locations/{context.settings.location}/usages"
    found = [_usage(each) for each in context.arm.pages(path)]
    return {each.name.lower(): each for each in found}


def _usage(each: dict[str, Any]) -> Usage:
    limit = int(each["limit"])
    name = each["name"]
    # A negative limit stands for none.
    return Usage(name["value"], name["localizedValue"], int(each["currentValue"]), limit if limit >= 0 else _UNLIMITED)


def _pool(properties: dict[str, Any]) -> tuple[str, int, bool]:
    return properties["vmSize"], int(properties.get("count") or 0), properties.get("scaleSetPriority") == "Spot"
