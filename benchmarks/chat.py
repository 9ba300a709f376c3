"""Load test of the chat application, compared with KAITO's sample, the openai SDK, and direct requests.

`python benchmarks/chat.py` uses Chainlit's own protocol, against an endpoint with fixed timing. `--messages 10000`
measures memory instead, and `--load` the number of streams that one core serves. `--check` exits 1 if a goal is missed.
`--before FOLDER` also measures the application of another checkout.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import aiohttp
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "app"), str(ROOT / "tests")]

import chat_limits  # noqa: E402
from kaito_chat.chainlit_client import Page  # noqa: E402
from support.chat.processes import Running, chat, free_port, program  # noqa: E402

PEERS = ROOT / "benchmarks" / "chat_peers"
QUESTION = "tell me something"
OURS, SDK, SAMPLE, DIRECT = "this application", "openai SDK per token", "the sample's way", "no application"
BEFORE = "another checkout"
# The benchmark does not measure a replica's own limits.
UNLIMITED = {"max_answers": "100000", "max_questions_per_minute": "1000000"}
PEOPLE = {
    DIRECT: (1, 10, 50, 200),
    BEFORE: (1, 10, 50, 200),
    OURS: (1, 10, 50, 200),
    SDK: (1, 10, 50, 200),
    SAMPLE: (1, 10),
}


class Result(NamedTuple):
    """One round, in which every user asks one question at the same time."""

    first: list[float]
    seconds: float
    cpu: float
    mib: float

    @property
    def median(self) -> float:
        """The median time to the first text, in seconds."""
        return statistics.median(self.first)

    @property
    def p95(self) -> float:
        """The 95th percentile of the time to the first text, in seconds."""
        return sorted(self.first)[max(0, round(len(self.first) * 0.95) - 1)]

    @property
    def rate(self) -> float:
        """The number of answers per second."""
        return len(self.first) / self.seconds


async def directly(endpoint: Running, people: int) -> Result:
    """Ask the endpoint directly, with the client library that the pages use too."""
    body = {"messages": [{"role": "user", "content": QUESTION}], "stream": True}

    async def one(client: aiohttp.ClientSession) -> float:
        began, first = time.monotonic(), None
        async with client.post(endpoint.url + "/v1/chat/completions", json=body) as response:
            async for _ in response.content.iter_any():
                first = first or time.monotonic() - began
        return first or 0.0

    async def connected(client: aiohttp.ClientSession) -> None:
        async with client.get(endpoint.url + "/v1/models") as response:
            await response.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        await asyncio.gather(*(connected(client) for _ in range(people)))
        began = time.monotonic()
        first = await asyncio.gather(*(one(client) for _ in range(people)))
        return Result(list(first), time.monotonic() - began, 0, 0)


async def over(app: Running, people: int) -> Result:
    """Ask on the pages of an application."""
    process = app.measure()
    before = process.memory_info().rss
    pages = [Page(app.url) for _ in range(people)]
    for page in pages:
        await page.open()
    cpu = sum(process.cpu_times()[:2])
    began = time.monotonic()
    heard = await asyncio.gather(*(page.ask(QUESTION, 120) for page in pages))
    seconds = time.monotonic() - began
    spent = sum(process.cpu_times()[:2]) - cpu
    grown = (process.memory_info().rss - before) / 2**20
    for page in pages:
        await page.close()
    return Result([each.first_text_seconds or each.seconds for each in heard], seconds, spent, grown)


def peer(stack: ExitStack, name: str, endpoint: str, folder: Path) -> Running:
    """Start a minimal Chainlit application as `chainlit run` does, with the stand-ins of this one."""
    port = free_port()
    root = folder / name
    root.mkdir()
    environment = {"PEER_ENDPOINT": endpoint, "CHAINLIT_APP_ROOT": str(root), "PYTHONPATH": str(ROOT / "app")}
    started = "import kaito_chat; from chainlit.cli import cli; cli()"
    arguments = ["-c", started, "run", str(PEERS / f"{name}.py"), "--headless", "--port", str(port)]
    return stack.enter_context(program(arguments, port, root / "log", environment, sys.executable, ready="/health"))


def checkout(stack: ExitStack, root: Path, endpoint: str, folder: Path) -> Running:
    """Start the chat application of another checkout, in the virtual environment of this one."""
    port, management = free_port(), free_port()
    environment = {
        "PYTHONPATH": str(root / "app"),
        "KAITO_CHAT_LISTEN_PORT": str(port),
        "KAITO_CHAT_ENDPOINT_URL": endpoint,
        "KAITO_CHAT_DATA_DIR": str(folder / "checkout"),
    }
    if "management_port" in (root / "app/kaito_chat/settings/app.py").read_text(encoding="utf-8"):
        environment["KAITO_CHAT_MANAGEMENT_PORT"] = str(management)
    return stack.enter_context(
        program(["-m", "kaito_chat"], port, folder / "checkout.log", environment, sys.executable, ready="/login")
    )


def start(stack: ExitStack, before: Path | None) -> tuple[Running, dict[str, Running]]:
    """Start the endpoint and the applications in front of it."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    port = free_port()
    arguments = [str(PEERS / "endpoint.py"), str(port)]
    endpoint = stack.enter_context(
        program(arguments, port, folder / "endpoint.log", python=sys.executable, ready="/v1/models")
    )
    others = {BEFORE: checkout(stack, before, endpoint.url, folder)} if before else {}
    return endpoint, others | {
        OURS: stack.enter_context(chat(endpoint.url, folder, sys.executable, **UNLIMITED)),
        SDK: peer(stack, "sdk", endpoint.url, folder),
        SAMPLE: peer(stack, "sample", endpoint.url, folder),
    }


