"""A database that fails on demand, for the tests of the outbox."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from kaito_chat.history.operations import Operation, SaveStep, save_step
from kaito_chat.history.outbox import Outbox
from kaito_chat.history.waiting import Change, OutboxLimits
from kaito_chat.telemetry import metrics

BRISK = OutboxLimits(first_pause=0.01, longest_pause=0.02, late=0.05)


class Disk:
    """A database whose failures a test chooses."""

    def __init__(self) -> None:
        self.written: list[Operation] = []
        self.failures: list[Exception | None] = []
        self.always: Exception | None = None
        self.refused: dict[str, Exception] = {}
        self.attempts = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.side_by_side = self.most_side_by_side = 0

    async def write(self, operation: Operation) -> None:
        self.attempts += 1
        self.side_by_side += 1
        self.most_side_by_side = max(self.most_side_by_side, self.side_by_side)
        try:
            await self.gate.wait()
            await asyncio.sleep(0)
        finally:
            self.side_by_side -= 1
        failure = self.failures.pop(0) if self.failures else self.always
        failure = failure or self.refused.get(getattr(operation, "step", {}).get("id", ""))
        if failure:
            raise failure
        self.written.append(operation)

    def outputs(self, thread_id: str) -> list[str]:
        return [
            each.step["output"] for each in self.written if isinstance(each, SaveStep) and each.thread_id == thread_id
        ]


def step(step_id: str, output: str = "", thread_id: str = "one", owner: str = "ada") -> SaveStep:
    return save_step(owner, thread_id, {"id": step_id, "output": output, "type": "user_message", "name": "ada"})


@contextmanager
def counted(reason: str, by: int) -> Iterator[None]:
    counter = metrics.HISTORY_DROPPED.labels(reason)._value  # noqa: SLF001
    before = counter.get()
    yield
    assert counter.get() - before == by


def told(outbox: Outbox) -> list[Change]:
    changes: list[Change] = []
    outbox.subscribe(changes.append)
    return changes
