"""Steps of a deployment: one command each, run from the repository, and what to say when one fails."""

import os
import shlex
import subprocess
from pathlib import Path
from typing import NamedTuple

from aks_kaito.settings import Environment

ROOT = Path(__file__).parents[1]
# az asks before it installs an extension, such as the one for Grafana; nobody is there to answer.
_AZ = {"AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "yes_without_prompt"}


class Step(NamedTuple):
    """One command, and what it is for.

    Attributes:
        name: What it does, in a few words.
        command: The program and its arguments.
        look: A command that shows more when it fails, or what to check; empty where its output says enough.
        variables: What it finds in its environment beside ours.
    """

    name: str
    command: tuple[str, ...]
    look: str = ""
    variables: dict[str, str] = {}  # noqa: RUF012 - a tuple's default is never changed


class StepError(Exception):
    """A step failed; `look` says where to look."""

    def __init__(self, step: Step, reason: str) -> None:
        """Say which step failed and why."""
        self.look = step.look
        super().__init__(f"{step.name}: {reason}")


def az(environment: Environment, *arguments: str) -> tuple[str, ...]:
    """A command of the Azure CLI, in the environment's own subscription if it names one."""
    subscription = environment.settings.subscription_id
    return ("az", *arguments, *(("--subscription", subscription) if subscription else ()))


def run(step: Step, environment: Environment) -> None:
    """Run a step for everybody to see.

    Raises:
        StepError: It could not be started, or ended with another exit status than 0.
    """
    print(f"== {step.name}: {shlex.join(step.command)}", flush=True)
    done = _done(step, environment, None)
    if done.returncode:
        reason = f"{shlex.join(step.command)} ended with exit status {done.returncode}; what it said is above"
        raise StepError(step, reason)


def ask(step: Step, environment: Environment) -> str:
    """Run a step for its answer, which is returned without white space around it.

    Raises:
        StepError: As in `run`, with the last line that it said.
    """
    done = _done(step, environment, subprocess.PIPE)
    if done.returncode:
        said = (done.stderr or "").strip().splitlines()
        last = f": {said[-1]}" if said else ""
        raise StepError(step, f"{shlex.join(step.command)} ended with exit status {done.returncode}{last}")
    return (done.stdout or "").strip()


def _done(step: Step, environment: Environment, output: int | None) -> subprocess.CompletedProcess[str]:
    variables = os.environ | _AZ | {"AKS_KAITO_ENV": environment.name, "CHECKPOINT_DISABLE": "1"} | step.variables
    try:
        return subprocess.run(
            step.command, cwd=ROOT, env=variables, check=False, text=True, stdout=output, stderr=output
        )
    except FileNotFoundError:
        raise StepError(step, f"{step.command[0]} is not installed") from None