async def measure(rounds: int, before: Path | None) -> dict[tuple[str, int], Result]:
    """Measure all ways and sizes in turn; return the round of each with the median time to first text."""
    found: dict[tuple[str, int], list[Result]] = {}
    with ExitStack() as stack:
        endpoint, apps = start(stack, before)
        for app in apps.values():
            await over(app, 1)  # warm-up
        for turn in range(rounds):
            for way, sizes in PEOPLE.items():
                for people in sizes:
                    if (way == SAMPLE and turn) or way not in (DIRECT, *apps):
                        continue  # the sample takes twenty seconds, with little variation
                    result = await (directly(endpoint, people) if way == DIRECT else over(apps[way], people))
                    found.setdefault((way, people), []).append(result)
                    await asyncio.sleep(0.3)
    return {key: sorted(each, key=lambda one: one.median)[len(each) // 2] for key, each in found.items()}


def show(found: dict[tuple[str, int], Result]) -> bool:
    """Print the results and return whether every goal is met."""
    table = Table("way", "people", "first text p50", "p95", "answers/s", "of direct", "CPU s", "MiB per person")
    for (way, people), result in found.items():
        cpu, mib = (f"{result.cpu:.2f}", f"{result.mib / people:.2f}") if way != DIRECT else ("", "")
        share = result.rate / found[DIRECT, people].rate
        cells = (f"{result.median:.3f}", f"{result.p95:.3f}", f"{result.rate:.2f}", f"{share:.0%}", cpu, mib)
        table.add_row(way, str(people), *cells)
    console = Console(width=120)
    console.print(table)
    ours, sdk, sample, direct = (lambda n, w=way: found[w, n] for way in (OURS, SDK, SAMPLE, DIRECT))
    goals = [
        ("10 people: first text, times sooner than the sample's way", sample(10).median / ours(10).median, 50, True),
        ("10 people: throughput, times the sample's way", ours(10).rate / sample(10).rate, 9, True),
        ("50 people: added time to first token p95, ms", (ours(50).p95 - direct(50).p95) * 1000, 50, False),
        ("50 people: CPU of the SDK's way", ours(50).cpu / sdk(50).cpu, 0.6, False),
        ("50 people: throughput of direct", ours(50).rate / direct(50).rate, 0.9, True),
    ]
    if (BEFORE, 1) in found:
        for people in PEOPLE[BEFORE][1:]:  # one user takes less CPU time than can be measured
            ratio = found[OURS, people].cpu / found[BEFORE, people].cpu
            goals.append((f"{people} people: CPU of the other checkout's", ratio, 1.1, False))
            seconds = found[OURS, people].seconds / found[BEFORE, people].seconds
            goals.append((f"{people} people: time of the other checkout's", seconds, 1.1, False))
    met = True
    for name, value, goal, least in goals:
        good = value >= goal if least else value <= goal
        met = met and good
        console.print(f"{'met   ' if good else 'MISSED'} {name}: {value:.2f} (goal {'≥' if least else '≤'} {goal})")
    return met


async def remember(messages: int) -> bool:
    """Run many short conversations; return whether memory stops growing after the first tenth."""
    sizes: list[float] = []
    people = 20
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = free_port()
        arguments = [str(PEERS / "endpoint.py"), str(port)]
        endpoint = stack.enter_context(
            program(arguments, port, folder / "endpoint.log", python=sys.executable, ready="/v1/models")
        )
        app = stack.enter_context(chat(endpoint.url, folder, sys.executable, **UNLIMITED))
        process = app.measure()

        async def converse() -> None:
            page = Page(app.url)
            await page.open()
            for _ in range(10):
                await page.ask("hello")
            await page.close()

        for part in range(10):
            for _ in range(max(1, messages // 10 // 10 // people)):
                await asyncio.gather(*(converse() for _ in range(people)))
            sizes.append(process.memory_info().rss / 2**20)
            print(f"{(part + 1) * messages // 10} messages: {sizes[-1]:.1f} MiB", flush=True)
    growth = statistics.mean(sizes[-3:]) - statistics.mean(sizes[2:5])
    print(f"growth from the third to the last tenths: {growth:+.1f} MiB")
    return growth < 0.03 * sizes[2]


def main() -> int:
    """Measure and return the exit code: 1 with `--check` if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, help="measure memory over this number of messages instead")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="another checkout to measure as well")
    parser.add_argument("--load", action="store_true", help="measure steady streams and bursts on one core instead")
    options = parser.parse_args()
    if options.load:
        good = chat_limits.main(ROOT, options.before)
    elif options.messages:
        good = asyncio.run(remember(options.messages))
    else:
        good = show(asyncio.run(measure(options.rounds, options.before)))
    return int(options.check and not good)


if __name__ == "__main__":
    sys.exit(main())
