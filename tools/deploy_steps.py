"""Steps of a deployment: one command each, run from the repository, and what to say when one fails."""

import contextlib
import os
import shlex
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

from aks_kaito.settings import Environment, load

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

    def typed(self) -> str:
        """The command as one would type it, with its variables."""
        return " ".join(
            [*(f"{key}={shlex.quote(value)}" for key, value in self.variables.items()), shlex.join(self.command)]
        )


class StepError(Exception):
    """A step failed; `look` says where to look, and `said` is the last line of what it said, if that was read."""

    def __init__(self, step: Step, reason: str, said: str = "") -> None:
        """Say which step failed and why."""
        self.look = step.look
        self.said = said
        super().__init__(f"{step.name}: {reason}{f': {said}' if said else ''}")


class MissingProgramError(StepError):
    """A step's program is not there, or cannot be started."""


def named(name: str) -> Environment:
    """The environment of a name.

    Raises:
        SettingsError: There is none, or its file is refused.
    """
    return load(Path(os.environ.get("AKS_KAITO_ENVIRONMENTS_DIR") or ROOT / "environments") / f"{name}.toml")


def subscription(environment: Environment) -> str | None:
    """The subscription that Terraform deploys to, if the file or the provider's variable names it; else az's own."""
    return environment.settings.subscription_id or os.environ.get("ARM_SUBSCRIPTION_ID")


def az(environment: Environment, *arguments: str) -> tuple[str, ...]:
    """A command of the Azure CLI, in the subscription that Terraform deploys to."""
    chosen = subscription(environment)
    return ("az", *arguments, *(("--subscription", chosen) if chosen else ()))


def run(step: Step, environment: Environment) -> None:
    """Run a step for everybody to see; it cannot be asked or told anything.

    Raises:
        StepError: It could not be started, or ended with another exit status than 0.
    """
    print(f"== {step.name}: {step.typed()}", flush=True)
    done = _done(step, environment, quiet=False)
    if done.returncode:
        reason = f"{shlex.join(step.command)} ended with exit status {done.returncode}; what it said is above"
        raise StepError(step, reason)


def ask(step: Step, environment: Environment) -> str:
    """Run a step for its answer, which is returned without white space around it.

    Raises:
        StepError: As in `run`, with the last line that it said; also without an answer where it has to have one.
    """
    done = _done(step, environment, quiet=True)
    if done.returncode:
        said = (done.stderr or "").strip().splitlines()
        reason = f"{shlex.join(step.command)} ended with exit status {done.returncode}"
        raise StepError(step, reason, said[-1] if said else "")
    return (done.stdout or "").strip()


def stop_in_order() -> None:
    """Take the signals of a closed terminal and of a cancelled pipeline for the key that stops a step."""
    for each in (signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, signal.default_int_handler)


def _done(step: Step, environment: Environment, *, quiet: bool) -> subprocess.CompletedProcess[str]:
    """Run a step in a group of its own, so that whoever stops us tells it once, through us.

    Raises:
        KeyboardInterrupt: We were stopped, and it has ended.
    """
    variables = os.environ | _AZ | {"AKS_KAITO_ENV": environment.name, "CHECKPOINT_DISABLE": "1"} | step.variables
    output = subprocess.PIPE if quiet else None
    try:
        process = subprocess.Popen(
            step.command,
            cwd=ROOT,
            env=variables,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )
    except OSError as error:
        reason = "is not installed" if isinstance(error, FileNotFoundError) else f"cannot be started: {error.strerror}"
        raise MissingProgramError(step, f"{step.command[0]} {reason}") from None
    stopped = None
    while True:
        try:
            said, complained = process.communicate()
            break
        except KeyboardInterrupt as key:
            # Terraform ends what it has begun, writes its state and unlocks it; told twice, it ends at once.
            stopped = key
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
    if stopped:
        raise stopped
    return subprocess.CompletedProcess(step.command, process.returncode, said, complained)
