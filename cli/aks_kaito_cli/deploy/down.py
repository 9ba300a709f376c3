"""Steps down: workloads, platform."""

import socket
import sys

from aks_kaito_cli.deploy import stacks
from aks_kaito_cli.deploy.private import hidden_api_server, instructions
from aks_kaito_cli.shell import Shell, StepError

_FROM_OUTSIDE = """
The workloads are destroyed. This machine is part of the platform, so destroy the platform from outside its network;
take the state along if it is a file here:

  {again}
"""
_GONE = """\
Both stacks are destroyed, and with the cluster the GPU nodes that KAITO made. The key vault {vault} can be
recovered for {days} days, and is, if the environment is deployed again.
"""


def destroy(shell: Shell, again: str) -> int:
    """Destroy everything and return the exit status: 0, or 3 if `again` must be typed in another network.

    Raises:
        StepError: A step failed.
    """
    names = shell.environment.names
    try:
        stacks.destroy(shell, "workloads")
    except StepError:
        hosts = _unreachable(shell)
        if not hosts:
            raise
        sys.stderr.write(instructions(shell, hosts, again))
        return 3
    if socket.gethostname() == names.jump_box:
        sys.stderr.write(_FROM_OUTSIDE.format(again=again))
        return 3
    stacks.destroy(shell, "platform")
    days = shell.environment.settings.key_vault.soft_delete_retention_days
    sys.stdout.write(_GONE.format(vault=names.key_vault, days=days))
    return 0


def _unreachable(shell: Shell) -> dict[str, str]:
    """Return the API server if it does not answer; nothing if there is no cluster."""
    try:
        return hidden_api_server(shell)
    except StepError:
        return {}
