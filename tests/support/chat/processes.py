"""Programs of this repository as processes on loopback."""

import os
import secrets
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil

from support.chat.warm import Forked
from support.project import ROOT

READY_SECONDS = 30
# Without it, each request would load the system's certificates, which takes longer than the request.
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Running(NamedTuple):
    """A running program.

    Attributes:
        management: Where its probes and metrics are.
    """

    url: str
    process: Forked | subprocess.Popen[bytes]
    log: Path
    management: str = ""

    def metrics(self) -> str:
        return get(self.management + "/metrics").raise_for_status().text

    def metric(self, name: str) -> float:
        """Return the value of a metric without labels."""
        return next(float(line.split()[1]) for line in self.metrics().splitlines() if line.startswith(name + " "))

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def measure(self) -> psutil.Process:
        return psutil.Process(self.process.pid)

    def stop(self, seconds: float = 20) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


def get(url: str) -> httpx.Response:
    """Return the response of a program on loopback."""
    return httpx.get(url, verify=_NO_CERTIFICATES)


def free_port() -> int:
    """Return a port that no other process gets meanwhile: the system gives connections those above."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def program(
    arguments: list[str],
    port: int,
    log: Path,
    environment: Mapping[str, str] | None = None,
    python: str = "",
    ready: str = "/livez",
    management: int = 0,
) -> Iterator[Running]:
    """Run a program until the end of the block; `ready` is its health probe path on the management port.

    `arguments` are `-m`, a module and its own arguments. Unless `python` names an interpreter, the program is forked
    from a process that has imported its libraries.
    """
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join((str(ROOT / "app"), str(ROOT / "tests"))),
        "HOME": str(log.parent),
        **(environment or {}),
    }
    process = _started(arguments, environ, log, python)
    running = Running(f"http://127.0.0.1:{port}", process, log, f"http://127.0.0.1:{management or port}")
    try:
        wait_for(running, ready)
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)


def _started(
    arguments: list[str], environ: Mapping[str, str], log: Path, python: str
) -> Forked | subprocess.Popen[bytes]:
    if not python:
        switch, module, *rest = arguments
        assert switch == "-m"
        return Forked(module, rest, environ, log)
    with log.open("wb") as output:
        return subprocess.Popen([python, *arguments], env=environ, stdout=output, stderr=output, cwd=log.parent)


def wait_for(running: Running, path: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        assert running.process.poll() is None, running.text()
        try:
            if get(running.management + path).status_code < 500:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise TimeoutError(running.text())


@contextmanager
def chat(endpoint: str, folder: Path, python: str = "", **settings: str) -> Iterator[Running]:
    """Run the chat application in front of an endpoint."""
    port = int(settings.get("listen_port") or free_port())
    name = f"chat-{port}"
    management = free_port()
    environment = {
        "KAITO_CHAT_LISTEN_PORT": str(port),
        "KAITO_CHAT_MANAGEMENT_PORT": str(management),
        "KAITO_CHAT_DATA_DIR": str(folder / name),
        "KAITO_CHAT_WARM_UP_POLL_SECONDS": "0.3",
        **({"KAITO_CHAT_ENDPOINT_URL": endpoint} if endpoint else {}),
        **{f"KAITO_CHAT_{key.upper()}": value for key, value in settings.items()},
    }
    log = folder / f"{name}.log"
    with program(["-m", "kaito_chat"], port, log, environment, python, management=management) as running:
        yield running


@contextmanager
def engine(folder: Path, port: int = 0, token_milliseconds: float = 5) -> Iterator[Running]:
    """Run the scripted engine."""
    port = port or free_port()
    arguments = ["-m", "kaito_chat.engine.scripted", "--port", str(port)]
    arguments += ["--token-milliseconds", str(token_milliseconds)]
    with program(arguments, port, folder / f"engine-{port}.log", ready="/health") as running:
        yield running


@contextmanager
def misbehaving(folder: Path) -> Iterator[Running]:
    """Run the model server with faults on demand: `support.chat.fakes.faults`."""
    port = free_port()
    arguments = ["-m", "support.chat.fakes.faults", "--port", str(port)]
    with program(arguments, port, folder / f"faults-{port}.log", ready="/open") as running:
        yield running
