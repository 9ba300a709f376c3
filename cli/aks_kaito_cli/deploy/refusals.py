"""What is looked at before a deployment, or its end, is begun: what was asked, programs, a state left behind."""

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator

from aks_kaito.settings import Environment
from deploy_chart import helm
from deploy_image import TAG
from deploy_steps import ROOT


def refusals(arguments: list[str]) -> Iterator[str]:
    """Why nothing can be begun, whatever the environment."""
    if len(arguments) != 3 or arguments[0] not in ("up", "down"):  # noqa: PLR2004 - direction, environment, word
        yield "usage: make deploy ENV=name TAG=tag, or make destroy ENV=name CONFIRM=name"
        return
    what, name, word = arguments
    if what == "up" and not re.fullmatch(TAG, word):
        yield f"TAG={word!r}: must be a tag for the image, such as 0.2.0"
    if what == "down" and word != name:
        yield f"CONFIRM={word!r}: must be {name!r}, the environment that is to be destroyed with all its data"


def unprepared(what: str, environment: Environment) -> Iterator[str]:
    """Why nothing can be begun in this environment, from this machine."""
    for program in programs(what, environment):
        if shutil.which(program) is None:
            yield f"{program} is not installed: docs/how-to/deploy.md, Requirements"
    backend = environment.settings.state.backend
    for state in left_behind(environment) if backend != "local" else ():
        yield f"state.backend = {backend!r}, but {state}: docs/how-to/share-state.md carries it over"
    for variable in ("CDK_CLI", "CHAT_PROBE"):
        try:
            shlex.split(os.environ.get(variable, ""))
        except ValueError as error:
            yield f"{variable}={os.environ[variable]!r}: must be a command: {error}"


def programs(what: str, environment: Environment) -> Iterator[str]:
    """What has to be installed; what only a private network needs is found out inside it."""
    yield os.environ.get("TERRAFORM_BINARY_NAME", "terraform")
    if what == "up":
        yield "az"
    if environment.settings.cluster.private_cluster_enabled:
        return
    yield "kubelogin"
    if what == "up":
        yield "kubectl"
        # It has more places to be than the PATH.
        yield helm() or "helm"


def left_behind(environment: Environment) -> Iterator[str]:
    """The files of a local state in which something is deployed."""
    for part in ("platform", "workloads"):
        path = ROOT / f"terraform.{environment.names.stack}-{part}.tfstate"
        if not path.exists() or not path.stat().st_size:
            continue
        try:
            resources = json.loads(path.read_text(encoding="utf-8"))["resources"]
        except (ValueError, KeyError, TypeError):
            yield f"{path.name} is no state that can be read"
        else:
            if resources:
                yield f"{path.name} says what is deployed"
