"""Hours in which GPU nodes run, such as 50 a week."""

import re
from dataclasses import dataclass
from decimal import Decimal

_FORM = re.compile(r"(?P<hours>\d{1,3}(?:\.\d+)?)/(?P<period>day|week|month)")
_HOURS = {"day": 24, "week": 168, "month": 730}
ALLOWED = "hours per day, week or month, such as 50/week"


@dataclass(frozen=True)
class Schedule:
    """A part of each period in which the nodes run."""

    hours: Decimal
    period: str

    @property
    def share(self) -> Decimal:
        """The part of the time in which the nodes run, between 0 and 1."""
        return self.hours / _HOURS[self.period]

    def __str__(self) -> str:
        """Return the words for a message."""
        return f"{self.hours:f} of {_HOURS[self.period]} hours a {self.period}"


def parse(text: str) -> Schedule:
    """Return the schedule that a text names.

    Raises:
        ValueError: It names none, or more hours than the period has.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"--hours-on {text!r}: must be {ALLOWED}")
    schedule = Schedule(Decimal(found["hours"]), found["period"])
    if schedule.share > 1:
        raise ValueError(f"--hours-on {text!r}: a {schedule.period} has {_HOURS[schedule.period]} hours")
    return schedule
