"""Writes that wait: their order, what becomes of them, and what is told about them."""

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kaito_chat.history.errors import DeletedError, ForeignError, HistoryAwayError, HistoryRefusedError
from kaito_chat.history.operations import DeleteStep, Operation, SaveStep, SaveThread, SignOut, save_step
from kaito_chat.history.outbox import Outbox
from kaito_chat.history.waiting import Change, Limits
from kaito_chat.telemetry import metrics

BRISK = Limits(first_pause=0.01, longest_pause=0.02, late=0.05)


class Disk:
    """A database of which every failure is chosen."""

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


@pytest.fixture
def disk() -> Disk:
    return Disk()


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


async def test_operations_of_a_conversation_are_written_in_order_and_of_several_side_by_side(disk: Disk) -> None:
    outbox = Outbox(disk.write, BRISK)
    disk.gate.clear()
    for number in range(20):
        for thread_id in ("one", "two", "three"):
            outbox.add(step(f"{thread_id}-{number}", str(number), thread_id))
    assert outbox.pending == 60
    disk.gate.set()
    assert await outbox.flush(5) == 0
    for thread_id in ("one", "two", "three"):
        assert disk.outputs(thread_id) == [str(number) for number in range(20)]
    assert 1 < disk.most_side_by_side <= BRISK.workers
    assert outbox.pending == 0
    assert outbox.pending_since is None
    await outbox.close()


@pytest.mark.parametrize(
    "failure",
    [HistoryAwayError("cut"), HistoryAwayError("full", "full"), HistoryAwayError("lock", "conflict"), OSError("gone")],
)
async def test_a_failure_that_passes_keeps_the_operation_and_the_order(disk: Disk, failure: Exception) -> None:
    outbox = Outbox(disk.write, BRISK)
    disk.failures = [failure] * 5
    for number in range(5):
        outbox.add(step(f"s{number}", str(number)))
    assert await outbox.written("one", 5)
    assert disk.outputs("one") == ["0", "1", "2", "3", "4"]
    await outbox.close()


