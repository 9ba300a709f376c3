"""Deploys an environment, or takes it down: `python tools/deploy.py up|down ENVIRONMENT TAG`, which is `make deploy`.

Platform, image, workloads, one message; down the other way round. Every step may be run again: what is there already is
left alone. The first step that fails ends it, with what failed and what to do next. Exit status: 0, 1 for a step that
failed, 2 for what cannot be begun, 3 for a private environment that cannot be reached from here.
"""

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from aks_kaito import chart_values
from aks_kaito.settings import Environment, SettingsError, load

ROOT = Path(__file__).parents[1]
TAG = re.compile(r"[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}")
REACH_SECONDS = 5
WARM_UP_SECONDS = "1800"
PRIVATE = """\
{host} cannot be reached from here: {name} is private. Go on inside its network, on the jump box or on
a runner in the VNet, with the same commit:

  make deploy ENV={name} TAG={tag}
"""


class Step(NamedTuple):
    """One command, and what it is for.

    Attributes:
        name: What it does, in a few words.
        command: The program and its arguments.
        variables: What it finds in its environment beside ours.
    """

    name: str
    command: tuple[str, ...]
    variables: dict[str, str] = {}  # noqa: RUF012 - a tuple's default is never changed


class StepError(Exception):
    """A step failed."""


def cli() -> tuple[str, ...]:
    """The CDK CLI: `CDK_CLI`, or the newest of the minor that our bindings are made for, by npx."""
    return tuple(shlex.split(os.environ.get("CDK_CLI", "npx --yes cdktn-cli@0.24")))


def probing() -> tuple[str, ...]:
    """What sends one message: `CHAT_PROBE`, or the application's own probe."""
    ours = shlex.join((str(ROOT / ".venv-app" / "bin" / "python"), "-m", "kaito_chat.probe"))
    return tuple(shlex.split(os.environ.get("CHAT_PROBE", ours)))


def run(step: Step, environment: Environment, *, quiet: bool = False) -> str:
    """Run one step; its output goes where ours goes, or with `quiet` is returned."""
    if not quiet:
        print(f"== {step.name}: {shlex.join(step.command)}", flush=True)
    variables = os.environ | {"AKS_KAITO_ENV": environment.name, "CHECKPOINT_DISABLE": "1"} | step.variables
    try:
        done = subprocess.run(
            step.command, cwd=ROOT, env=variables, check=False, text=True, stdout=subprocess.PIPE if quiet else None
        )
    except FileNotFoundError:
        raise StepError(f"{step.name}: {step.command[0]} is not installed") from None
    if done.returncode:
        raise StepError(f"{step.name}: {shlex.join(step.command)} ended with exit status {done.returncode}")
    return (done.stdout or "").strip()


def digest(environment: Environment, tag: str) -> str:
    """The digest of the image in the environment's registry; builds it there if the tag is not in it yet."""
    registry, image = environment.names.registry, f"{chart_values.REPOSITORY}:{tag}"
    show = (
        "az",
        "acr",
        "repository",
        "show",
        "--name",
        registry,
        "--image",
        image,
        "--query",
        "digest",
        "--output",
        "tsv",
    )
    found = Step("look for the image", show)
    try:
        return run(found, environment, quiet=True)
    except StepError:
        run(
            Step("build the image", ("az", "acr", "build", "--registry", registry, "--image", image, "app")),
            environment,
        )
    return run(found, environment, quiet=True)


def unreachable(environment: Environment) -> str:
    """The host that a private environment hides from here, if it does."""
    settings = environment.settings
    if not (settings.network.private_endpoints_enabled or settings.cluster.private_cluster_enabled):
        return ""
    host = f"{environment.names.registry}.azurecr.io"
    try:
        socket.create_connection((host, 443), timeout=REACH_SECONDS).close()
    except OSError:
        return host
    return ""


def up(environment: Environment, tag: str) -> int:
    """Deploy everything; the exit status."""
    stack = environment.names.stack
    run(Step("platform", (*cli(), "deploy", f"{stack}-platform", "--auto-approve")), environment)
    if host := unreachable(environment):
        sys.stderr.write(PRIVATE.format(host=host, name=environment.name, tag=tag))
        return 3
    found = digest(environment, tag)
    variables = {"TF_VAR_chat_image_tag": tag, "TF_VAR_chat_image_digest": found}
    deploy = (*cli(), "deploy", f"{stack}-workloads", "--auto-approve")
    run(Step("workloads", deploy, variables), environment)
    if chart_values.published(environment.settings):
        url = f"https://{environment.settings.ingress.hostname}"
        probe = (*probing(), "--chat", url, "--timeout", WARM_UP_SECONDS)
        run(Step("one message", probe, {"PYTHONPATH": str(ROOT / "app")}), environment)
    else:
        namespace = environment.settings.chat.namespace
        url = f"not published: kubectl --namespace {namespace} port-forward service/{chart_values.REPOSITORY} 8000:80"
    print(f"\nChat:    {url}\nGrafana: {grafana(environment)}\nWhile the model warms up, the page shows how far it is.")
    return 0


def grafana(environment: Environment) -> str:
    """Managed Grafana's address, or how to find out."""
    names = environment.names
    show = ("az", "grafana", "show", "--name", names.grafana, "--resource-group", names.resource_group)
    try:
        return run(
            Step("look for Grafana", (*show, "--query", "properties.endpoint", "--output", "tsv")),
            environment,
            quiet=True,
        )
    except StepError:
        return f"az grafana show --name {names.grafana} --resource-group {names.resource_group}"


def down(environment: Environment, _: str) -> int:
    """Take everything down, the workloads first; the exit status."""
    stack = environment.names.stack
    for part in ("workloads", "platform"):
        run(Step(f"destroy the {part}", (*cli(), "destroy", f"{stack}-{part}", "--auto-approve")), environment)
    print("Both stacks are gone, and with the cluster the GPU nodes that KAITO made.")
    return 0


def refusals(arguments: list[str]) -> Iterator[str]:
    """Why nothing can be begun."""
    if len(arguments) != 3 or arguments[0] not in ("up", "down"):  # noqa: PLR2004 - as the first line says
        yield "usage: make deploy ENV=name TAG=tag, or make destroy ENV=name"
    elif not TAG.fullmatch(arguments[2]):
        yield f"TAG={arguments[2]!r}: must be a tag for the image, such as 0.2.0"


def main(arguments: list[str]) -> int:
    """Deploy or destroy one environment."""
    for refusal in refusals(arguments):
        sys.stderr.write(f"{refusal}\n")
        return 2
    what, name, tag = arguments
    try:
        environment = load(ROOT / "environments" / f"{name}.toml")
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        return {"up": up, "down": down}[what](environment, tag)
    except StepError as error:
        again = f"make deploy ENV={name} TAG={tag}" if what == "up" else f"make destroy ENV={name}"
        sys.stderr.write(f"\nFailed: {error}\nWhat was done stays. When the cause is gone, go on with: {again}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
