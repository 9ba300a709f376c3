"""The types of values of `[models.NAME.autoscaling]` and `[models.NAME.schedule]`."""

from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from aks_kaito.settings.fields import DayOfWeek, Matching, Section, TimeOfDay, distinct

_DAYS: tuple[DayOfWeek, ...] = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MINUTES_OF_A_DAY = 24 * 60


@cache
def _time_zones() -> frozenset[str]:
    """Return the names of the tz database, from the package `tzdata`: an operating system may have none."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def _time_zone(value: str) -> str:
    zones = _time_zones()
    if value not in zones:
        close = get_close_matches(value, zones, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"must be a name of the tz database, such as Europe/Rome{hint}")
    return value


TimeZone = Annotated[str, AfterValidator(_time_zone)]


class Metric(Section):
    """A metric of the model server by which the number of copies changes."""

    name: Annotated[
        str,
        Matching(
            r"[a-zA-Z_:][a-zA-Z0-9_:]*", "must be the name of a Prometheus metric, such as vllm:num_requests_waiting"
        ),
    ]
    """Name of the metric, as the server writes it."""
    type: Literal["gauge", "histogram"] = "gauge"
    """`gauge` is the average over the copies, `histogram` the average of the values within `window_seconds`."""
    up_threshold: Annotated[float, Field(ge=0, strict=False)]
    """Value above which a copy is added."""
    down_threshold: Annotated[float, Field(ge=0, strict=False)]
    """Value below which a copy is removed; at most `up_threshold`."""
    window_seconds: Annotated[int, Field(ge=15, le=3600)] | None = None
    """Window of a `histogram`, by default 300 seconds."""

    @model_validator(mode="after")
    def _thresholds_are_ordered(self) -> "Metric":
        if self.down_threshold > self.up_threshold:
            raise ValueError(f"must have a down_threshold of at most its up_threshold ({self.up_threshold:g})")
        if self.window_seconds is not None and self.type == "gauge":
            raise ValueError('must not have window_seconds with type = "gauge", which is the newest value')
        return self


# A conversation that waits is the first sign of too few copies.
_WAITING = Metric(name="vllm:num_requests_waiting", up_threshold=5, down_threshold=1)


def _variables(metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
    """Refuse metrics with one name for keda-kaito-scaler, which replaces all other characters by `_`."""
    distinct(tuple(metric.name.replace(":", "_") for metric in metrics))
    return metrics


class Autoscaling(Section):
    """Scaling by load between `min_replicas` and `max_replicas`, by KEDA and keda-kaito-scaler.

    A copy is added if every metric is above its `up_threshold`, and removed if every one is below its
    `down_threshold`, one at a time.

    See: https://github.com/kaito-project/keda-kaito-scaler/tree/v0.6.2
    """

    metrics: Annotated[
        tuple[Metric, ...], Field(strict=False, min_length=1, max_length=5), AfterValidator(_variables)
    ] = (_WAITING,)
    """Metrics as `[[models.NAME.autoscaling.metrics]]`; by default requests that wait: above 5 for each copy, below
    1."""
    evaluation_window_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    """Time for which the metrics must be above their thresholds before a copy is added."""
    scale_up_cooldown_seconds: Annotated[int, Field(ge=1, le=1800)] = 300
    """Least time between two added copies. A new GPU node takes about 10 minutes."""
    scale_down_cooldown_seconds: Annotated[int, Field(ge=1, le=1800)] = 300
    """Least time between two removed copies, and time for which the metrics must be below their thresholds."""


class Schedule(Section):
    """Times at which a model is scaled to zero, and started again.

    Its GPU nodes are billed between `wakes` and `sleeps` only.
    """

    wakes: TimeOfDay
    """Time at which the copies start, such as `07:30`. A model answers 15 to 30 minutes later, so choose a time before
    work begins."""
    sleeps: TimeOfDay
    """Time at which the model is scaled to zero; with a time before `wakes`, on the next day."""
    days: Annotated[tuple[DayOfWeek, ...], Field(strict=False, min_length=1), AfterValidator(distinct)] = (
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
    )
    """Days on which the model wakes up."""
    time_zone: TimeZone = "UTC"
    """Time zone of both times, by its name in the tz database, such as `Europe/Rome`. It includes summer time."""
    replicas: Annotated[int, Field(ge=1, le=100)] | None = None
    """Number of copies at `wakes`, and of the chat's wake button; by default `min_replicas`, or `replicas`."""
    hold_seconds: Annotated[int, Field(ge=900, le=86400)] = 3600
    """Time without a question after which a model that runs outside its times, because somebody woke it, sleeps again.
    It is checked every 15 minutes."""

    @model_validator(mode="after")
    def _times_differ(self) -> "Schedule":
        if self.wakes == self.sleeps:
            raise ValueError(f"must have different times in wakes and sleeps, not {self.wakes} twice")
        return self

    @property
    def wake_cron(self) -> str:
        """The times of `wakes` as a cron expression."""
        return _cron(self.wakes, [_DAYS.index(day) for day in self.days])

    @property
    def sleep_cron(self) -> str:
        """The times of `sleeps` as a cron expression."""
        later = 1 if self.sleeps < self.wakes else 0
        return _cron(self.sleeps, [(_DAYS.index(day) + later) % len(_DAYS) for day in self.days])

    @property
    def hours_per_week(self) -> float:
        """Hours in a week between `wakes` and `sleeps`."""
        minutes = (_minutes(self.sleeps) - _minutes(self.wakes)) % _MINUTES_OF_A_DAY
        return len(self.days) * minutes / 60


def _minutes(time: str) -> int:
    hour, _, minute = time.partition(":")
    return int(hour) * 60 + int(minute)


def _cron(time: str, days: list[int]) -> str:
    hour, _, minute = time.partition(":")
    return f"{int(minute)} {int(hour)} * * {','.join(map(str, sorted(days)))}"
