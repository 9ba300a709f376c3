"""Writes that are dropped, and the notices, log lines and metrics about them."""

import asyncio
import logging
import sqlite3

import pytest

from kaito_chat.history.errors import DeletedError, ForeignError, HistoryAwayError, HistoryRefusedError
from kaito_chat.history.operations import SignOut
from kaito_chat.history.outbox import Outbox
from kaito_chat.history.waiting import Change, OutboxLimits
from kaito_chat.telemetry import metrics
from support.chat.outbox import BRISK, Disk, counted, step, told


@pytest.mark.parametrize(
    "limits", [OutboxLimits(operations=12, first_pause=0.01), OutboxLimits(size=20_000, first_pause=0.01)]
)
async def test_more_than_the_outbox_holds_is_dropped_counted_and_logged_once(
    disk: Disk, limits: OutboxLimits, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = Outbox(disk.write, limits)
    changes = told(outbox)
    disk.always = HistoryAwayError("cut")
    with counted("full", 2), caplog.at_level(logging.ERROR):
        taken = [outbox.add(step(f"s{number}", "x" * 1000)) for number in range(5)]
    assert taken == [True, True, True, False, False]
    assert outbox.of("one")._replace(seconds=0) == (3, 0, 2)
    assert changes == [Change("one", "ada", "dropped")], "told once"
    assert sum("too many pending writes" in record.message for record in caplog.records) == 1
    disk.always = None
    assert await outbox.written("one", 5)
    assert outbox.add(step("s9", "y" * 1000)), "there is room again"
    assert await outbox.written("one", 5)
    await outbox.close()


async def test_one_user_leaves_room_for_the_others_and_for_sign_outs(disk: Disk) -> None:
    outbox = Outbox(disk.write, OutboxLimits(operations=8, first_pause=0.01))
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


async def test_a_deleted_conversation_drops_pending_writes_and_rejects_later_ones(disk: Disk) -> None:
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


async def test_a_write_to_another_users_conversation_is_dropped_with_a_notice(disk: Disk) -> None:
    outbox = Outbox(disk.write, BRISK)
    changes = told(outbox)
    disk.failures = [ForeignError("somebody else's")]
    with counted("foreign", 1):
        outbox.add(step("s", owner="eve"))
        assert await outbox.written("one", 5)
    assert changes == [Change("one", "eve", "foreign")]
    await outbox.close()


async def test_writes_lost_at_shutdown_are_counted_and_logged(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    outbox = Outbox(disk.write, OutboxLimits(first_pause=0.01, longest_pause=60))
    disk.always = sqlite3.OperationalError("disk I/O error")
    for number in range(3):
        outbox.add(step("s", thread_id=str(number)))
    with counted("shutdown", 3), caplog.at_level(logging.ERROR):
        assert await outbox.flush(0.2) == 3
        assert await outbox.flush(0.01) == 3, "counted once"
    (record,) = (record for record in caplog.records if "writes lost at shutdown" in record.message)
    assert (record.__dict__["operations"], record.__dict__["conversations"]) == (3, 3)
    await outbox.close()


async def test_the_shutdown_does_not_wait_for_a_long_pause(disk: Disk) -> None:
    outbox = Outbox(disk.write, OutboxLimits(first_pause=0.05, longest_pause=60))
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
