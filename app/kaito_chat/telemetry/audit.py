"""Audit log: user, action and outcome, never the content of a conversation."""

import logging

log = logging.getLogger("kaito_chat.audit")


def record(action: str, user: str | None, outcome: str, **subjects: str) -> None:
    """Write one audit line.

    Args:
        action: `sign_in`, `sign_out`, `connect`, `question`, `feedback`, `rename`, `delete` or `wake`.
        user: The user's identifier; `None` without sign-in.
        outcome: `ok`, or the reason of the refusal or failure.
        subjects: Ids of the affected objects, such as `thread_id`.
    """
    log.info("audit", extra={"action": action, "user": user or "anonymous", "outcome": outcome, **subjects})
