"""Steps up: platform, image, workloads, dashboards, one message."""

import sys

from aks_kaito_cli.cluster import signed_in
from aks_kaito_cli.deploy import distribution, endangered, ingress, message, ownership, stacks, states, workloads
from aks_kaito_cli.deploy.private import hidden_hosts, instructions
from aks_kaito_cli.deploy.report import afterwards
from aks_kaito_cli.project import CHAT_CHART_FOLDER, ROOT
from aks_kaito_cli.shell import Shell, Step

_MODE_CHANGED = (
    f"{ingress.HINT}; other changes of the same file may need the platform first: give those a deployment of their own"
)


def deploy(shell: Shell, tag: str, again: str, confirmed: frozenset[str] = frozenset()) -> int:
    """Deploy everything and return the exit status: 0, or 3 if `again` must be typed inside a private network.

    `confirmed` has the names of resources whose loss the user has confirmed.

    Raises:
        RefusedError: A state belongs to another environment, or that of this one is elsewhere; data would be lost, or
            models of another distribution of KAITO.
        StepError: A step failed.
    """
    found = states.read_all(shell)
    ownership.check(shell, found)
    ownership.check_none_is_lost(shell, found)
    endangered.check(shell, found, confirmed)
    distribution.check(shell, found)
    if blocking := ingress.blocking_workload(shell):
        print(f"the settings support {blocking} no longer, and it still exists: deploying the workloads first")
        with signed_in(shell) as kubectl:
            workloads.deploy(shell, kubectl, tag, _MODE_CHANGED)
    stacks.deploy(shell, "platform", ingress.HINT)
    if hosts := hidden_hosts(shell):
        sys.stderr.write(instructions(shell, hosts, again))
        return 3
    with signed_in(shell) as kubectl:
        workloads.deploy(shell, kubectl, tag)
        _import_dashboards(shell)
        print(afterwards(shell, kubectl), flush=True)
        message.send(shell, kubectl)
    return 0


def _import_dashboards(shell: Shell) -> None:
    """Import the chart's dashboards into Managed Grafana; existing ones are replaced."""
    if not shell.environment.settings.monitoring.grafana_public_network_access_enabled:
        print("Grafana has no public address: import charts/kaito-chat/files/dashboards from inside its network")
        return
    hint = "a role that was granted a moment ago may take some minutes to work"
    for path in sorted((CHAT_CHART_FOLDER / "files" / "dashboards").glob("*.json")):
        command = shell.azure.create_dashboard(str(path.relative_to(ROOT)))
        shell.run(Step(f"dashboard {path.stem}", command, hint))
