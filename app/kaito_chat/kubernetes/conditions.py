"""Conditions that KAITO reports about its objects, and the progress that they amount to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kaito_chat.backends.responses import object_of
from kaito_chat.kubernetes.failures import Failure

LONGEST_MESSAGE = 300


@dataclass(frozen=True)
class Conditions:
    """The progress of a Workspace, or of an InferenceSet that has none yet.

    Attributes:
        node_ready: Whether its GPU nodes are ready.
        server_ready: Whether its model server is ready.
        since: When the present step began: the creation, the nodes' readiness, or their loss.
        message: The controller's message about the error, or about the pending step.
        failure: The reason why it cannot become ready; `None` while it is in progress.
    """

    node_ready: bool
    server_ready: bool
    since: datetime | None
    message: str = ""
    failure: Failure | None = None


def most_advanced(replicas: Iterable[Conditions]) -> Conditions | None:
    """Return the progress of the replica that will answer first; `None` without replicas.

    Of those at the same step, the first one without a failure, then the one that began first.
    """
    return min(replicas, key=_rank, default=None)


def _rank(one: Conditions) -> tuple[bool, bool, bool, datetime]:
    began = one.since or datetime.max.replace(tzinfo=UTC)
    return not one.server_ready, not one.node_ready, one.failure is not None, began


def by_type(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the conditions of an object by their types."""
    entries = object_of(found.get("status")).get("conditions")
    entries = entries if isinstance(entries, list) else []
    return {str(entry.get("type")): entry for entry in entries if isinstance(entry, dict)}


def has_status(condition: object, status: str) -> bool:
    """Return whether a condition exists and has this status."""
    return object_of(condition).get("status") == status


def message_of(condition: dict[str, Any]) -> str:
    """Return a condition's message on one line, shortened."""
    return " ".join(str(condition.get("message", "")).split())[:LONGEST_MESSAGE]


def time_of(value: object) -> datetime | None:
    """Return a time that the API server sent; `None` if it is none."""
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
