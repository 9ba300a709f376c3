"""Order of writes that wait, and writes that fail."""

import asyncio
import logging

import pytest

from kaito_chat.history.errors import HistoryAwayError, HistoryRefusedError
from kaito_chat.history.operations import DeleteStep, SaveThread
from kaito_chat.history.outbox import Outbox
from kaito_chat.history.waiting import Change, OutboxLimits
from support.chat.outbox import BRISK, Disk, counted, step, told


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
async def test_a_transient_error_keeps_the_operation_and_the_order(disk: Disk, failure: Exception) -> None:
    outbox = Outbox(disk.write, BRISK)
    disk.failures = [failure] * 5
    for number in range(5):
        outbox.add(step(f"s{number}", str(number)))
    assert await outbox.written("one", 5)
    assert disk.outputs("one") == ["0", "1", "2", "3", "4"]
    await outbox.close()


@pytest.mark.parametrize("failure", [HistoryRefusedError("no"), KeyError("a fault of ours"), ValueError("\ud800")])
async def test_only_the_operation_that_the_database_rejects_is_dropped(
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


async def test_during_an_outage_one_worker_retries_and_its_success_resumes_all(
    disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = Outbox(disk.write, OutboxLimits(first_pause=0.1, longest_pause=0.2, late=60))
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
    outbox = Outbox(disk.write, OutboxLimits(first_pause=30, longest_pause=30, late=60))
    disk.refused = {"locked": HistoryAwayError("lock timeout", "conflict")}
    outbox.add(step("locked", thread_id="one"))
    for number in range(10):
        outbox.add(step(f"s{number}", thread_id="two"))
    assert await outbox.written("two", 5)
    assert not outbox.away
    assert outbox.of("one").operations == 1
    await outbox.close()


async def test_an_operation_that_fails_while_others_succeed_is_dropped_in_the_end(disk: Disk) -> None:
    outbox = Outbox(disk.write, OutboxLimits(first_pause=0.001, longest_pause=0.001, overtakes=5))
    disk.refused = {"slow": HistoryAwayError("statement timeout", "timeout")}
    with counted("refused", 1):
        outbox.add(step("slow", thread_id="two"))
        outbox.add(step("after", "after", thread_id="two"))
        while outbox.of("two").operations:
            outbox.add(step("s"))
            await asyncio.sleep(0.001)
    assert disk.outputs("two") == ["after"]
    await outbox.close()


async def test_no_operation_is_dropped_during_an_outage(disk: Disk) -> None:
    outbox = Outbox(disk.write, OutboxLimits(first_pause=0.001, longest_pause=0.001, overtakes=5))
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


async def test_pending_states_of_a_step_are_merged(disk: Disk) -> None:
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