@pytest.mark.parametrize("failure", [HistoryRefusedError("no"), KeyError("a fault of ours"), ValueError("\ud800")])
async def test_an_operation_that_the_database_refuses_is_dropped_alone(
    disk: Disk, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = Outbox(disk.write, BRISK)
    changes = told(outbox)
    disk.refused = {"s1": failure}
    with counted("refused", 1), caplog.at_level(logging.ERROR):
        for number in range(3):
            outbox.add(step(f"s{number}", f"text {number}"))
        assert await outbox.written("one", 5)
    assert disk.outputs("one") == ["text 0", "text 2"]
    assert changes == [Change("one", "ada", "dropped")]
    assert outbox.of("one").dropped == 1
    assert outbox.pending == 0
    assert "text 1" not in caplog.text
    await outbox.close()


async def test_while_the_database_is_away_one_attempt_at_a_time_is_made_and_its_success_sets_all_going(
    disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = Outbox(disk.write, Limits(first_pause=0.1, longest_pause=0.2, late=60))
    disk.always = HistoryAwayError("connection refused")
    with caplog.at_level(logging.ERROR):
        for number in range(50):
            outbox.add(step("s", thread_id=f"conversation {number}"))
        await asyncio.sleep(0.5)
    assert outbox.away
    assert outbox.pending == 50
    assert disk.attempts <= 4 + 6, "each conversation asks the database for itself"
    assert len(caplog.records) == 1, "each attempt is logged"
    disk.always = None
    assert await outbox.flush(5) == 0
    assert not outbox.away
    assert len(disk.written) == 50
    await outbox.close()


async def test_a_conversation_in_conflict_does_not_hold_up_others(disk: Disk) -> None:
    outbox = Outbox(disk.write, Limits(first_pause=30, longest_pause=30, late=60))
    disk.refused = {"locked": HistoryAwayError("lock timeout", "conflict")}
    outbox.add(step("locked", thread_id="one"))
    for number in range(10):
        outbox.add(step(f"s{number}", thread_id="two"))
    assert await outbox.written("two", 5)
    assert not outbox.away
    assert outbox.of("one").operations == 1
    await outbox.close()


async def test_an_operation_that_fails_while_others_succeed_is_dropped_in_the_end(disk: Disk) -> None:
    outbox = Outbox(disk.write, Limits(first_pause=0.001, longest_pause=0.001, overtakes=5))
    disk.refused = {"slow": HistoryAwayError("statement timeout", "timeout")}
    with counted("refused", 1):
        outbox.add(step("slow", thread_id="two"))
        outbox.add(step("after", "after", thread_id="two"))
        while outbox.of("two").operations:
            outbox.add(step("s"))
            await asyncio.sleep(0.001)
    assert disk.outputs("two") == ["after"]
    await outbox.close()


async def test_no_operation_is_dropped_while_the_database_is_away_for_all(disk: Disk) -> None:
    outbox = Outbox(disk.write, Limits(first_pause=0.001, longest_pause=0.001, overtakes=5))
    outbox.add(step("before"))
    assert await outbox.written("one", 5)
    disk.always = HistoryAwayError("cut")
    for thread_id in ("one", "two"):
        outbox.add(step("s", thread_id=thread_id))
    while disk.attempts < 100:
        await asyncio.sleep(0.001)
    assert outbox.pending == 2
    disk.always = None
    assert await outbox.flush(5) == 0
    await outbox.close()


async def test_states_of_a_step_that_wait_become_one(disk: Disk) -> None:
    outbox = Outbox(disk.write, BRISK)
    disk.gate.clear()
    outbox.add(step("question", "why?"))
    await asyncio.sleep(0.01)  # it is being written, and takes in nothing any more
    for length in range(1, 100):
        outbox.add(step("answer", "x" * length))
        outbox.add(SaveThread(owner="ada", thread_id="one", metadata={f"key{length}": length}))
    outbox.add(step("question", "why not?"))
    assert outbox.pending == 4
    disk.gate.set()
    assert await outbox.written("one", 5)
    assert disk.outputs("one") == ["why?", "x" * 99, "why not?"]
    (thread,) = (each for each in disk.written if isinstance(each, SaveThread))
    assert thread.metadata == {f"key{length}": length for length in range(1, 100)}
    await outbox.close()


async def test_a_step_that_is_deleted_while_it_waits_is_not_written_before(disk: Disk) -> None:
    outbox = Outbox(disk.write, BRISK)
    disk.gate.clear()
    outbox.add(step("first"))
    await asyncio.sleep(0.01)
    outbox.add(step("warming up"))
    outbox.add(DeleteStep(owner="ada", thread_id="one", step_id="warming up"))
    outbox.add(step("warming up", "anew"))
    disk.gate.set()
    assert await outbox.written("one", 5)
    assert [type(each).__name__ for each in disk.written] == ["SaveStep", "DeleteStep", "SaveStep"]
    assert disk.outputs("one") == ["", "anew"]
    await outbox.close()


@pytest.mark.parametrize("limits", [Limits(operations=12, first_pause=0.01), Limits(size=20_000, first_pause=0.01)])
async def test_more_than_the_outbox_holds_is_dropped_counted_and_logged_once(
    disk: Disk, limits: Limits, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = Outbox(disk.write, limits)
    changes = told(outbox)
    disk.always = HistoryAwayError("cut")
    with counted("full", 2), caplog.at_level(logging.ERROR):
        taken = [outbox.add(step(f"s{number}", "x" * 1000)) for number in range(5)]
    assert taken == [True, True, True, False, False]
    assert outbox.of("one")._replace(seconds=0) == (3, 0, 2)
    assert changes == [Change("one", "ada", "dropped")], "told once"
    assert sum("too much waits" in record.message for record in caplog.records) == 1
    disk.always = None
    assert await outbox.written("one", 5)
    assert outbox.add(step("s9", "y" * 1000)), "there is room again"
    assert await outbox.written("one", 5)
    await outbox.close()


async def test_one_person_leaves_room_for_the_others_and_for_signing_out(disk: Disk) -> None:
    outbox = Outbox(disk.write, Limits(operations=8, first_pause=0.01))
    disk.always = HistoryAwayError("cut")
    assert [outbox.add(step(f"s{number}", thread_id="a", owner="ada")) for number in range(3)] == [True, True, False]
    for owner in ("grace", "linus", "ken"):
        assert all(outbox.add(step(f"{owner}{number}", thread_id=owner, owner=owner)) for number in range(2))
    assert not outbox.add(step("b1", thread_id="barbara", owner="barbara")), "all of it is full"
    assert outbox.add(SignOut(owner="", thread_id="out", token_id="t", expires=9e9))  # noqa: S106
    disk.always = None
    assert await outbox.written("a", 5)
    assert outbox.add(step("s9", thread_id="a", owner="ada")), "there is room again"
    await outbox.close()


async def test_listeners_are_told_when_a_conversation_is_late_and_when_it_is_saved_after_that(disk: Disk) -> None:
    outbox = Outbox(disk.write, BRISK)
    changes = told(outbox)
    outbox.add(step("quick", thread_id="quick"))
    assert await outbox.written("quick", 5)
    disk.always = HistoryAwayError("cut")
    outbox.add(step("slow"))
    while not changes:
        await asyncio.sleep(0.01)
    assert outbox.of("one").seconds > BRISK.late
    assert outbox.pending_seconds > BRISK.late
    disk.always = None
    assert await outbox.written("one", 5)
    assert changes == [Change("one", "ada", "late"), Change("one", "ada", "saved")]
    await outbox.close()


async def test_a_listener_that_fails_ends_no_worker(disk: Disk) -> None:
    outbox = Outbox(disk.write, BRISK)
    nothing: dict[Change, None] = {}
    outbox.subscribe(nothing.__getitem__)
    disk.failures = [HistoryRefusedError("no")]
    outbox.add(step("one"))
    outbox.add(step("two", "kept"))
    assert await outbox.written("one", 5)
    assert disk.outputs("one") == ["kept"]
    await outbox.close()


async def test_a_deleted_conversation_drops_what_waits_and_refuses_what_comes(disk: Disk) -> None:
    outbox = Outbox(disk.write, BRISK)
    changes = told(outbox)
    disk.failures = [DeletedError()]
    for number in range(5):
        outbox.add(step(f"s{number}"))
    assert await outbox.written("one", 5)
    assert disk.written == []
    assert outbox.pending == 0
    assert not outbox.add(step("more"))
    assert changes == [Change("one", "ada", "deleted")], "told once"
    outbox.forget("two")
    assert not outbox.add(step("more", thread_id="two"))
    assert changes[1:] == [Change("two", "ada", "deleted")]
    await outbox.close()


async def test_a_write_to_somebody_elses_conversation_is_dropped_and_told(disk: Disk) -> None:
    outbox = Outbox(disk.write, BRISK)
    changes = told(outbox)
    disk.failures = [ForeignError("somebody else's")]
    with counted("foreign", 1):
        outbox.add(step("s", owner="eve"))
        assert await outbox.written("one", 5)
    assert changes == [Change("one", "eve", "foreign")]
    await outbox.close()


async def test_what_cannot_be_written_at_the_end_is_counted_and_logged(
    disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = Outbox(disk.write, Limits(first_pause=0.01, longest_pause=60))
    disk.always = sqlite3.OperationalError("disk I/O error")
    for number in range(3):
        outbox.add(step("s", thread_id=str(number)))
    with counted("shutdown", 3), caplog.at_level(logging.ERROR):
        assert await outbox.flush(0.2) == 3
        assert await outbox.flush(0.01) == 3, "counted once"
    (record,) = (record for record in caplog.records if "lost at the end" in record.message)
    assert (record.__dict__["operations"], record.__dict__["conversations"]) == (3, 3)
    await outbox.close()


async def test_the_end_does_not_wait_for_a_long_pause(disk: Disk) -> None:
    outbox = Outbox(disk.write, Limits(first_pause=0.05, longest_pause=60))
    disk.failures = [HistoryAwayError("cut")] * 12  # the next attempt would be a minute away
    outbox.add(step("s"))
    assert await outbox.flush(5) == 0
    await outbox.close()


async def test_metrics_say_how_much_waits_and_for_how_long(disk: Disk) -> None:
    outbox = Outbox(disk.write, BRISK)
    disk.gate.clear()
    outbox.add(step("one"))
    outbox.add(step("two"))
    await asyncio.sleep(0.05)
    lines = dict(line.rsplit(" ", 1) for line in metrics.exposition().decode().splitlines() if line[0] != "#")
    assert float(lines["kaito_chat_history_pending"]) == 2
    assert float(lines["kaito_chat_history_oldest_pending_seconds"]) >= 0.05
    assert {"kaito_chat_history_errors_total", 'kaito_chat_history_dropped_total{reason="full"}'} <= set(lines)
    disk.gate.set()
    await outbox.flush(5)
    await outbox.close()
