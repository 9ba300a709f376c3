"""`make demo`: show the whole story in one terminal, without a cloud."""

import argparse
import math
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from demo.chapters import APPLICATION_PYTHON, Story
from demo.stage import Stage


def main() -> int:
    """Show all chapters; exit status 0, 1 if one did not end as it should, or 130 after Ctrl-C."""
    parser = argparse.ArgumentParser("make demo", description="The whole story in one terminal, without a cloud.")
    parser.add_argument("--speed", type=_speed, default=1, help="times faster than for a reader; 0: without pauses")
    parser.add_argument(
        "--engine", choices=("embedded", "scripted"), default="embedded", help="the chat's model server"
    )
    options = parser.parse_args()
    if not APPLICATION_PYTHON.exists():
        print("make demo installs the chat application's environment (.venv-app) first", file=sys.stderr)
        return 2
    stage = Stage(options.speed)
    try:
        with tempfile.TemporaryDirectory(prefix="aks-kaito-demo-") as folder:
            ends = list(Story(stage, Path(folder), options.engine).chapters())
    except KeyboardInterrupt:
        print("\nThe demonstration was stopped.", file=sys.stderr)
        return 128 + signal.SIGINT
    stage.say("\nNothing was deployed: Azure, the cluster and the price list were recorded answers on this machine.")
    return int(any(ends))


def _speed(text: str) -> float:
    """Return a speed that can divide a pause.

    Raises:
        ArgumentTypeError: It is negative, infinite or no number.
    """
    with suppress(ValueError):
        if 0 <= (speed := float(text)) < math.inf:
            return speed
    raise argparse.ArgumentTypeError(f"{text!r} must be a number from 0 on")


if __name__ == "__main__":
    sys.exit(main())
