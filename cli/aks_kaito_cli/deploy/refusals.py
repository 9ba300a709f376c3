"""Checks before a deployment, a destruction or a release: arguments, programs, state files, values."""

import json
import re
import shutil
from collections.abc import Iterator

from aks_kaito.settings import Environment
from aks_kaito.settings.problems import display_path
from aks_kaito.settings.rules import placeholders
from aks_kaito_cli.deploy import chart, programs
from aks_kaito_cli.pages import REQUIREMENTS, STATE
from aks_kaito_cli.project import PARTS, ROOT, environment_named, environments_folder, local_state, values_file
from aks_kaito_cli.shell import Shell

# The form of an image's tag.
# See: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
_TAG = r"[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}"
_DIGEST = r"sha256:[0-9a-f]{64}"


class RefusedError(Exception):
    """The command cannot begin; nothing was done."""


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
        )
    return _prepared(name, destroys=True)


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
        path = local_state(environment, part)
        if not path.exists() or not path.stat().st_size:
            continue
        try:
            resources = json.loads(path.read_text(encoding="utf-8"))["resources"]
        except (ValueError, KeyError, TypeError):
            yield f"{path.name} is not a readable state file"
        else:
            if resources:
                yield f"{path.name} lists deployed resources"
