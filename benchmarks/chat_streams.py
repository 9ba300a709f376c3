"""Cost of HTTP client libraries: fifty concurrent streams from the fixed endpoint with each candidate.

`python benchmarks/chat_streams.py` prints CPU time and time to first token, compared with this application's pool.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import httpx
import uvloop
from openai import AsyncOpenAI
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "app"), str(ROOT / "tests")]

from kaito_chat.backends import pool  # noqa: E402
from support.chat.processes import free_port, program  # noqa: E402

STREAMS, ROUNDS = 50, 7
BODY = {"model": "fixed", "messages": [{"role": "user", "content": "tell me something"}], "stream": True}
PATH = "/v1/chat/completions"
OURS = "httpx over aiohttp (ours)"
Ask = Callable[[], AsyncGenerator[object]]


class Cost(NamedTuple):
    """The cost of one round, in seconds."""

    cpu: float
    first: float


@asynccontextmanager
async def over_httpx(client: httpx.AsyncClient, url: str) -> AsyncIterator[Ask]:
    """httpx, with the client's transport."""

    async def ask() -> AsyncGenerator[bytes]:
        async with client.stream("POST", url + PATH, json=BODY) as response:
            async for piece in response.aiter_bytes():
                yield piece

    async with client:
        yield ask


@asynccontextmanager
async def over_aiohttp(url: str) -> AsyncIterator[Ask]:
    """The aiohttp client alone, without httpx."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask() -> AsyncGenerator[bytes]:
            async with session.post(url + PATH, json=BODY) as response:
                async for piece in response.content.iter_any():
                    yield piece

        yield ask


@asynccontextmanager
async def over_sdk(url: str) -> AsyncIterator[Ask]:
    """The openai SDK with its defaults."""
    async with AsyncOpenAI(base_url=url + "/v1", api_key="none") as client:

        async def ask() -> AsyncGenerator[object]:
            async with await client.chat.completions.create(**BODY) as stream:  # type: ignore[call-overload]
                async for piece in stream:
                    yield piece

        yield ask


async def once(ask: Ask) -> Cost:
    """Read all streams concurrently to their ends."""

    async def first_of() -> float:
        began, first = time.monotonic(), 0.0
        async with aclosing(ask()) as pieces:
            async for _ in pieces:
                first = first or time.monotonic() - began
        return first

    cpu = time.process_time()
    first = await asyncio.gather(*(first_of() for _ in range(STREAMS)))
    return Cost(time.process_time() - cpu, sorted(first)[round(STREAMS * 0.95) - 1])


async def measure(url: str) -> dict[str, Cost]:
    """Measure every library in turn, several times, and return the medians."""
    found: dict[str, list[Cost]] = {}
    async with AsyncExitStack() as stack:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        ways = {
            OURS: over_httpx(pool(5, 1000), url),
            "httpx over httpcore": over_httpx(httpx.AsyncClient(limits=limits, trust_env=False), url),
            "openai SDK": over_sdk(url),
            "aiohttp by itself": over_aiohttp(url),
        }
        asks = {name: await stack.enter_async_context(way) for name, way in ways.items()}
        for turn in range(ROUNDS + 1):
            for name, ask in asks.items():
                cost = await once(ask)
                if turn:  # the first turn opens the connections
                    found.setdefault(name, []).append(cost)
    return {name: Cost(*map(statistics.median, zip(*costs, strict=True))) for name, costs in found.items()}


def main() -> None:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        arguments = [str(ROOT / "benchmarks" / "chat_peers" / "endpoint.py"), str(port)]
        with program(arguments, port, Path(folder) / "log", python=sys.executable, ready="/v1/models") as endpoint:
            found = uvloop.run(measure(endpoint.url))
    table = Table("client", "CPU, of ours", f"first token p95 of {STREAMS}, ms after the endpoint's 300")
    for name, cost in found.items():
        table.add_row(name, f"{cost.cpu / found[OURS].cpu:.1f} ×", f"{cost.first * 1000 - 300:.0f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
