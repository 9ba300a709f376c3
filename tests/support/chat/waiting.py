"""Wait until a condition holds."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait until a condition holds; evaluating it must be quick.

    Raises:
        TimeoutError: It does not hold in time.
    """
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)
