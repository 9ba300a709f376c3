"""Steps of a deployment: one command each, run from the repository, and what to say when one fails."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, NamedTuple

from aks_kaito.settings import Environment, load

ROOT = Path(__file__).parents[1]
# az asks before it installs an extension, such as the one for Grafana; nobody is there to answer.
_AZ = {"AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "yes_without_prompt"}
_LOOK_SECONDS = 0.1
_CHUNK_BYTES = 65536
# The signals that we were told to stop by, and how many of them each process has been told of.
_stops: list[int] = []
_told: dict[int, int] = {}


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

    def report(self) -> str:
        """What failed, and where to look."""
        return f"\nFailed: {self}\n" + (f"Look:   {self.look}\n" if self.look else "")


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


def stop_in_order() -> None:
    """Take a key, a closed terminal and a cancelled pipeline for a wish to stop, which `run` and `ask` pass on.

    Whoever presses the key twice means it: Terraform then ends at once.
    """

    def stop(which: int, _frame: object) -> None:
        if not _stops or which == signal.SIGINT:
            _stops.append(which)

    for each in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, stop)


def run(step: Step, environment: Environment) -> None:
    """Run a step for everybody to see; it cannot be asked or told anything.

    Raises:
        StepError: It could not be started, or ended with another exit status than 0.
        KeyboardInterrupt: We were stopped, and it has ended.
    """
    print(f"== {step.name}: {step.typed()}", flush=True)
    # Not our own output: a closed terminal would end the CDK's CLI in the middle, and with it Terraform.
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as said:
        process = _begun(step, environment, said, said)
    copying = threading.Thread(target=_copy, args=(reading,))
    copying.start()
    while copying.is_alive():
        copying.join(_LOOK_SECONDS)
        _pass_on(process)
    while process.poll() is None:
        time.sleep(_LOOK_SECONDS)
        _pass_on(process)
    if _stops:
        raise KeyboardInterrupt
    if process.returncode:
        reason = f"{shlex.join(step.command)} ended with exit status {process.returncode}; what it said is above"
        raise StepError(step, reason)


def ask(step: Step, environment: Environment) -> str:
    """Run a step for its answer, which is returned without white space around it.

    Raises:
        StepError: As in `run`, with the last line that it said.
        KeyboardInterrupt: We were stopped, and it has ended.
    """
    process = _begun(step, environment, subprocess.PIPE, subprocess.PIPE)
    while True:
        try:
            said, complained = process.communicate(timeout=_LOOK_SECONDS)
            break
        except subprocess.TimeoutExpired:
            _pass_on(process)
    if _stops:
        raise KeyboardInterrupt
    if process.returncode:
        lines = complained.strip().splitlines()
        reason = f"{shlex.join(step.command)} ended with exit status {process.returncode}"
        raise StepError(step, reason, lines[-1] if lines else "")
    return said.strip()


def _begun(
    step: Step, environment: Environment, output: IO[bytes] | int, errors: IO[bytes] | int
) -> subprocess.Popen[str]:
    """Start a step in a group of its own: only we tell it to stop, and once for each time that we were told."""
    if _stops:
        raise KeyboardInterrupt
    variables = os.environ | _AZ | {"AKS_KAITO_ENV": environment.name, "CHECKPOINT_DISABLE": "1"} | step.variables
    try:
        return subprocess.Popen(
            step.command,
            cwd=ROOT,
            env=variables,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            process_group=0,
        )
    except OSError as error:
        reason = "is not installed" if isinstance(error, FileNotFoundError) else f"cannot be started: {error.strerror}"
        raise MissingProgramError(step, f"{step.command[0]} {reason}") from None


def _copy(reading: int) -> None:
    """Pass on what a step says. Where nobody hears it any more, it is still read, so that the step goes on."""
    heard = True
    with os.fdopen(reading, "rb", buffering=0) as said:
        while words := said.read(_CHUNK_BYTES):
            with contextlib.suppress(OSError):
                if heard:
                    heard = False
                    sys.stdout.buffer.write(words)
                    sys.stdout.buffer.flush()
                    heard = True


def _pass_on(process: subprocess.Popen[str]) -> None:
    """Tell a step to stop as often as we were told since."""
    told = _told.get(process.pid, 0)
    if len(_stops) > told:
        _told[process.pid] = len(_stops)
        # Terraform ends what it has begun, writes its state and unlocks it; Helm takes back what it began.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
