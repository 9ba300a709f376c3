"""Private environments: whether they can be reached from here, and what to do where they cannot."""

import shlex
import socket

from aks_kaito.settings import Environment
from deploy_steps import Step, StepError, ask, az

_REACH_SECONDS = 5
_HTTPS = 443
HEAD = """
{name} is private, and from here these do not answer: {hosts}. Go on inside its network, with the same commit:

  {again}

"""
STATE = """\
The state of the stacks is a file on this machine. Keep it in a blob that both machines reach ([state] in the
environment's file), or take terraform.{stack}-*.tfstate along.

"""
JUMP_BOX = """\
A way in is the jump box, through Bastion; it wants az, git, make, Python, Terraform, kubelogin, and docker or podman:

  {command}

"""
INVOKE = """\
Looking at the cluster works from everywhere, through Azure:

  {command}
"""


def hidden(environment: Environment) -> list[str]:
    """What a private environment hides from this machine; nothing for a public one."""
    settings, names = environment.settings, environment.names
    found = []
    if settings.network.private_endpoints_enabled and not _lets_in(environment):
        found.append(f"{names.registry}.azurecr.io")
    if settings.cluster.private_cluster_enabled:
        found += _api_server(environment)
    return found


def _lets_in(environment: Environment) -> bool:
    """Whether the registry gives us a token; from outside, a private one answers too, and refuses."""
    login = az(environment, "acr", "login", "--name", environment.names.registry, "--expose-token", "--output", "none")
    try:
        ask(Step("sign in to the registry", login), environment)
    except StepError:
        return False
    return True


def _api_server(environment: Environment) -> list[str]:
    """The API server, if it cannot be connected to; a cluster that is not there hides nothing."""
    names = environment.names
    place = ("--name", names.cluster, "--resource-group", names.resource_group)
    show = az(environment, "aks", "show", *place, "--query", "privateFqdn || fqdn", "--output", "tsv")
    try:
        host, _, port = ask(Step("find the API server", show), environment).partition(":")
        socket.create_connection((host, int(port or _HTTPS)), timeout=_REACH_SECONDS).close()
    except StepError:
        return []
    except OSError:
        return [host]
    return []


def instructions(environment: Environment, hosts: list[str], again: str) -> str:
    """How to go on with the command `again` from inside the network."""
    settings, names = environment.settings, environment.names
    text = HEAD.format(name=environment.name, hosts=", ".join(hosts), again=again)
    if settings.state.backend == "local":
        text += STATE.format(stack=names.stack)
    if settings.jump_box.enabled and settings.bastion.enabled:
        group = ("--resource-group", names.resource_group)
        machine = az(environment, "vm", "show", *group, "--name", names.jump_box, "--query", "id", "--output", "tsv")
        user = (
            "--auth-type",
            "ssh-key",
            "--username",
            settings.cluster.admin_username,
            "--ssh-key",
            "~/.ssh/id_ed25519",
        )
        tunnel = az(environment, "network", "bastion", "ssh", *group, "--name", names.of("bas"))
        command = f'{shlex.join(tunnel)} --target-resource-id "$({shlex.join(machine)})" {" ".join(user)}'
        text += JUMP_BOX.format(command=command)
    if settings.cluster.run_command_enabled:
        place = ("--name", names.cluster, "--resource-group", names.resource_group)
        look = f"kubectl --namespace {settings.chat.namespace} get workspaces,pods"
        text += INVOKE.format(
            command=shlex.join(az(environment, "aks", "command", "invoke", *place, "--command", look))
        )
    return text
