"""Run `aks-kaito` in forks of a process that has imported its libraries already.

Most of the time of a short command goes into imports. The server pays for them once in each process of a test run. A
fork has the working directory, the environment, the arguments and the three streams that it is given, imports
`aks_kaito_cli` anew from its PYTHONPATH, and ends as every program does. Tests of signals, of streams that close and
of the interpreter's own variables start a genuine process instead.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_MODULE = "aks_kaito_cli"
# Libraries that it imports late, from its extras.
_LATE = ("azure.core.pipeline.policies", "azure.mgmt.core", "dns.resolver", "hcl2", "msal", "requests", "rich.progress")


class _Server:
    """The process that forks, and the connection to it."""

    def __init__(self) -> None:
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        with theirs:
            command = [sys.executable, __file__, str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=variables)

    def status(self, request: Mapping[str, Any], streams: Sequence[int], seconds: float) -> int:
        """Run a request; return its exit status, which is negative after a signal."""
        self._connection.settimeout(seconds)
        socket.send_fds(self._connection, [json.dumps(request).encode()], streams)
        pid = int(self._connection.recv(16))
        try:
            return int(self._connection.recv(16))
        except TimeoutError as error:
            with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
                os.kill(pid, signal.SIGKILL)
            stop()
            raise subprocess.TimeoutExpired(request["arguments"], seconds) from error

    def stop(self) -> None:
        """Close the connection, which ends the server."""
        self._connection.close()
        self._process.wait(20)


_SERVERS: list[_Server] = []
_ONE_AT_A_TIME = threading.Lock()


def stop() -> None:
    """End the server if it runs."""
    while _SERVERS:
        _SERVERS.pop().stop()


def run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    cwd: Path | None = None,
    stdin: int | None = None,
    seconds: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run `aks-kaito` as `subprocess.run` would; without `stdin` there is nothing to read.

    Raises:
        subprocess.TimeoutExpired: It takes longer than `seconds`.
    """
    request = {"arguments": [*arguments], "environment": {**environment}, "cwd": str(cwd or Path.cwd())}
    with (
        _ONE_AT_A_TIME,
        tempfile.TemporaryFile("w+", encoding="utf-8") as output,
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
        Path(os.devnull).open(encoding="utf-8") as nothing,
    ):
        if not _SERVERS:
            _SERVERS.append(_Server())
        streams = [nothing.fileno() if stdin is None else stdin, output.fileno(), errors.fileno()]
        status = _SERVERS[0].status(request, streams, seconds)
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess([_MODULE, *arguments], status, output.read(), errors.read())


def _serve(connection: socket.socket) -> dict[str, Any] | None:
    """Return a request in a process of its own, and None at the end of the server."""
    while True:
        text, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
        if not text:
            return None
        pid = os.fork()
        if pid == 0:
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            connection.close()
            found: dict[str, Any] = json.loads(text)
            return found
        for stream in streams:
            os.close(stream)
        connection.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(request: dict[str, Any], path: list[str]) -> None:
    """Be the program of a request, as after its start."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    added = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    sys.path[:] = [request["cwd"], *added, *path]
    sys.argv = [_MODULE, *request["arguments"]]
    importlib.invalidate_caches()
    # As the module `site` does at a start: a test may change the host's name there.
    with contextlib.suppress(ModuleNotFoundError):
        importlib.import_module("sitecustomize")
    runpy.run_module(_MODULE, run_name="__main__", alter_sys=True)


def _main() -> None:
    path = sys.path[1:]
    sys.path[:] = path
    for name in (f"{_MODULE}.app", *_LATE):
        importlib.import_module(name)
    for name in [each for each in sys.modules if each.partition(".")[0] == _MODULE]:
        del sys.modules[name]
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        request = _serve(connection)
    if request:
        _become(request, path)


if __name__ == "__main__":
    _main()
