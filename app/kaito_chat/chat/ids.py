"""Validation of ids that browsers send, and derived ids."""

import re
import uuid

# Chainlit builds paths from session ids, so only canonical UUIDs may pass.
_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_THREADS = uuid.UUID("6f0f2c1e-2f0b-5d0e-9a53-0f5d1f5a7c11")


def is_uuid(value: object) -> bool:
    """Return whether a value is a UUID in canonical form: 36 characters, lower case."""
    return isinstance(value, str) and _CANONICAL.fullmatch(value) is not None


def is_message_id(value: object) -> bool:
    """Return whether a value is a message id as Chainlit's page generates it: a canonical UUID of version 4."""
    return isinstance(value, str) and is_uuid(value) and uuid.UUID(value).version == 4  # noqa: PLR2004 - as it says


def thread_of(session_id: str) -> str:
    """Return the id of the conversation that a session starts.

    It is derived from the session's id, so that a page that reconnects to another replica, or to a restarted one,
    finds its conversation even if it never received the id.
    """
    return str(uuid.uuid5(_THREADS, session_id))
