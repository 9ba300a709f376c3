"""Checks before a deployment, a destruction or a release: arguments, programs, state files, values."""

import re
import shutil
from collections.abc import Iterator

from aks_kaito.settings import Environment
from aks_kaito.settings.problems import display_path
from aks_kaito.settings.rules import placeholders
from aks_kaito.state import PARTS
from aks_kaito_cli.deploy import chart, losses, programs, states
from aks_kaito_cli.pages import REQUIREMENTS, STATE
from aks_kaito_cli.project import ROOT, environment_named, environments_folder, local_state, values_file
from aks_kaito_cli.shell import RefusedError, Shell, StepError

# The form of an image's tag.
# See: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
_TAG = r"[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}"
_DIGEST = r"sha256:[0-9a-f]{64}"


def shell_for_deploy(name: str, tag: str) -> Shell:
    """Check the arguments of a deployment and the machine.

    Raises:
        RefusedError: The tag is malformed, or something is missing.
        SettingsError: The environment's file is missing or invalid.
    """
    if not re.fullmatch(_TAG, tag):
        raise RefusedError(f"TAG={tag!r}: must be a tag for the image, such as 0.2.0")
    return _prepared(name, destroys=False)


def shell_for_destroy(name: str, confirmation: str) -> Shell:
    """Check the arguments of a destruction and the machine.

    Raises:
        RefusedError: The confirmation is another name, or something is missing.
        SettingsError: The environment's file is missing or invalid.
    """
    if confirmation != name:
        raise RefusedError(
            f"CONFIRM={confirmation!r}: must be {name!r}, the environment that is to be destroyed with all its data"
            f"{_data(Shell(environment_named(name)))}"
        )
    return _prepared(name, destroys=True)


def shell_for_plan(name: str) -> Shell:
    """Check the machine for a plan.

    Raises:
        RefusedError: Terraform is missing, or a variable is no command.
        SettingsError: The environment's file is missing or invalid.
    """
    shell = Shell(environment_named(name))
    program = programs.terraform(shell.variables)
    missing = [] if shutil.which(program) else [f"{program} is not installed: {REQUIREMENTS}"]
    if reasons := [*missing, *programs.broken_commands(shell.variables)]:
        raise RefusedError("\n".join(reasons))
    return shell


def shell_for_release(name: str, version: str) -> Shell:
    """Check the arguments of a release, the values of the last synthesis, and the machine.

    Raises:
        RefusedError: The tag or digest is malformed, or something is missing or outdated.
        SettingsError: The environment's file is missing or invalid.
    """
    if not re.fullmatch(f"{_TAG}|{_DIGEST}", version):
        raise RefusedError(
            f"TAG={version!r}: must be an image's tag, such as 0.2.0, or its digest, sha256:... with 64 digits"
        )
    shell = Shell(environment_named(name))
    values = values_file(shell.environment)
    if not values.exists():
        raise RefusedError(f"{values.relative_to(ROOT)} is missing: run `make synth ENV={name}` first")
    if not chart.is_current(shell.environment):
        raise RefusedError(f"{values.relative_to(ROOT)} does not match the settings: run `make synth ENV={name}`")
    if programs.helm(shell.variables) is None:
        raise RefusedError("helm is missing: make installs it on Linux (amd64), elsewhere install Helm")
    return shell


def _prepared(name: str, *, destroys: bool) -> Shell:
    shell = Shell(environment_named(name))
    reasons = [] if destroys else list(_placeholders(shell.environment))
    if reasons := [*reasons, *_unprepared(shell, destroys=destroys)]:
        raise RefusedError("\n".join(reasons))
    return shell


def _placeholders(environment: Environment) -> Iterator[str]:
    """Yield the placeholders that the environment's file still has."""
    path = display_path(environments_folder() / f"{environment.name}.toml")
    for problem in placeholders.found(environment.settings):
        yield f"{path}: {problem}"


def _unprepared(shell: Shell, *, destroys: bool) -> Iterator[str]:
    """Yield the reasons why nothing can begin in this environment, from this machine."""
    for program in programs.needed(shell, destroys=destroys):
        if shutil.which(program) is None:
            yield f"{program} is not installed: {REQUIREMENTS}"
    backend = shell.environment.settings.state.backend
    for state in _local_states(shell.environment) if backend != "local" else ():
        yield f"state.backend = {backend!r}, but {state}: migrate it first ({STATE})"
    yield from programs.broken_commands(shell.variables)


def _local_states(environment: Environment) -> Iterator[str]:
    """Yield a problem for each local state file that lists resources or cannot be read."""
    for part in PARTS:
        try:
            listed = states.read_local(environment, part)
        except states.UnreadableStateError as error:
            yield str(error)
        else:
            if listed:
                yield f"{local_state(environment, part).name} lists deployed resources"


def _data(shell: Shell) -> str:
    """Return the data that a destruction loses, for the end of a sentence."""
    try:
        lost = list(losses.lost(states.read_all(shell)))
    except (StepError, states.UnreadableStateError) as error:
        return f"\nIts state cannot be read: {error}"
    return "".join([":", *(f"\n  {line}" for line in lost)]) if lost else ""
