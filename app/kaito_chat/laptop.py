"""`python -m kaito_chat.laptop`: run a model server and the chat application on this machine until Ctrl-C."""

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
# Suits a model of 135 million parameters on a CPU.
EMBEDDED = {
    "KAITO_CHAT_MAX_MODEL_LEN_TOKENS": "4096",
    "KAITO_CHAT_MAX_TOKENS": "512",
    "KAITO_CHAT_TEMPERATURE": "0.2",
}


def say(line: str) -> None:
    """Write a line to standard error at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


class Engine:
    """A model server as a child process that exits with this one, even when this one is killed.

    Attributes:
        name: `embedded` or `scripted`.
        port: The TCP port that it listens on.
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
        """The exit code; `None` while the process runs."""
        return self._process.poll()

    def end(self) -> None:
        """Terminate the process and wait until it has exited."""
        self._process.terminate()
        try:
            self._process.wait(ENGINE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()


class Laptop:
    """The chat server, with an optional engine.

    Args:
        engine: The engine's name; `None` for an external model server.
    """

    def __init__(self, engine: str | None) -> None:
        self._engine = Engine(engine, _free_port()) if engine else None
        self._server: subprocess.Popen[bytes] | None = None
        self._signals: list[int] = []

    def run(self, environ: dict[str, str]) -> int:
        """Run until the chat server or the engine exits.

        Args:
            environ: The chat server's environment, without the engine's URL.

        Returns:
            The chat server's exit code; 1 if the engine exited first.
        """
        signal.signal(signal.SIGINT, self._forward)
        signal.signal(signal.SIGTERM, self._forward)
        if self._engine:
            environ = environ | {"KAITO_CHAT_ENDPOINT_URL": f"http://127.0.0.1:{self._engine.port}"}
        # In a process group of its own: otherwise Ctrl-C reaches it twice, from the terminal and from this process.
        server = subprocess.Popen(CHAT_SERVER, env=environ, process_group=0)  # noqa: S603 - our own program
        self._server = server
        for received in self._signals:  # that arrived before the server was started
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
        """Return whether the engine runs; replace an embedded engine that cannot run here by the scripted one."""
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
        """Forward a signal to the chat server, which drains on the first and exits at once on the second."""
        self._signals.append(received)
        if self._server:
            self._server.send_signal(received)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment(arguments: argparse.Namespace, data_dir: str) -> dict[str, str]:
    """Return the chat server's environment: options take precedence over variables, variables over defaults."""
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
    parser.add_argument("--engine", choices=(*ENGINES, "none"), help="model server to start; default: embedded")
    parser.add_argument("--endpoint", metavar="URL", help="use this model server instead of an engine")
    parser.add_argument("--port", type=int, help="port of the page; default: 8000")
    arguments = parser.parse_args()
    if arguments.endpoint and arguments.engine in ENGINES:
        parser.error("--endpoint is for --engine none: an engine has an address of its own")
    arguments.engine = arguments.engine or ("none" if arguments.endpoint else "embedded")
    if arguments.engine != "none" and os.environ.get("KAITO_CHAT_MODELS"):
        parser.error("KAITO_CHAT_MODELS is set: use --engine none, or unset it")
    return arguments


def main() -> int:
    """Run the application and return the chat server's exit code."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="kaito-chat-") as data_dir:
        laptop = Laptop(None if arguments.engine == "none" else arguments.engine)
        return laptop.run(_environment(arguments, data_dir))


if __name__ == "__main__":
    sys.exit(main())
