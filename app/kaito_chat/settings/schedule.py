"""The times at which a model wakes up and falls asleep."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator

from kaito_chat.settings.cron import parse


class Schedule(BaseModel):
    """Times at which another program, such as KEDA, scales a model. The page shows the next one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wakes: str
    """Times at which the model is started: a cron expression with five fields, such as `0 8 * * 1-5`."""
    sleeps: str | None = None
    """Times at which it is scaled to zero. With them, the page says that the model sleeps also where its number of
    replicas cannot be read."""
    time_zone: str = "UTC"
    """Time zone of both, by its name in the tz database, such as `Europe/Rome`."""
    replicas: Annotated[int, Field(ge=1, le=1000)] = 1
    """Number of replicas that the wake button starts."""

    @field_validator("wakes", "sleeps")
    @classmethod
    def _cron(cls, value: str | None) -> str | None:
        if value is not None:
            parse(value)
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is not a time zone of the tz database, such as Europe/Rome") from None
        return value

    def next_wake(self, now: datetime) -> datetime | None:
        """Return the time of the next wake-up, in the schedule's time zone."""
        return parse(self.wakes).next_after(now.astimezone(ZoneInfo(self.time_zone)))

    def asleep(self, now: datetime) -> bool:
        """Return whether the model sleeps by its schedule: it wakes up before it falls asleep again."""
        wakes = self.next_wake(now)
        sleeps = parse(self.sleeps).next_after(now.astimezone(ZoneInfo(self.time_zone))) if self.sleeps else None
        return wakes is not None and sleeps is not None and wakes < sleeps
