"""How many streams one core serves: `python benchmarks/chat.py --load`.

The application has a core of its own; the endpoint, which streams 30 tokens/s, and the pages have the others.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import uvloop
from rich.console import Console
from rich.table import Table

from chat_load import Direct, LightPage, Load, burst, steady
from support.chat.processes import Running, free_port, program

PEERS = Path(__file__).parent / "chat_peers"
STEADY, BURSTS = (50, 150, 300, 400), (50, 200)
SECONDS = 12.0
# Sessions that are opened, and left again, per cycle; the wait for their end, which the application checks every 5 s.
SESSIONS, CYCLES, SESSION_SECONDS, WAIT_SECONDS = 400, 4, 60, 68
# The load that must keep each goal.
MOST_STEADY, MOST_BURST = 300, 200
GOALS = {
    "300 streams: added to the first text p95, ms": 50.0,
    "300 streams: characters, of no application": 0.95,
    "200 at once: added to the first text p95, ms": 150.0,
    "200 at once: characters, of no application": 0.95,
    "memory of a session, MiB": 0.15,
    "memory that a session leaves, KiB": 1.0,
}


class Row(NamedTuple):
    """A load through the application, and the same load without one."""

    kind: str
    people: int
    ours: Load
    direct: Load

    @property
    def added_ms(self) -> float:
        """Milliseconds added to the 95th percentile of the time to the first text."""
        return (self.ours.p95 - self.direct.p95) * 1000

    @property
    def share(self) -> float:
        """Characters per second, of those without an application."""
        return self.ours.rate / self.direct.rate


@contextmanager
def served(root: Path, folder: Path, **settings: str) -> Iterator[tuple[Running, Running, Path]]:
    """Run the endpoint, and the application of a checkout; yield both, and the file of its garbage collections."""
    port, listen, management = free_port(), free_port(), free_port()
    pauses = folder / "pauses.json"
    environment = {
        "PYTHONPATH": str(root / "app"),
        "KAITO_CHAT_LISTEN_PORT": str(listen),
        "KAITO_CHAT_MANAGEMENT_PORT": str(management),
        "KAITO_CHAT_DATA_DIR": str(folder / "data"),
        "KAITO_CHAT_MAX_ANSWERS": "100000",
        "KAITO_CHAT_MAX_QUESTIONS_PER_MINUTE": "1000000",
        "PAUSES_FILE": str(pauses),
        **{f"KAITO_CHAT_{key.upper()}": value for key, value in settings.items()},
    }
    streams = [str(PEERS / "streams.py"), str(port)]
    watched = [str(PEERS / "watched.py")]
    with program(streams, port, folder / "endpoint.log", python=sys.executable, ready="/v1/models") as endpoint:
        environment["KAITO_CHAT_ENDPOINT_URL"] = endpoint.url
        log = folder / "chat.log"
        with program(watched, listen, log, environment, sys.executable, management=management) as app:
            pin(app.measure(), endpoint.measure())
            yield endpoint, app, pauses


def pin(app: psutil.Process, *others: psutil.Process) -> None:
    """Give the application a core of its own."""
    cores = sorted(os.sched_getaffinity(0))
    app.cpu_affinity(cores[:1])
    for each in (psutil.Process(), *others):
        each.cpu_affinity(cores[1:] or cores)


async def loads(root: Path) -> tuple[list[Row], dict[str, list[float]]]:
    """Return all loads through the application of a checkout, and its pauses by generation."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, served(root, Path(folder)) as (endpoint, app, pauses):
        await asyncio.sleep(2)

        def cpu() -> float:
            return float(sum(app.measure().cpu_times()[:2]))

        await burst(lambda: LightPage(app.url), 10, cpu)  # warm-up
        for people in BURSTS:
            direct = await burst(lambda: Direct(endpoint.url), people, cpu)
            rows.append(Row("at once", people, await burst(lambda: LightPage(app.url), people, cpu), direct))
        for people in STEADY:
            direct = await steady(lambda: Direct(endpoint.url), people, SECONDS, cpu)
            rows.append(Row("steady", people, await steady(lambda: LightPage(app.url), people, SECONDS, cpu), direct))
        app.stop()
        return rows, json.loads(pauses.read_text(encoding="utf-8"))


async def memory(root: Path) -> tuple[float, float]:
    """Return the MiB of a session that asked a question, and the KiB that it leaves after its timeout."""
    sizes: list[float] = []
    open_mib = 0.0
    short = {"session_timeout_seconds": str(SESSION_SECONDS), "disconnect_grace_seconds": "0"}
    with tempfile.TemporaryDirectory() as folder, served(root, Path(folder), **short) as (_, app, _pauses):
        await burst(lambda: LightPage(app.url), 10, lambda: 0.0)  # warm-up
        empty = app.measure().memory_info().rss
        for _ in range(CYCLES):
            pages = [LightPage(app.url) for _ in range(SESSIONS)]
            for page in pages:
                await page.open()
            await asyncio.gather(*(page.ask(lambda _characters: None) for page in pages))
            open_mib = open_mib or (app.measure().memory_info().rss - empty) / 2**20 / SESSIONS
            for page in pages:
                await page.vanish()
            await asyncio.sleep(WAIT_SECONDS)
            if sessions := app.metric("kaito_chat_sessions"):
                raise RuntimeError(f"{sessions:g} sessions are left after their timeout")
            sizes.append(app.measure().memory_info().rss / 1024)
    # The second cycle still adds memory that the allocator keeps for later ones.
    return open_mib, (sizes[-1] - sizes[1]) / SESSIONS / (CYCLES - 2)


def show(rows: list[Row], pauses: dict[str, list[float]]) -> None:
    """Print the loads."""
    table = Table("load", "streams", "first text p95, ms", "added, ms", "of direct", "CPU, of a core")
    for row in rows:
        cpu = row.ours.cpu_seconds / row.ours.window_seconds
        cells = (f"{row.ours.p95 * 1000:.0f}", f"{row.added_ms:+.0f}", f"{row.share:.3f}", f"{cpu:.2f}")
        table.add_row(row.kind, str(row.people), *cells)
    Console(width=100).print(table)
    for generation, found in pauses.items():
        print(f"garbage collections of generation {generation}: {len(found)}, at most {max(found, default=0):.0f} ms")


def judge(rows: list[Row], session_mib: float, left_kib: float) -> bool:
    """Print each goal, and return whether all are met."""
    found = {(row.kind, row.people): row for row in rows}
    stream, together = found["steady", MOST_STEADY], found["at once", MOST_BURST]
    values = (stream.added_ms, stream.share, together.added_ms, together.share, session_mib, left_kib)
    met = True
    for (name, goal), value in zip(GOALS.items(), values, strict=True):
        least = name.endswith("of no application")
        good = value >= goal if least else value <= goal
        met = met and good
        print(f"{'met   ' if good else 'MISSED'} {name}: {value:.3g} (goal {'≥' if least else '≤'} {goal:g})")
    return met


def main(root: Path, before: Path | None) -> bool:
    """Measure this checkout, and another one in front of it if there is one; return whether the goals are met."""
    if before:
        rows, pauses = uvloop.run(loads(before))
        print(f"the application of {before}:")
        show(rows, pauses)
    rows, pauses = uvloop.run(loads(root))
    show(rows, pauses)
    return judge(rows, *uvloop.run(memory(root)))
