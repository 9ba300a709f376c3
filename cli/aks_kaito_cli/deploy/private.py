"""Private environments: check whether this machine reaches them, and print instructions for continuing elsewhere."""

import shlex
import socket

from aks_kaito.state import PARTS
from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.pages import STATE
from aks_kaito_cli.project import local_state
from aks_kaito_cli.shell import MissingProgramError, Shell, Step, StepError

_CONNECT_SECONDS = 5
_HTTPS = 443
_HEAD = """
{name} is private, and from here these do not answer:
{hosts}
Continue inside its network, with the same commit:

  {again}

"""
_STATE = """\
The state of the stacks is a file on this machine. Keep it in a blob that both machines reach ({page}),
or take {states} along, and back again.

"""
_JUMP_BOX = """\
One way into the network is the jump box, through Bastion, with the key of cluster.ssh_public_key. It needs az (az
login), git, make, Python, Terraform, kubelogin, and docker or podman. Work in tmux there: a lost connection ends the
deployment.

{way}

"""
_TUNNEL = """\
  az extension add --name ssh
  {command}"""
_PORTAL = (
    '  In the portal, the virtual machine {name}, Connect, Bastion (bastion.sku = "Standard" takes az and ssh too).'
)
_INVOKE = """\
Azure runs commands in the cluster from any network:

  {command}
"""


def hidden_hosts(shell: Shell) -> dict[str, str]:
    """Return the hosts of a private environment that this machine does not reach, each with the reason.

    Raises:
        StepError: It cannot be checked: az is missing, or the cluster is.
    """
    private = shell.environment.settings.network.services_are_private
    return (_hidden_registry(shell) if private else {}) | hidden_api_server(shell)


def _hidden_registry(shell: Shell) -> dict[str, str]:
    """Return the registry if it gives no token: a private one answers connections from outside too, and refuses."""
    try:
        shell.ask(Step("sign in to the registry", shell.azure.registry_token()))
    except MissingProgramError:
        raise
    except StepError as error:
        return {f"{shell.environment.names.registry}.azurecr.io": error.last_line or str(error)}
    return {}


def hidden_api_server(shell: Shell) -> dict[str, str]:
    """Return the API server of a private cluster if it accepts no connection, with the reason.

    Raises:
        StepError: It cannot be found: there is no cluster, or no az.
    """
    if not shell.environment.settings.cluster.private_cluster_enabled:
        return {}
    find = Step("find the API server", shell.azure.show_cluster("privateFqdn || fqdn"))
    host, _, port = shell.ask(find).partition(":")
    if not host:
        raise StepError(find, "the cluster has no name for its API server")
    try:
        socket.create_connection((host, int(port or _HTTPS)), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        return {host: str(error)}
    return {}


def instructions(shell: Shell, hosts: dict[str, str], again: str) -> str:
    """Return instructions for running the command `again` inside the network."""
    environment, settings = shell.environment, shell.environment.settings
    lines = "\n".join(f"  {host} ({reason})" for host, reason in hosts.items())
    chosen = shell.variables.get("ARM_SUBSCRIPTION_ID")
    command = f"ARM_SUBSCRIPTION_ID={shlex.quote(chosen)} {again}" if chosen else again
    text = _HEAD.format(name=environment.name, hosts=lines, again=command)
    if settings.state.backend == "local":
        states = " and ".join(local_state(environment, part).name for part in PARTS)
        text += _STATE.format(page=STATE, states=states)
    if settings.jump_box.enabled and settings.bastion.enabled:
        text += _JUMP_BOX.format(way=_way_in(shell))
    if settings.cluster.run_command_enabled:
        list_pods = shlex.join(Kubectl(settings.chat.namespace).command("get", "workspaces,pods"))
        text += _INVOKE.format(command=shlex.join(shell.azure.run_in_cluster(list_pods)))
    return text


def _way_in(shell: Shell) -> str:
    """Return the lines that open a shell on the jump box."""
    if shell.environment.settings.bastion.sku == "Basic":
        return _PORTAL.format(name=shell.environment.names.jump_box)
    ssh, machine = shlex.join(shell.azure.bastion_ssh()), shlex.join(shell.azure.jump_box_id())
    return _TUNNEL.format(command=f'{ssh} --ssh-key ~/.ssh/id_rsa --target-resource-id "$({machine})"')
