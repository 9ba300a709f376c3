"""Model servers for laptops and tests: one that follows a script, one with a small real model."""

import argparse
import os
import signal
import sys
import threading

CANNOT_RUN = 2  # the exit code of an engine that this machine cannot run


def command_line(module: str, description: str) -> argparse.ArgumentParser:
    """The options that both engines have."""
    parser = argparse.ArgumentParser(f"python -m {module}", description=description)
    parser.add_argument("--port", type=int, default=8001, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input closes")
    return parser


def announce(address: str) -> None:
    """Say where the engine listens, on standard output, for people and for programs that chose port 0."""
    sys.stdout.write(f"listening on {address}\n")
    sys.stdout.flush()


def end_with_parent() -> None:
    """End this process when standard input closes, as it does when the parent that holds the other end dies."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
