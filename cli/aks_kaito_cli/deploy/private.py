"""Private environments: whether they can be reached from here, and what to do where they cannot."""

import os
import shlex
import socket

from aks_kaito.settings import Environment
from deploy_steps import MissingProgramError, Step, StepError, ask, az

_REACH_SECONDS = 5
_HTTPS = 443
_HEAD = """
{name} is private, and from here these do not answer:
{hosts}
Go on inside its network, with the same commit:

  {again}

"""
_STATE = """\
The state of the stacks is a file on this machine. Keep it in a blob that both machines reach (docs/how-to/share-state.md),
or take terraform.{stack}-platform.tfstate and terraform.{stack}-workloads.tfstate along, and back again.

"""
_JUMP_BOX = """\
A way in is the jump box, through Bastion, with the key of cluster.ssh_public_key. It wants az (az login), git, make,
Python, Terraform, kubelogin, and docker or podman. Work in tmux there: a lost connection ends what it began.

{way}

"""
_TUNNEL = """\
  az extension add --name ssh
  {command}"""
_PORTAL = (
    '  In the portal, the virtual machine {name}, Connect, Bastion (bastion.sku = "Standard" takes az and ssh too).'
)
_INVOKE = """\
Looking at the cluster works from everywhere, through Azure:

  {command}
"""


def hidden(environment: Environment) -> dict[str, str]:
    """What a private environment hides from this machine, each host with the reason; nothing for a public one.

    Raises:
        StepError: It cannot be found out: az is missing, or the cluster is.
    """
    registry = _registry(environment) if environment.settings.network.private_endpoints_enabled else {}
    return registry | api_server(environment)


def _registry(environment: Environment) -> dict[str, str]:
    """The registry, if it gives us no token; from outside, a private one answers too, and refuses."""
    name = environment.names.registry
    login = az(environment, "acr", "login", "--name", name, "--expose-token", "--output", "none")
    try:
        ask(Step("sign in to the registry", login), environment)
    except MissingProgramError:
        raise
    except StepError as error:
        return {f"{name}.azurecr.io": error.said or str(error)}
    return {}


def api_server(environment: Environment) -> dict[str, str]:
    """The API server of a private cluster, if it cannot be connected to.

    Raises:
        StepError: It cannot be found: there is no cluster, or no az.
    """
    if not environment.settings.cluster.private_cluster_enabled:
        return {}
    names = environment.names
    place = ("--name", names.cluster, "--resource-group", names.resource_group)
    show = az(environment, "aks", "show", *place, "--query", "privateFqdn || fqdn", "--output", "tsv")
    find = Step("find the API server", show)
    host, _, port = ask(find, environment).partition(":")
    if not host:
        raise StepError(find, "the cluster has no API server's name")
    try:
        socket.create_connection((host, int(port or _HTTPS)), timeout=_REACH_SECONDS).close()
    except OSError as error:
        return {host: str(error)}
    return {}


def instructions(environment: Environment, hosts: dict[str, str], again: str) -> str:
    """How to go on with the command `again` from inside the network."""
    settings, names = environment.settings, environment.names
    lines = "\n".join(f"  {host} ({reason})" for host, reason in hosts.items())
    chosen = os.environ.get("ARM_SUBSCRIPTION_ID")
    with_subscription = f"ARM_SUBSCRIPTION_ID={shlex.quote(chosen)} {again}" if chosen else again
    text = _HEAD.format(name=environment.name, hosts=lines, again=with_subscription)
    if settings.state.backend == "local":
        text += _STATE.format(stack=names.stack)
    if settings.jump_box.enabled and settings.bastion.enabled:
        text += _JUMP_BOX.format(way=_way_in(environment))
    if settings.cluster.run_command_enabled:
        place = ("--name", names.cluster, "--resource-group", names.resource_group)
        look = f"kubectl --namespace {settings.chat.namespace} get workspaces,pods"
        command = az(environment, "aks", "command", "invoke", *place, "--command", look)
        text += _INVOKE.format(command=shlex.join(command))
    return text


def _way_in(environment: Environment) -> str:
    """What opens a shell on the jump box."""
    if environment.settings.bastion.sku == "Basic":
        return _PORTAL.format(name=environment.names.jump_box)
    return _TUNNEL.format(command=_tunnel(environment))


def _tunnel(environment: Environment) -> str:
    names, group = environment.names, ("--resource-group", environment.names.resource_group)
    machine = az(environment, "vm", "show", *group, "--name", names.jump_box, "--query", "id", "--output", "tsv")
    tunnel = az(environment, "network", "bastion", "ssh", *group, "--name", names.of("bas"))
    user = f"--auth-type ssh-key --username {environment.settings.cluster.admin_username} --ssh-key ~/.ssh/id_rsa"
    return f'{shlex.join(tunnel)} --target-resource-id "$({shlex.join(machine)})" {user}'
