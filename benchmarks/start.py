"""Time, CPU and memory of the chat application's start: from the start of the process until `/readyz` answers 200.

`python benchmarks/start.py` measures this checkout without a history and with one in SQLite whose tables exist. Each
`--before FOLDER [--before-python PYTHON]` also measures the application of another checkout, with the interpreter of
its own environment. The kinds alternate; the first round, which compiles the modules, is not counted.
"""

import argparse
import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
READY_SECONDS = 60
LOOK_SECONDS = 0.002
KIB_PER_MIB = 1024
# An endpoint that refuses connections: the chat is ready without a model.
NO_MODEL = "http://127.0.0.1:9"
SIGN_IN = {
    "KAITO_CHAT_SIGN_IN": "password",
    "KAITO_CHAT_PASSWORD_USERS": '{"ada": "analytical"}',
    "KAITO_CHAT_AUTH_SECRET": "0" * 64,
}


@dataclass
class Kind:
    """One application with one configuration, and its measurements."""

    name: str
    checkout: Path
    python: Path
    variables: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    peak_mib: list[float] = field(default_factory=list)

    def run(self, folder: Path) -> None:
        """Start once, and end the process as soon as it is ready.

        Raises:
            SystemExit: The process ends or does not become ready.
        """
        port, management = free_ports()
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self.checkout / "app"),
            "HOME": str(folder),
            "KAITO_CHAT_ENDPOINT_URL": NO_MODEL,
            "KAITO_CHAT_LISTEN_PORT": str(port),
            "KAITO_CHAT_MANAGEMENT_PORT": str(management),
            "KAITO_CHAT_DATA_DIR": tempfile.mkdtemp(dir=folder),  # as in a new container
            **self.variables,
        }
        with (folder / "log").open("w+") as log:
            began = time.perf_counter()
            process = subprocess.Popen(
                [self.python, "-m", "kaito_chat"], cwd=folder, env=environ, stdout=log, stderr=log
            )
            while not ready(management):
                ended = process.poll() is not None
                if ended or time.perf_counter() - began > READY_SECONDS:
                    process.kill()
                    log.seek(0)
                    raise SystemExit(f"{self.name} does not become ready:\n{log.read()}")
                time.sleep(LOOK_SECONDS)
            self.seconds.append(time.perf_counter() - began)
            process.kill()
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = 0
        self.cpu_seconds.append(usage.ru_utime + usage.ru_stime)
        self.peak_mib.append(usage.ru_maxrss / KIB_PER_MIB)


def free_ports() -> tuple[int, int]:
    """Return two free ports of the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


def ready(port: int) -> bool:
    """Return whether the management port answers `/readyz` with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READY_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--before", type=Path, action="append", default=[], metavar="FOLDER", help="another checkout")
    parser.add_argument("--before-python", type=Path, action="append", default=[], metavar="PYTHON", help="its own")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="this checkout's")
    arguments = parser.parse_args()
    pythons = [*arguments.before_python, *[arguments.python] * len(arguments.before)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds: list[Kind] = []
        for checkout, python in [*zip(arguments.before, pythons, strict=False), (ROOT, arguments.python)]:
            label = "this checkout" if checkout == ROOT else str(checkout)
            database = {**SIGN_IN, "KAITO_CHAT_DATABASE_URL": f"sqlite:///{folder}/{len(kinds)}.db"}
            kinds.append(Kind(f"{label}, no history", checkout.absolute(), python.absolute()))
            kinds.append(Kind(f"{label}, SQLite", checkout.absolute(), python.absolute(), database))
        for number in range(arguments.rounds + 1):
            print(f"round {number} of {arguments.rounds}{'' if number else ' (not counted)'}", file=sys.stderr)
            for kind in kinds:
                kind.run(folder)
    for kind in kinds:
        del kind.seconds[0], kind.cpu_seconds[0], kind.peak_mib[0]
    show(kinds)
    return 0


def show(kinds: list[Kind]) -> None:
    """Print medians, and the ratios to the first checkout with the same configuration, of each round."""
    table = Table("", "s", "CPU s", "MiB", "duration", "CPU", "memory")
    for number, kind in enumerate(kinds):
        base = kinds[number % 2]
        values = (kind.seconds, kind.cpu_seconds, kind.peak_mib)
        ratios = [
            statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
            for ours, theirs in zip(values, (base.seconds, base.cpu_seconds, base.peak_mib), strict=True)
        ]
        s, cpu, mib = (statistics.median(each) for each in values)
        table.add_row(kind.name, f"{s:.2f}", f"{cpu:.2f}", f"{mib:.0f}", *(f"{ratio:.2f}" for ratio in ratios))
    Console(width=120).print(table)


if __name__ == "__main__":
    sys.exit(main())
