"""Terraform's states of an environment: read them, and empty one whose resources are gone."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aks_kaito import state
from aks_kaito.settings import Environment
from aks_kaito.state import PARTS, Part
from aks_kaito_cli.commands.terraform import Terraform
from aks_kaito_cli.deploy import programs
from aks_kaito_cli.pages import STATE
from aks_kaito_cli.project import local_state
from aks_kaito_cli.shell import RefusedError, Shell, Step

# One resource or data source of a state, as Terraform writes it.
Resource = dict[str, Any]
States = dict[Part, list[Resource]]


class UnreadableStateError(RefusedError):
    """The text of a state is not one of Terraform's."""


def place(environment: Environment, part: Part) -> str:
    """Return the place of a stack's state, for messages."""
    if environment.settings.state.backend == "local":
        return local_state(environment, part).name
    return f"{state.key(environment, part)} in the container {environment.settings.state.container_name}"


def read_all(shell: Shell) -> States:
    """Return the resources and data sources that the states of both stacks list.

    Raises:
        StepError: The backend cannot be reached.
        UnreadableStateError: A state is damaged.
    """
    return {part: read(shell, part) for part in PARTS}


def read(shell: Shell, part: Part) -> list[Resource]:
    """Return the resources and data sources of one state; none if it does not exist."""
    if shell.environment.settings.state.backend == "local":
        return read_local(shell.environment, part)
    with _terraform(shell, part) as terraform:
        text = shell.ask(Step(f"read the state of the {part}", terraform.pull(), STATE))
    return _resources(text, place(shell.environment, part))


def read_local(environment: Environment, part: Part) -> list[Resource]:
    """Return the resources and data sources of a state file, also when another backend is configured."""
    path = local_state(environment, part)
    return _resources(path.read_text(encoding="utf-8", errors="replace") if path.exists() else "", path.name)


def managed(resources: list[Resource], kind: str) -> Iterator[dict[str, Any]]:
    """Yield the attributes of each deployed resource of a type."""
    yield from _attributes(resources, "managed", kind)


def looked_up(resources: list[Resource], kind: str) -> Iterator[dict[str, Any]]:
    """Yield the attributes of each data source of a type."""
    yield from _attributes(resources, "data", kind)


def empty(shell: Shell, part: Part) -> None:
    """Remove everything from a state, which changes no resource.

    Raises:
        StepError: The backend cannot be reached, or somebody holds the state's lock.
    """
    with _terraform(shell, part) as terraform:
        listed = shell.ask(Step(f"list the state of the {part}", terraform.addresses())).splitlines()
        if listed:
            shell.run(Step(f"empty the state of the {part}", terraform.forget(listed)))


@contextmanager
def _terraform(shell: Shell, part: Part) -> Iterator[Terraform]:
    """Yield a Terraform that is connected to a stack's backend and needs neither providers nor a synthesis."""
    environment = shell.environment
    backend: dict[str, Any] = {"local": {"path": str(local_state(environment, part))}}
    if environment.settings.state.backend == "azurerm":
        backend = {"azurerm": state.blob(environment, part)}
    with tempfile.TemporaryDirectory(prefix="aks-kaito-state-") as folder:
        Path(folder, "backend.tf.json").write_text(json.dumps({"terraform": {"backend": backend}}), encoding="utf-8")
        terraform = Terraform(programs.terraform(shell.variables), folder)
        shell.run(Step(f"open the state of the {part}", terraform.init(), STATE))
        yield terraform


def _resources(text: str, name: str) -> list[Resource]:
    if not text.strip():
        return []
    try:
        resources = json.loads(text)["resources"]
    except (ValueError, KeyError, TypeError):
        resources = None
    if not isinstance(resources, list) or not all(isinstance(each, dict) for each in resources):
        raise UnreadableStateError(f"{name} is not a readable state file")
    return resources


def _attributes(resources: list[Resource], mode: str, kind: str) -> Iterator[dict[str, Any]]:
    for resource in resources:
        if (resource.get("mode"), resource.get("type")) == (mode, kind):
            yield from (instance.get("attributes") or {} for instance in resource.get("instances", []))
