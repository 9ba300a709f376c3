"""Cron expressions with five fields, in the form that Kubernetes and KEDA read.

See: https://pkg.go.dev/github.com/robfig/cron/v3#hdr-CRON_Expression_Format
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import NamedTuple

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
PART = re.compile(r"(?P<any>[*?])|(?P<low>\w+)(-(?P<high>\w+))?")
# 29 February is at most eight years away.
LONGEST_DAYS = 8 * 366


class Field(NamedTuple):
    """One of the five fields: its name, its range, and the names of its values."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def values(self, text: str) -> frozenset[int]:
        """Return the values of a field: numbers, names, ranges, lists and steps.

        Raises:
            ValueError: It is malformed, or a value is out of range.
        """
        return frozenset(value for part in text.split(",") for value in self._range(part))

    def _range(self, text: str) -> range:
        written, slash, step = text.partition("/")
        part = PART.fullmatch(written)
        if part is None or (slash and not (step.isdecimal() and int(step))):
            raise ValueError(
                f"{self.name}: {text!r} is not a number, a range such as 1-5, a list, or a step such as */2"
            )
        if part["any"]:
            low, high = self.low, self.high
        else:
            low = self._number(part["low"])
            high = self._number(part["high"]) if part["high"] else self.high if slash else low
        if low > high:
            raise ValueError(f"{self.name}: {text!r} ends before it begins")
        return range(low, high + 1, int(step or 1))

    def _number(self, text: str) -> int:
        if text.upper() in self.names:
            return self.low + self.names.index(text.upper())
        if not text.isdecimal() or not self.low <= int(text) <= self.high:
            names = f", or {self.names[0]} to {self.names[-1]}" if self.names else ""
            raise ValueError(f"{self.name}: {text!r} is not {self.low} to {self.high}{names}")
        return int(text)


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 6, WEEKDAYS),
)


class Cron(NamedTuple):
    """The values of each field.

    Attributes:
        either_day: Both kinds of days are restricted: a day matches if one of them does.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the next time after a moment, in the moment's time zone; `None` if there is none.

        A time that a change to summer time skips does not come on that day.
        """
        for days in range(LONGEST_DAYS):
            day = moment.date() + timedelta(days=days)
            if not self._has(day):
                continue
            for hour in self.hours:
                for minute in self.minutes:
                    found = datetime(day.year, day.month, day.day, hour, minute, tzinfo=moment.tzinfo)
                    exists = found.astimezone(UTC).astimezone(moment.tzinfo).hour == hour
                    if exists and found.timestamp() > moment.timestamp():
                        return found
        return None

    def _has(self, day: date) -> bool:
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (of_month or of_week if self.either_day else of_month and of_week)


@cache
def parse(text: str) -> Cron:
    """Return the times of an expression.

    Raises:
        ValueError: It is malformed, or it never comes.
    """
    written = text.split()
    if len(written) != len(FIELDS):
        raise ValueError(f"{text!r} has {len(written)} fields instead of 5, as in '0 8 * * 1-5'")
    minutes, hours, days, months, weekdays = (field.values(part) for field, part in zip(FIELDS, written, strict=True))
    either_day = not (_is_any(written[2]) or _is_any(written[4]))
    cron = Cron(tuple(sorted(minutes)), tuple(sorted(hours)), days, months, weekdays, either_day)
    if cron.next_after(datetime(2026, 1, 1, tzinfo=UTC)) is None:
        raise ValueError(f"{text!r} never comes")
    return cron


def _is_any(text: str) -> bool:
    return any(part.removesuffix("/1") in ("*", "?") for part in text.split(","))
