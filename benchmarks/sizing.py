"""Queueing at 10 to 10,000 users, simulated; and the simulation against a real engine on this machine's CPU.

`python benchmarks/sizing.py` prints the table of docs/explanation/sizing.md. `--engine` starts the chat's embedded
engine (llama.cpp, two answers at once), measures one and two streams, simulates 4 and 8 users with these figures, and
lets as many users ask the engine. It needs `make chat` once, and Linux. Time is the engine's own (the processor's time
that it got), so that other work on the machine does not count.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "cli"), str(ROOT / "constructs"), str(ROOT / "benchmarks")]

from aks_kaito.models import sizes  # noqa: E402
from aks_kaito.models.tables import KAITO  # noqa: E402
from aks_kaito_cli.sizing import hardware  # noqa: E402
from aks_kaito_cli.sizing.assumptions import Assumptions  # noqa: E402
from aks_kaito_cli.sizing.chat_pods import pods_for  # noqa: E402
from aks_kaito_cli.sizing.load import SECONDS_PER_HOUR  # noqa: E402
from aks_kaito_cli.sizing.replicas import Target, smallest  # noqa: E402
from aks_kaito_cli.sizing.simulation import Fleet, Outcome, share, simulate  # noqa: E402
from aks_kaito_cli.sizing.speed import Speed  # noqa: E402

USERS = (10, 100, 1000, 10_000)
# The model and the size of environments/dev.toml.
PRESET, SIZE = "phi-4-mini-instruct", "Standard_NV36ads_A10_v5"
HEADINGS = (
    "Users",
    "asking in the busiest hour",
    "Replicas",
    "Questions",
    "First text p50, s",
    "p95, s",
    "Running, mean / most",
    "Waiting, mean / most",
    "Tokens/s",
    "Lost",
)


def main() -> int:
    """Print the table, or compare with the engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="store_true", help="compare the simulation with the embedded engine")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of --engine")
    arguments = parser.parse_args()
    if not arguments.engine:
        print("\n".join(table()))
        return 0
    import sizing_engine  # noqa: PLC0415 (next to this file)

    for line in sizing_engine.compare(arguments.rounds):
        print(line, flush=True)
    return 0


def table() -> Iterator[str]:
    """Yield the lines of the table, in Markdown: each number of users with one replica, and with enough."""
    yield row(HEADINGS)
    yield row(["---:"] * len(HEADINGS))
    speed = model_speed()
    for users in USERS:
        assumed = Assumptions(users)
        load = assumed.load_of(1.0)
        needed = smallest(load, speed, Target()).replicas
        for replicas in sorted({1, needed}):
            outcome = simulate(load, Fleet(speed, replicas, pods_for(load.users)), SECONDS_PER_HOUR)
            yield row([f"{users:,}", f"{load.users:,}", str(replicas), *cells(outcome)])


def model_speed() -> Speed:
    """Return the speed of the table's model."""
    preset, size = KAITO["0.6.0"].find(PRESET), sizes.hardware(SIZE)
    speed = hardware.of_model(preset.model, size, 1) if preset and size else None
    if speed is None:
        raise SystemExit(f"{PRESET} on {SIZE} has no public figures")
    return speed


def cells(found: Outcome) -> list[str]:
    """Return the cells of an outcome."""
    return [
        f"{found.asked:,}",
        f"{share(found.first_text, 0.5):.2f}",
        f"{share(found.first_text, 0.95):.2f}",
        f"{found.running:.1f} / {found.most_running:,}",
        f"{found.waiting:.1f} / {found.most_waiting:,}",
        f"{found.tokens_per_second:,.0f}",
        f"{found.lost:,}",
    ]


def row(values: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    """Return a line of a table in Markdown."""
    return f"| {' | '.join(values)} |"


if __name__ == "__main__":
    sys.exit(main())
