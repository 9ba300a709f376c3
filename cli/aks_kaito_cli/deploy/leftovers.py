"""Resources that Azure still has after a destruction: in the resource group, and the nodes of its cluster."""

from collections.abc import Iterator

from aks_kaito_cli.shell import Shell, Step, StepError

_CLUSTERS = "microsoft.containerservice/managedclusters"
# Sizes with a GPU begin so.
# See: https://learn.microsoft.com/azure/virtual-machines/sizes/overview
_GPU_SIZE = "standard_n"


def remaining(shell: Shell) -> list[str]:
    """Return a line for each resource group, resource and node pool that is left.

    Raises:
        StepError: Azure cannot be asked.
    """
    return [*_group(shell), *_node_groups(shell)]


def vault_until(shell: Shell) -> str:
    """Return the time until which the deleted vault can be recovered; empty if there is no such vault.

    Raises:
        StepError: Azure cannot be asked.
    """
    return shell.ask(Step("find the deleted key vault", shell.azure.deleted_vault()))


def _group(shell: Shell) -> Iterator[str]:
    find = Step("find the resource group", shell.azure.group_exists())
    answer = shell.ask(find)
    if answer == "false":
        return
    if answer != "true":
        raise StepError(find, f"az answered {answer!r}, neither true nor false")
    yield f"resource group {shell.environment.names.resource_group}"
    for kind, name in _rows(shell, Step("list the resources", shell.azure.list_resources()), 2):
        yield f"  {kind} {name}"
        if (kind.lower(), name) == (_CLUSTERS, shell.environment.names.cluster):
            yield from _pools(shell)


def _pools(shell: Shell) -> Iterator[str]:
    for name, size, count in _rows(shell, Step("list the node pools", shell.azure.list_node_pools()), 3):
        kind = "GPU node pool" if size.lower().startswith(_GPU_SIZE) else "node pool"
        yield f"    {kind} {name}: {count} × {size}"


def _node_groups(shell: Shell) -> Iterator[str]:
    for name in shell.ask(Step("find the nodes' resource group", shell.azure.node_groups())).splitlines():
        yield f"resource group {name}, with the cluster's nodes"


def _rows(shell: Shell, step: Step, columns: int) -> Iterator[list[str]]:
    """Yield the columns of each line of az's tab-separated output; a missing one is empty."""
    for line in shell.ask(step).splitlines():
        yield [*line.split("\t"), *[""] * columns][:columns]
