"""Steps down: workloads, platform, and the question to Azure what is left."""

import shlex
import socket
import sys

from aks_kaito_cli.cluster import exists
from aks_kaito_cli.deploy import leftovers, losses, ownership, stacks, states
from aks_kaito_cli.deploy.private import hidden_api_server, instructions
from aks_kaito_cli.deploy.states import States
from aks_kaito_cli.pages import DESTROY
from aks_kaito_cli.shell import Shell, StepError

_LOST = """\
This destroys {name}, with:
  {lost}
"""
_FROM_OUTSIDE = """
The workloads are destroyed. This machine is part of the platform, so destroy the platform from outside its network;
take the state along if it is a file here:

  {again}
"""
_NO_CLUSTER = """\
Azure has no cluster {cluster}, so nothing of the workloads runs: their stack is skipped, and its state is emptied at
the end.
"""
_UNKNOWN_CLUSTER = """\
az could not be asked for the cluster ({error}).
The destruction goes on, but fails if the cluster was deleted by hand, and cannot say at the end what is left.
"""
_GONE = """\
Both stacks are destroyed: Azure has neither {group} nor a resource group with nodes of its cluster, so the GPU nodes
that KAITO made are gone too.
"""
_VAULT = "The key vault {vault} can be recovered until {until}, and is, if the environment is deployed again.\n"
_NO_VAULT = "Azure keeps no deleted key vault {vault}.\n"
_UNKNOWN_VAULT = "az could not be asked for the deleted key vault {vault} ({error}).\n"
_LEFT = """
Terraform has destroyed everything that its states list, but Azure still has, and bills:

{left}

If the states were on another machine or had another name, destroy with those; otherwise delete the groups by hand
({page}), if nothing else is in them.
"""
_UNKNOWN = """
Terraform has destroyed everything that its states list, but az could not be asked what is left ({error}).
Ask again: {command}
"""


def destroy(shell: Shell, again: str) -> int:
    """Destroy everything and return the exit status.

    It is 0; 1 if Azure still has something of the environment, or cannot be asked; 3 if `again` must be typed in
    another network.

    Raises:
        RefusedError: A state belongs to another environment.
        StepError: A step failed.
    """
    found = states.read_all(shell)
    ownership.check(shell, found)
    if lost := list(losses.lost(found)):
        print(_LOST.format(name=shell.environment.name, lost="\n  ".join(lost)), flush=True)
    has_cluster = _has_cluster(shell)
    if has_cluster and (status := _destroy_workloads(shell, again)):
        return status
    if socket.gethostname() == shell.environment.names.jump_box:
        sys.stderr.write(_FROM_OUTSIDE.format(again=again))
        return 3
    stacks.destroy(shell, "platform")
    return _report(shell, found, has_cluster=has_cluster)


def _has_cluster(shell: Shell) -> bool:
    """Return whether the cluster exists, and say so if it does not or az fails; then Terraform will find out."""
    try:
        found = exists(shell)
    except StepError as error:
        sys.stderr.write(_UNKNOWN_CLUSTER.format(error=error))
        return True
    if not found:
        print(_NO_CLUSTER.format(cluster=shell.environment.names.cluster), end="", flush=True)
    return found


def _destroy_workloads(shell: Shell, again: str) -> int:
    """Destroy the workloads; return 0, or 3 with instructions if the API server does not answer from here."""
    try:
        stacks.destroy(shell, "workloads")
    except StepError:
        hosts = _unreachable(shell)
        if not hosts:
            raise
        sys.stderr.write(instructions(shell, hosts, again))
        return 3
    return 0


def _unreachable(shell: Shell) -> dict[str, str]:
    """Return the API server if it does not answer; nothing if there is no cluster."""
    try:
        return hidden_api_server(shell)
    except StepError:
        return {}


def _report(shell: Shell, found: States, *, has_cluster: bool) -> int:
    """Ask Azure what is left, say so, and return the exit status."""
    names = shell.environment.names
    try:
        left = leftovers.remaining(shell)
    except StepError as error:
        sys.stderr.write(_UNKNOWN.format(error=error, command=shlex.join(shell.azure.group_exists())))
        return 1
    if left:
        sys.stderr.write(_LEFT.format(left="\n".join(f"  {line}" for line in left), page=DESTROY))
        return 1
    if not has_cluster and found["workloads"]:
        states.empty(shell, "workloads")
    sys.stdout.write(_GONE.format(group=names.resource_group) + _vault(shell))
    return 0


def _vault(shell: Shell) -> str:
    """Return a line about the deleted key vault."""
    vault = shell.environment.names.key_vault
    try:
        until = leftovers.vault_until(shell)
    except StepError as error:
        return _UNKNOWN_VAULT.format(vault=vault, error=error)
    return (_VAULT if until else _NO_VAULT).format(vault=vault, until=until)
