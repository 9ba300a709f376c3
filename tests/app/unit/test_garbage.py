import asyncio
import contextlib
import gc
import weakref
from collections.abc import Iterator

import pytest

from kaito_chat import garbage


@pytest.fixture
def collector() -> Iterator[None]:
    """Restore the collector's state after a test."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.enable()
    gc.unfreeze()


class Cycle:
    def __init__(self) -> None:
        self.itself = self


@pytest.mark.usefixtures("collector")
def test_a_settled_process_collects_young_objects_by_itself_and_old_ones_never() -> None:
    garbage.postpone()
    assert not gc.isenabled()
    garbage.settle()
    assert gc.isenabled()
    assert gc.get_threshold() == (garbage.YOUNG, garbage.MIDDLE, garbage.NEVER)
    assert gc.get_freeze_count() > 10_000
    full = gc.get_stats()[2]["collections"]
    young = weakref.ref(Cycle())
    kept = [[] for _ in range(garbage.YOUNG * garbage.MIDDLE * 15)]  # type: ignore[var-annotated]
    assert young() is None
    assert gc.get_stats()[2]["collections"] == full
    assert len(kept) > 0


@pytest.mark.parametrize(
    ("busy", "waiting", "collected"),
    [
        (False, 0, False),
        (False, 1, True),
        (True, 1, False),
        (True, garbage.MOST - 1, False),
        (True, garbage.MOST, True),
    ],
)
async def test_old_objects_are_collected_between_answers_or_when_many_wait(
    monkeypatch: pytest.MonkeyPatch, *, busy: bool, waiting: int, collected: bool
) -> None:
    runs: list[int] = []
    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, waiting))
    monkeypatch.setattr(gc, "collect", lambda: runs.append(1))
    task = asyncio.create_task(garbage.collect(lambda: {1} if busy else set(), 0.001))
    await asyncio.sleep(0.05)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert bool(runs) is collected
