"""`python -m kaito_chat.laptop`: a model server and the chat application on this machine, until Ctrl-C."""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from types import FrameType

from kaito_chat.engine import CANNOT_RUN

ENGINES = ("embedded", "scripted")
CHAT_SERVER = (sys.executable, "-m", "kaito_chat")
POLL_SECONDS = 0.1
ENGINE_SECONDS = 2
# What suits a model of 135 million parameters on a CPU.
EMBEDDED = {
    "KAITO_CHAT_MAX_MODEL_LEN_TOKENS": "4096",
    "KAITO_CHAT_MAX_TOKENS": "512",
    "KAITO_CHAT_TEMPERATURE": "0.2",
}


def say(line: str) -> None:
    """Tell the person at the terminal."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


class Engine:
    """A model server as a child process; it ends with us, however we end.

    Attributes:
        name: Which one.
        port: Where it listens.
    """

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.port = port
        command = (sys.executable, "-m", f"kaito_chat.engine.{name}", "--port", str(port), "--with-parent")
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, process_group=0
        )

    @property
    def code(self) -> int | None:
        """Its exit code, once it has ended."""
        return self._process.poll()

    def end(self) -> None:
        """End it, and wait for that."""
        self._process.terminate()
        try:
            self._process.wait(ENGINE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()


class Laptop:
    """The chat server, with or without an engine of ours.

    Args:
        engine: The engine's name; `None` for a model server elsewhere.
    """

    def __init__(self, engine: str | None) -> None:
        self._engine = Engine(engine, _free_port()) if engine else None
        self._server: subprocess.Popen[bytes] | None = None
        self._signals: list[int] = []

    def run(self, environ: dict[str, str]) -> int:
        """Serve until the chat server ends, or the engine does.

        Args:
            environ: The chat server's environment, without the engine's address.

        Returns:
            The chat server's exit code; 1 if the engine ended first.
        """
        signal.signal(signal.SIGINT, self._forward)
        signal.signal(signal.SIGTERM, self._forward)
        if self._engine:
            environ = environ | {"KAITO_CHAT_ENDPOINT_URL": f"http://127.0.0.1:{self._engine.port}"}
        # In a process group of its own, or Ctrl-C would reach it twice: from the terminal and from us.
        server = subprocess.Popen(CHAT_SERVER, env=environ, process_group=0)  # noqa: S603 - our own program
        self._server = server
        for received in self._signals:  # before there was a server
            server.send_signal(received)
        try:
            while server.poll() is None:
                if not self._engine_well() and not self._signals:
                    server.terminate()
                    server.wait()
                    return 1
                time.sleep(POLL_SECONDS)
            return server.returncode if server.returncode >= 0 else 128 - server.returncode
        finally:
            if server.poll() is None:
                server.kill()
            if self._engine:
                self._engine.end()

    def _engine_well(self) -> bool:
        """Whether the engine runs; the scripted one takes the place of an embedded one that cannot."""
        engine = self._engine
        if engine is None or engine.code is None:
            return True
        if engine.name == "embedded" and engine.code == CANNOT_RUN:
            say("The embedded engine cannot run here; the scripted one answers instead.")
            engine.end()
            self._engine = Engine("scripted", engine.port)
            return True
        if not self._signals:
            say(f"The {engine.name} engine ended with exit code {engine.code}; ending the chat server too.")
        return False

    def _forward(self, received: int, _frame: FrameType | None) -> None:
        """Pass a signal on to the chat server: it drains on the first, and ends at once on the second."""
        self._signals.append(received)
        if self._server:
            self._server.send_signal(received)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment(arguments: argparse.Namespace, data_dir: str) -> dict[str, str]:
    """The chat server's environment: what is set already is kept, but for what the command line says."""
    usual = {"KAITO_CHAT_LOG_FORMAT": "text", "KAITO_CHAT_DATA_DIR": data_dir}
    if arguments.engine == "embedded":
        usual |= EMBEDDED
    environ = usual | dict(os.environ)
    if arguments.port is not None:
        environ["KAITO_CHAT_LISTEN_PORT"] = str(arguments.port)
    if arguments.endpoint:
        environ["KAITO_CHAT_ENDPOINT_URL"] = arguments.endpoint
    return environ


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m kaito_chat.laptop", description="Chat on this machine.")
    parser.add_argument("--engine", choices=(*ENGINES, "none"), help="what answers; default: embedded")
    parser.add_argument("--endpoint", metavar="URL", help="a model server elsewhere, instead of an engine")
    parser.add_argument("--port", type=int, help="where the page is; default: 8000")
    arguments = parser.parse_args()
    if arguments.endpoint and arguments.engine in ENGINES:
        parser.error("--endpoint is for --engine none: an engine has an address of its own")
    arguments.engine = arguments.engine or ("none" if arguments.endpoint else "embedded")
    if arguments.engine != "none" and os.environ.get("KAITO_CHAT_MODELS"):
        parser.error("KAITO_CHAT_MODELS is set: use --engine none, or unset it")
    return arguments


def main() -> int:
    """Run it; the chat server's exit code."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="kaito-chat-") as data_dir:
        laptop = Laptop(None if arguments.engine == "none" else arguments.engine)
        return laptop.run(_environment(arguments, data_dir))


if __name__ == "__main__":
    sys.exit(main())
