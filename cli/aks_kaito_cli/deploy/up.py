"""Deploys an environment, or takes it down: `python tools/deploy.py up|down ENVIRONMENT WORD`, which is `make deploy`.

Up: platform, image, workloads, dashboards, one message; the word is the image's tag. Down: workloads, platform; the
word is the environment's name once more. Every step may be run again: what is there already is left alone. The first
step that fails ends it, with what failed, where to look and what to do next. Exit status: 0, 1 for a step that failed,
2 for what cannot be begun, 3 for a private environment that cannot be reached from here.
"""

import os
import shlex
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from aks_kaito import node
from aks_kaito.charts.names import CHAT_DEPLOYMENT, SIGN_IN_SECRETS
from aks_kaito.settings import Environment, SettingsError
from cluster_access import by_hand, kubeconfig
from deploy_begin import refusals, unprepared
from deploy_chart import image, upgrade
from deploy_image import digest_of_built
from deploy_private import api_server, hidden, instructions
from deploy_report import CHAT_PORT, addressed, afterwards
from deploy_steps import ROOT, Step, StepError, ask, az, named, run, stop_in_order, subscription
from deploy_switch import SWITCHED, in_use

VAULT_API_VERSION = "2023-07-01"
# How long a name and its certificate may take, and a first answer: a GPU node, an image, a model to load.
REACH_SECONDS = 900
WARM_UP_SECONDS = 2700
SWITCHED_FIRST = f"{SWITCHED}; what else was changed with it may want the platform first, and a deployment of its own"
TAKEN_BACK = """
        What a release began may be taken back: its events stay for an hour, its logs in Log Analytics (ContainerLogV2).
        A model that was asked for may have a node pool already, which costs: az aks nodepool list"""
FROM_OUTSIDE = """
The workloads are gone. This machine is part of the platform, which is destroyed from outside of it; take the state
along if it is a file here:

  {again}
"""
GONE = """\
Both stacks are gone, and with the cluster the GPU nodes that KAITO made. The key vault {vault} can be
recovered for {days} days, and is, if the environment is deployed again.
"""


def cli() -> tuple[str, ...]:
    """The CDK CLI: `CDK_CLI`, or the pinned one that `make deploy` installs, on the Node.js of the environment.

    Not by the `node` on the PATH, which there is a Python program: it ends before its child when a key stops both.
    """
    ours = Path(sys.prefix) / "clis" / "node_modules" / ".bin" / "cdktn"
    return tuple(shlex.split(os.environ.get("CDK_CLI", shlex.join((str(node.bundled() or "node"), str(ours))))))


def probing() -> tuple[str, ...]:
    """What sends one message: `CHAT_PROBE`, or the application's own probe."""
    ours = shlex.join((str(ROOT / ".venv-app" / "bin" / "python"), "-m", "kaito_chat.probe"))
    return tuple(shlex.split(os.environ.get("CHAT_PROBE", ours)))


def stack(what: str, part: str, environment: Environment, look: str = "", **variables: str) -> Step:
    """Deploy or destroy one of the two stacks; the order of both is ours, for the image comes between them."""
    name = f"{environment.names.stack}-{part}"
    command = (*cli(), what, name, "--auto-approve", "--ignore-missing-stack-dependencies")
    return Step(f"{what} the {part}", command, look, {"AKS_KAITO_ENV": environment.name, **variables})


def secrets(environment: Environment) -> Iterator[Step]:
    """Look whether the secrets of sign-in are in the vault, by Azure's management: their values stay where they are."""
    if environment.settings.chat.sign_in != "entra":
        return
    names, chosen = environment.names, subscription(environment) or "{subscriptionId}"
    vault = f"resourceGroups/{names.resource_group}/providers/Microsoft.KeyVault/vaults/{names.key_vault}"
    for secret in SIGN_IN_SECRETS.values():
        url = f"/subscriptions/{chosen}/{vault}/secrets/{secret}?api-version={VAULT_API_VERSION}"
        command = ("az", "rest", "--method", "get", "--url", url, "--query", "name", "--output", "tsv")
        place = f"--vault-name {names.key_vault} --name {secret}"
        look = f"az keyvault secret set {place} --file FILE --output none (docs/deploy.md, Sign-in)"
        yield Step(f"find the secret {secret}", command, look)


def password(environment: Environment, access: str) -> Iterator[Step]:
    """Look whether the Secret with the passwords of the model's endpoint is there.

    F5's NGINX takes no configuration at all, not even the chat's, while an Ingress names one that is not.
    """
    settings = environment.settings
    if secret := settings.ingress.model_basic_auth_secret_name:
        look = "docs/deploy.md, The model's own endpoint: publish it once the chat is deployed and the Secret made"
        place = ("--kubeconfig", access, "--namespace", settings.chat.namespace)
        command = ("kubectl", *place, "get", "secret", secret, "--output", "name")
        yield Step(f"find the Secret {secret}", command, look)


def dashboards(environment: Environment) -> Iterator[Step]:
    """Bring the chart's dashboards to Managed Grafana; those that are there are replaced."""
    names = environment.names
    place = ("--name", names.grafana, "--resource-group", names.resource_group)
    look = "a role that was granted a moment ago may take some minutes to work"
    for path in sorted((ROOT / "charts" / "kaito-chat" / "files" / "dashboards").glob("*.json")):
        definition = ("--definition", f"@{path.relative_to(ROOT)}", "--overwrite", "true", "--output", "none")
        command = az(environment, "grafana", "dashboard", "create", *place, *definition)
        yield Step(f"dashboard {path.stem}", command, look)


