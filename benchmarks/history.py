"""Benchmark of the history: listing, searching and opening of many conversations.

`python benchmarks/history.py --url postgresql://…` or, without a URL, SQLite in a temporary folder. `--before` also
measures Chainlit's SQLAlchemy data layer on the same data; `--check` exits 1 if a page takes longer than 0.2 s.
The database has to be empty: the benchmark creates the conversations.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "app")]

from kaito_chat.history.database import Database  # noqa: E402
from kaito_chat.history.store import Store  # noqa: E402

GOAL_SECONDS = 0.2
ROUNDS = 10
PAGE = 20
WORDS = "the quick brown fox jumps over the lazy dog and goes on to say something about models on Kubernetes "
Measured = dict[str, tuple[float, int]]


async def fill(store: Store, conversations: int, messages: int) -> list[str]:
    """Store conversations of one user, and return their ids."""
    ids = [str(uuid.uuid4()) for _ in range(conversations)]
    for number, thread_id in enumerate(ids):
        store.save_thread("ada", thread_id, name=f"Conversation {number}")
        for each in range(messages):
            kind = "assistant_message" if each % 2 else "user_message"
            facts = {"id": str(uuid.uuid4()), "name": "ada", "type": kind, "streaming": False}
            store.save_step("ada", thread_id, facts | {"output": f"{number}/{each} " + WORDS * 8})
        if number % 50 == 0:
            await store.flush(600)
    if await store.flush(600):
        raise RuntimeError("the database does not store the conversations")
    return ids


async def measured(call: Callable[[], Awaitable[Any]]) -> tuple[float, int]:
    """Return the median duration of a call in seconds, and the size of its result in bytes."""
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = await call()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), len(json.dumps(answer))


async def ours(store: Store, ids: list[str]) -> Measured:
    """Measure this application's data layer."""

    async def page(**options: Any) -> dict[str, Any]:  # noqa: ANN401 - the options of a list
        return (await store.list_threads("ada", first=PAGE, **options)).to_dict()

    second = await store.list_threads("ada", first=PAGE)
    return {
        "first page": await measured(page),
        "second page": await measured(lambda: page(cursor=second.end)),
        "search, found": await measured(lambda: page(search="KUBERNETES")),
        "search, not found": await measured(lambda: page(search="nowhere")),
        "open": await measured(lambda: store.get_thread(ids[0], "ada")),
    }


async def chainlits(url: str, ids: list[str]) -> Measured:
    """Measure Chainlit's own data layer on the same tables."""
    os.environ["CHAINLIT_APP_ROOT"] = tempfile.mkdtemp()
    from chainlit.data.sql_alchemy import SQLAlchemyDataLayer  # noqa: PLC0415
    from chainlit.types import Pagination, ThreadFilter  # noqa: PLC0415

    layer = SQLAlchemyDataLayer(Database(url).engine.url.render_as_string(hide_password=False))
    user = await layer.get_user("ada")

    async def page(search: str | None = None, cursor: str | None = None) -> dict[str, Any]:
        filters = ThreadFilter(userId=user.id if user else None, search=search)
        listed: dict[str, Any] = (await layer.list_threads(Pagination(first=PAGE, cursor=cursor), filters)).to_dict()
        return listed

    end = (await page())["pageInfo"]["endCursor"]
    found = {
        "first page": await measured(page),
        "second page": await measured(lambda: page(cursor=end)),
        "search, found": await measured(lambda: page("KUBERNETES")),
        "search, not found": await measured(lambda: page("nowhere")),
        "open": await measured(lambda: layer.get_thread(ids[0])),
    }
    await layer.engine.dispose()
    return found


async def compare(url: str, arguments: argparse.Namespace) -> dict[str, Measured]:
    """Fill the database and measure each data layer."""
    database = Database(url)
    await database.migrate()
    store = Store(database)
    ids = await fill(store, arguments.conversations, arguments.messages)
    found = {"this application": await ours(store, ids)}
    if arguments.before:
        found["Chainlit's own"] = await chainlits(url, ids)
    await store.close()
    return found


def main() -> int:
    """Measure, print the results, and return the exit code: 1 with `--check` if a goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--url", default="", help="URL of an empty database; default: SQLite in a temporary folder")
    parser.add_argument("--conversations", type=int, default=300)
    parser.add_argument("--messages", type=int, default=20)
    parser.add_argument("--before", action="store_true", help="also measure Chainlit's own data layer")
    parser.add_argument("--check", action="store_true", help="exit 1 if a page takes longer than the goal")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(compare(arguments.url or f"sqlite:///{folder}/history.db", arguments))
    title = f"{arguments.conversations} conversations of {arguments.messages} messages, a page of {PAGE}"
    table = Table("", *found, title=title)
    for what in next(iter(found.values())):
        cells = (f"{each[what][0] * 1000:.1f} ms, {each[what][1] / 1024:.0f} KiB" for each in found.values())
        table.add_row(what, *cells)
    Console().print(table)
    slow = [what for what, (seconds, _) in found["this application"].items() if seconds > GOAL_SECONDS]
    if arguments.check and slow:
        print(f"slower than {GOAL_SECONDS} s: {', '.join(slow)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
