"""Child processes: start them, pass on what stops us, and report the ones that fail."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from types import FrameType
from typing import IO, NamedTuple

from aks_kaito.settings import Environment
from aks_kaito_cli.commands import Command
from aks_kaito_cli.commands.azure import Azure
from aks_kaito_cli.project import ROOT

# az asks before it installs an extension, such as the one for Grafana, and children have no keyboard.
_AZ = {"AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "yes_without_prompt"}
_CHUNK_BYTES = 65536


class Step(NamedTuple):
    """One command and its purpose.

    Attributes:
        name: The purpose, in a few words.
        command: The program and its arguments.
        hint: A command or a page that helps when it fails; empty where its output is enough.
        variables: Environment variables for this command only.
    """

    name: str
    command: Command
    hint: str = ""
    variables: dict[str, str] = {}  # noqa: RUF012 - a tuple's default is never changed

    def typed(self) -> str:
        """Return the command as a user would type it, with its variables."""
        return " ".join(
            [*(f"{key}={shlex.quote(value)}" for key, value in self.variables.items()), shlex.join(self.command)]
        )


class RefusedError(Exception):
    """The command is refused; nothing was changed."""


class BlockedError(RefusedError):
    """A check before the command says that it would fail; nothing was changed."""


class StepError(Exception):
    """A step failed.

    Attributes:
        hint: A command or a page that helps to find the cause.
        last_line: The last line that the command wrote to standard error, if it was captured.
    """

    def __init__(self, step: Step, reason: str, last_line: str = "") -> None:
        """Name the step and the reason."""
        self.hint = step.hint
        self.last_line = last_line
        super().__init__(f"{step.name}: {reason}{f': {last_line}' if last_line else ''}")

    def report(self) -> str:
        """Return the failure and the hint, as lines."""
        return f"\nFailed: {self}\n" + (f"Hint:   {self.hint}\n" if self.hint else "")


class MissingProgramError(StepError):
    """A step's program is not installed or cannot be started."""


class Shell:
    """Run commands for one environment, from the repository's root and without a keyboard.

    Each command runs in a process group of its own, so that a key in the terminal does not reach it directly. SIGHUP,
    SIGINT and SIGTERM are passed on as SIGINT, on which Terraform writes its state and Helm rolls back, and `run` and
    `ask` wait for the command's end before they raise KeyboardInterrupt. Only SIGINT is passed on more than once: a
    user who presses Ctrl-C twice ends Terraform at once, while CI systems send several SIGTERMs for one cancellation.

    There is no thread and no polling: Python runs signal handlers while the main thread waits in read() or waitpid(),
    and resumes the wait afterwards (PEP 475).
    """

    def __init__(self, environment: Environment, variables: Mapping[str, str] = os.environ) -> None:
        """Remember the environment and the process's variables."""
        self.environment = environment
        self.variables = variables
        subscription = environment.settings.subscription_id or variables.get("ARM_SUBSCRIPTION_ID")
        self.azure = Azure(environment, subscription)
        self._stops = 0
        self._passed_on = 0
        self._process: subprocess.Popen[bytes] | None = None

    def pass_on_signals(self) -> None:
        """Handle the signals that stop a deployment from now on; those that the parent process ignores stay ignored."""
        for each in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(each) is not signal.SIG_IGN:
                signal.signal(each, self._on_signal)
            elif each == signal.SIGINT:
                # Started in the background of a script. A child would inherit the ignored signal and so miss the SIGINT
                # that stands for our SIGTERM; a handler that does nothing becomes the default action in the child.
                signal.signal(each, _ignore)

    def selected_subscription(self) -> str:
        """Return the id of the subscription that az has selected: without a choice, az and Terraform use it.

        Raises:
            StepError: az is missing, or nobody is signed in.
        """
        return self.ask(Step("find the subscription", self.azure.current_subscription()))

    def run(self, step: Step) -> None:
        """Run a step and show its output.

        Raises:
            StepError: It could not be started, or ended with another exit status than 0.
            KeyboardInterrupt: A signal stopped us, and the step has ended.
        """
        print(f"== {step.name}: {step.typed()}", flush=True)
        # A pipe, not our own output: when a terminal is closed, the CDK's CLI would end at once, and with it Terraform.
        process = self._start(step, subprocess.STDOUT)
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        _copy(process.stdout)
        if self._wait(process):
            reason = f"{shlex.join(step.command)} ended with exit status {process.returncode}; its output is above"
            raise StepError(step, reason)

    def ask(self, step: Step, seconds: float | None = None) -> str:
        """Run a step and return its output without surrounding white space; end it after `seconds`, if given.

        Raises:
            StepError: As in `run`, with the last line of its standard error; or there was no answer in time.
            KeyboardInterrupt: A signal stopped us, and the step has ended.
        """
        process = self._start(step, subprocess.PIPE)
        try:
            output, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _kill(process)
            raise StepError(step, f"{shlex.join(step.command)} gave no answer in {seconds:g} seconds") from None
        except KeyboardInterrupt:
            # Without handlers of signals, the child would go on: it is in a process group of its own.
            _kill(process)
            raise
        if self._wait(process):
            lines = errors.decode(errors="replace").strip().splitlines()
            reason = f"{shlex.join(step.command)} ended with exit status {process.returncode}"
            raise StepError(step, reason, lines[-1] if lines else "")
        return output.decode().strip()

    def _start(self, step: Step, errors: int) -> subprocess.Popen[bytes]:
        if self._stops:
            raise KeyboardInterrupt
        chosen = {"AKS_KAITO_ENV": self.environment.name, "CHECKPOINT_DISABLE": "1"}
        try:
            self._process = subprocess.Popen(
                step.command,
                bufsize=0,
                cwd=ROOT,
                env={**self.variables, **_AZ, **chosen, **step.variables},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                process_group=0,
            )
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            reason = "is not installed" if missing else f"cannot be started: {error.strerror}"
            raise MissingProgramError(step, f"{step.command[0]} {reason}") from None
        self._interrupt()  # for a signal that came while the process was started
        return self._process

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for a process and return its exit status; raise KeyboardInterrupt after a signal."""
        status = process.wait()
        self._process = None
        if self._stops:
            raise KeyboardInterrupt
        return status

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if not self._stops or number == signal.SIGINT:
            self._stops += 1
            self._interrupt()

    def _interrupt(self) -> None:
        """Interrupt the running process once for each stop; a process that comes later is not started at all."""
        while self._process is not None and self._passed_on < self._stops:
            self._passed_on += 1
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGINT)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process with its children, and close its pipes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Handle a signal by doing nothing."""


def _copy(output: IO[bytes]) -> None:
    """Write a process's output to ours; after our reader has gone, read on, so that the process is not blocked."""
    heard = True
    with output:
        while chunk := output.read(_CHUNK_BYTES):
            if not heard:
                continue
            try:
                sys.stdout.buffer.write(chunk)
                sys.stdout.buffer.flush()
            except OSError:
                heard = False