def message(environment: Environment, access: str) -> None:
    """Send one message through the chat: from here by its address, or inside its own pod while it has none.

    Where people sign in, nobody does so here: the page is looked at, and the model is asked from the pod.
    """
    settings = environment.settings
    wait = ("--timeout", str(WARM_UP_SECONDS))
    inside: list[str] = []
    if addressed(environment):
        look = f"the record and certificate of {settings.ingress.hostname}, then the model as said above"
        url = ("--chat", f"https://{settings.ingress.hostname}", "--reach", str(REACH_SECONDS))
        run(Step("one message", (*probing(), *url, *wait), look, {"PYTHONPATH": str(ROOT / "app")}), environment)
    else:
        inside += ["--chat", f"http://127.0.0.1:{CHAT_PORT}"]
    if settings.chat.sign_in != "none":
        inside += ["--models", "--reach", str(WARM_UP_SECONDS)]
    if not inside:
        return
    look = by_hand(environment, f"describe {'workspaces,pods' if settings.kaito.enabled else 'pods'}")
    probe = ("python", "-m", "kaito_chat.probe", *inside, *wait)
    pod = ("--namespace", settings.chat.namespace, "exec", f"deployment/{CHAT_DEPLOYMENT}", "--")
    run(Step("one message", ("kubectl", "--kubeconfig", access, *pod, *probe), look), environment)


def up(environment: Environment, tag: str) -> int:
    """Deploy everything; the exit status."""
    if what := in_use(environment):
        print(f"ingress.mode has changed, and {what} is still there: the workloads go first")
        with kubeconfig(environment) as access:
            workloads(environment, tag, access, SWITCHED_FIRST)
    run(stack("deploy", "platform", environment, SWITCHED), environment)
    if hosts := hidden(environment):
        sys.stderr.write(instructions(environment, hosts, again("up", environment.name, tag)))
        return 3
    with kubeconfig(environment) as access:
        workloads(environment, tag, access)
        if environment.settings.monitoring.grafana_public_network_access_enabled:
            for step in dashboards(environment):
                run(step, environment)
        else:
            print("Grafana has no public address: import charts/kaito-chat/files/dashboards from inside its network")
        print(afterwards(environment), flush=True)
        message(environment, access)
    return 0


def workloads(environment: Environment, tag: str, access: str, look: str = "") -> None:
    """Deploy the second stack with the image of a tag, once the secrets are there that its pods want.

    Terraform compares what it was told with what it was told before: where the chat was released alone since, with
    another image, it finds nothing to do for the old one.
    """
    for step in (*secrets(environment), *password(environment, access)):
        ask(step, environment)
    digest = digest_of_built(environment, tag)
    look = look or f"{by_hand(environment, 'get pods,jobs,events', 'logs --selector job-name')}{TAKEN_BACK}"
    pinned = {"TF_VAR_chat_image_tag": tag, "TF_VAR_chat_image_digest": digest}
    run(stack("deploy", "workloads", environment, look, **pinned), environment)
    running = image(environment, access)
    if not running.endswith(f"@{digest}"):
        print(f"{running} was released since the last deployment")
        run(upgrade(environment, access, digest), environment)


def down(environment: Environment, name: str) -> int:
    """Take everything down, the workloads first; the exit status."""
    try:
        run(stack("destroy", "workloads", environment), environment)
    except StepError:
        hosts = unreached(environment)
        if not hosts:
            raise
        sys.stderr.write(instructions(environment, hosts, again("down", name, name)))
        return 3
    if socket.gethostname() == environment.names.jump_box:
        sys.stderr.write(FROM_OUTSIDE.format(again=again("down", name, name)))
        return 3
    run(stack("destroy", "platform", environment), environment)
    days = environment.settings.key_vault.soft_delete_retention_days
    sys.stdout.write(GONE.format(vault=environment.names.key_vault, days=days))
    return 0


def unreached(environment: Environment) -> dict[str, str]:
    """The API server, if it does not answer; nothing if there is none."""
    try:
        return api_server(environment)
    except StepError:
        return {}


def again(what: str, name: str, word: str) -> str:
    """The command that goes on."""
    return f"make deploy ENV={name} TAG={word}" if what == "up" else f"make destroy ENV={name} CONFIRM={name}"


def main(arguments: list[str]) -> int:
    """Deploy or destroy one environment."""
    for refusal in refusals(arguments):
        sys.stderr.write(f"{refusal}\n")
        return 2
    what, name, word = arguments
    try:
        environment = named(name)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if reasons := list(unprepared(what, environment)):
        sys.stderr.write("\n".join([*reasons, ""]))
        return 2
    following = again(what, name, word)
    try:
        return {"up": up, "down": down}[what](environment, word)
    except StepError as error:
        sys.stderr.write(f"{error.report()}Next:   {following}, when the cause is gone; what was done stays\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"\nStopped. Go on with: {following}\n")
        return 1


if __name__ == "__main__":
    stop_in_order()
    sys.exit(main(sys.argv[1:]))
