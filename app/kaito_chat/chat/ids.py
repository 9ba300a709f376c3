"""Ids that come from outside: checked for their form before anything is done with them."""

import re
import uuid

# Chainlit joins session ids to paths, so nothing but the canonical form of a UUID may pass.
_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_THREADS = uuid.UUID("6f0f2c1e-2f0b-5d0e-9a53-0f5d1f5a7c11")


def is_uuid(value: object) -> bool:
    """Whether a value is a UUID in its canonical form: 36 characters, lower case."""
    return isinstance(value, str) and _CANONICAL.fullmatch(value) is not None


def is_message_id(value: object) -> bool:
    """Whether a value is an id as Chainlit's page makes it for a message: a canonical UUID of version 4."""
    return isinstance(value, str) and is_uuid(value) and uuid.UUID(value).version == 4  # noqa: PLR2004 - as it says


def thread_of(session_id: str) -> str:
    """The id of the conversation that a session begins.

    It follows from the session's id, so that a page that comes back to another process, or to a restarted one,
    comes back to its conversation even if it was never told the id.
    """
    return str(uuid.uuid5(_THREADS, session_id))
