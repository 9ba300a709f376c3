"""Start our own programs from a process that has imported their libraries already.

A start of the chat application spends two seconds of CPU on imports. The fork server of `multiprocessing` spends them
once for each pytest process. Chainlit and our own modules are not among them: they read the environment when they are
imported, so that each program imports them anew.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

LIBRARIES = [
    "aiohttp",
    "alembic.command",
    "asyncpg",
    "azure.identity.aio",
    "fastapi",
    "httpx_aiohttp",
    "jwt",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.sdk.trace",
    "prometheus_client",
    "pydantic_settings",
    "pythonjsonlogger.json",
    "socketio",
    "sqlalchemy.ext.asyncio",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "uvloop",
    "watchfiles",
]
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(LIBRARIES)


class Forked:
    """A running program, with the part of the interface of `subprocess.Popen` that tests use.

    It writes both outputs to `log`, or its errors to another file, and runs in the folder of `log` or another one.
    """

    def __init__(
        self,
        module: str,
        arguments: list[str],
        environment: Mapping[str, str],
        log: Path,
        errors: Path | None = None,
        folder: Path | None = None,
    ) -> None:
        given = (module, arguments, dict(environment), log, errors, folder or log.parent)
        self._process = _SERVER.Process(target=_run, args=given, daemon=True, name=module)
        self._process.start()

    @property
    def pid(self) -> int:
        """The process id."""
        pid = self._process.pid
        assert pid is not None
        return pid

    def poll(self) -> int | None:
        """Return the exit status, None while the program runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the program and return its exit status.

        Raises:
            subprocess.TimeoutExpired: The program still runs.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the program, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # the fork server reaps the process before it reports its status
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


def finished(
    module: str, arguments: list[str], environment: Mapping[str, str], folder: Path, seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run `python -m module` in a folder until it ends; return its status and its outputs.

    Raises:
        subprocess.TimeoutExpired: The program still runs after `seconds`; it is ended.
    """
    with tempfile.TemporaryDirectory() as name:
        output, errors = Path(name) / "output", Path(name) / "errors"
        program = Forked(module, arguments, environment, output, errors, folder)
        try:
            code = program.wait(seconds)
        except subprocess.TimeoutExpired:
            program.kill()
            raise
        texts = [each.read_text(encoding="utf-8") for each in (output, errors)]
        return subprocess.CompletedProcess([module, *arguments], code, *texts)


def _run(
    module: str, arguments: list[str], environment: dict[str, str], log: Path, errors: Path | None, folder: Path
) -> None:
    """Run `python -m module` in this process, which has just been forked."""
    missing = [name for name in LIBRARIES if name not in sys.modules]
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, sys.stdout.fileno())
    if errors:
        os.close(output)
        output = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, sys.stderr.fileno())
    os.close(output)
    if missing:
        sys.exit(f"not imported by the fork server: {', '.join(missing)}")
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
