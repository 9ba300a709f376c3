"""Cron expressions, and the schedule of a model that sleeps."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from kaito_chat.settings import Schedule
from kaito_chat.settings.cron import parse

ROME = "Europe/Rome"


def rome(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ROME))


@pytest.mark.parametrize(
    ("cron", "now", "expected"),
    [
        ("0 8 * * 1-5", "2026-11-27T07:59:59", "2026-11-27T08:00"),
        ("0 8 * * 1-5", "2026-11-27T08:00:00", "2026-11-30T08:00"),
        ("0 8 * * MON-FRI", "2026-11-28T12:00", "2026-11-30T08:00"),
        ("0 8 ? * mon", "2026-11-28T12:00", "2026-11-30T08:00"),
        ("30 6,18 * * *", "2026-11-28T07:00", "2026-11-28T18:30"),
        ("*/20 9-17/4 * * *", "2026-11-28T09:41", "2026-11-28T13:00"),
        ("50/5 * * * *", "2026-11-28T09:51", "2026-11-28T09:55"),
        ("0 0 1 JAN *", "2026-11-28T09:51", "2027-01-01T00:00"),
        ("0 0 29 2 *", "2026-11-28T09:51", "2028-02-29T00:00"),
        # Both days restricted: one of them suffices, as for Kubernetes and KEDA.
        ("0 7 1 * 1", "2026-11-28T09:51", "2026-11-30T07:00"),
        ("0 7 1 * 1", "2026-11-30T09:51", "2026-12-01T07:00"),
        ("0 7 */1 * 1", "2026-11-30T09:51", "2026-12-07T07:00"),
        # The hour that summer time skips does not come, and the one that it repeats comes once.
        ("30 2 * * *", "2026-03-28T03:00", "2026-03-30T02:30"),
        ("30 2 * * *", "2026-10-25T00:00", "2026-10-25T02:30"),
    ],
)
def test_the_next_time_of_a_cron_expression(cron: str, now: str, expected: str) -> None:
    found = parse(cron).next_after(rome(now))
    assert found == rome(expected)


@pytest.mark.parametrize(
    ("cron", "message"),
    [
        ("0 8 * *", "has 4 fields instead of 5"),
        ("@daily", "has 1 fields instead of 5"),
        ("60 8 * * *", "minute: '60' is not 0 to 59"),
        ("0 24 * * *", "hour: '24' is not 0 to 23"),
        ("0 8 * * 7", "day of the week: '7' is not 0 to 6, or SUN to SAT"),
        ("0 8 0 * *", "day of the month: '0' is not 1 to 31"),
        ("0 8 * FOO *", "month: 'FOO' is not 1 to 12, or JAN to DEC"),
        ("0 8 * * 5-1", "day of the week: '5-1' ends before it begins"),
        ("0 8-x * * *", "hour: 'x' is not 0 to 23"),
        ("*/0 8 * * *", "minute: '*/0' is not a number"),
        ("0 8 30 2 *", "'0 8 30 2 *' never comes"),
    ],
)
def test_a_wrong_expression_is_refused_with_the_field(cron: str, message: str) -> None:
    with pytest.raises(ValidationError, match=r"wakes") as raised:
        Schedule(wakes=cron)
    assert message in str(raised.value)


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "/etc/passwd", "../UTC", ""])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValidationError, match="is not a time zone of the tz database, such as Europe/Rome"):
        Schedule(wakes="0 8 * * *", time_zone=zone)


def test_the_next_wake_up_is_in_the_schedules_time_zone() -> None:
    schedule = Schedule(wakes="0 8 * * 1-5", time_zone=ROME)
    found = schedule.next_wake(datetime(2026, 11, 30, 6, 0, tzinfo=UTC))
    assert found == datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
    assert found
    assert f"{found:%H:%M %Z}" == "08:00 CET"


@pytest.mark.parametrize(
    ("now", "asleep"),
    [("2026-11-27T19:59", False), ("2026-11-27T20:00", True), ("2026-11-28T12:00", True), ("2026-11-30T08:00", False)],
)
def test_a_model_sleeps_from_its_end_to_its_next_wake_up(now: str, asleep: bool) -> None:  # noqa: FBT001
    schedule = Schedule(wakes="0 8 * * 1-5", sleeps="0 20 * * 1-5", time_zone=ROME)
    assert schedule.asleep(rome(now)) is asleep


def test_without_times_of_sleep_a_schedule_says_nothing_about_now() -> None:
    assert Schedule(wakes="0 8 * * *").asleep(datetime.now(UTC)) is False
