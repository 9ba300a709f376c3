"""Model servers for laptops and tests: `scripted` with fixed answers, `embedded` with a small real model."""

import argparse
import os
import signal
import sys
import threading

CANNOT_RUN = 2  # the exit code of an engine that this machine cannot run


def command_line(module: str, description: str) -> argparse.ArgumentParser:
    """Return a parser of the options that both engines have."""
    parser = argparse.ArgumentParser(f"python -m {module}", description=description)
    parser.add_argument("--port", type=int, default=8001, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input closes")
    return parser


def announce(address: str) -> None:
    """Print the engine's address to standard output, for users and for programs that passed port 0."""
    sys.stdout.write(f"listening on {address}\n")
    sys.stdout.flush()


def end_with_parent() -> None:
    """Terminate this process when standard input closes, as happens when the parent process exits."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
