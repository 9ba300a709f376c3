"""Fields of Kubernetes objects and of Azure's answers, read without trusting their form."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

Object = dict[str, Any]
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


class Condition(NamedTuple):
    """A condition of a status.

    Attributes:
        since: The time of the last transition.
    """

    type: str
    status: str
    reason: str
    message: str
    since: datetime | None

    @property
    def true(self) -> bool:
        """Whether the status is True."""
        return self.status == "True"

    @property
    def text(self) -> str:
        """Reason and message on one line."""
        return line(f"{self.reason} {self.message}")


def at(value: object, *path: str | int) -> Any:  # noqa: ANN401 - a part of JSON
    """Return the value at a path of keys and positions; None if there is none."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def listed(value: object, *path: str | int) -> list[Object]:
    """Return the objects of a list at a path; none if there is no list."""
    found = at(value, *path)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def text(value: object, *path: str | int) -> str:
    """Return a text at a path; empty if there is none."""
    found = at(value, *path)
    return "" if found is None or isinstance(found, dict | list) else str(found)


def name(value: Object) -> str:
    """Return the name of a Kubernetes object."""
    return text(value, "metadata", "name")


def label(value: Object, key: str) -> str:
    """Return a label of a Kubernetes object."""
    return text(value, "metadata", "labels", key)


def conditions(value: Object) -> dict[str, Condition]:
    """Return the conditions of a status by their types."""
    found = [
        Condition(
            text(each, "type"),
            text(each, "status"),
            text(each, "reason"),
            text(each, "message"),
            time(at(each, "lastTransitionTime")),
        )
        for each in listed(value, "status", "conditions")
    ]
    return {each.type: each for each in found}


def time(value: object) -> datetime | None:
    """Return a time with its zone; None if it is none."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def line(value: str, longest: int = 600) -> str:
    """Return a text on one line, without a length that fills the terminal."""
    found = " ".join(value.split())
    return found if len(found) <= longest else f"{found[:longest]}..."


def duration(seconds: float) -> str:
    """Return a duration in the two largest units, such as 4 min 44 s."""
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"
