"""Garbage collection of a process whose pauses everyone sees: full collections while no answer is running.

CPython visits every object in a full collection. With some hundred open pages that stops all streams for a quarter of a
second, and CPython does it when enough objects were created, which is during the answers. So the automatic collections
leave out the oldest generation, which this module collects: soon after the answers, or during them when much waits.

The start creates 180,000 objects, nearly all of which live until the process exits: it collects nothing.
"""

import asyncio
import gc
from collections.abc import Callable

YOUNG, MIDDLE, NEVER = 2_000, 10, 1_000_000
LOOK_SECONDS = 5.0
# Collections of the middle generation, of some 20,000 new objects each, after which running answers wait.
MOST = 5


def postpone() -> None:
    """Collect nothing until `settle`: collections of objects that stay were a sixth of the start's CPU time."""
    gc.disable()


def settle() -> None:
    """Exempt what is loaded now, which lives until the process exits, and leave full collections to `collect`."""
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, NEVER)
    gc.enable()


async def collect(busy: Callable[[], object], look_seconds: float = LOOK_SECONDS) -> None:
    """Collect the oldest generation from time to time, until cancelled.

    Args:
        busy: Whether answers are running.
        look_seconds: Interval between two looks.
    """
    while True:
        await asyncio.sleep(look_seconds)
        waiting = gc.get_count()[2]
        if waiting >= (MOST if busy() else 1):
            gc.collect()
