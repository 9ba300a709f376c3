"""Logging: one JSON object per line, with request and session ids, without the content of conversations."""

import logging
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from kaito_chat.telemetry import audit

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
session_id: ContextVar[str | None] = ContextVar("session_id", default=None)
# Libraries that log every request, connection or file: warnings and errors only.
QUIET = (
    "httpx",
    "httpcore",
    "socketio",
    "engineio",
    # Also by these names: without a level of their own, both add a handler that writes plain text.
    "socketio.server",
    "engineio.server",
    "aiosqlite",
    "alembic",
    "azure",
    "uvicorn.access",
    "uvicorn.error",
    "chainlit",
)


LONGEST_MESSAGE = 2000
LONGEST_FIELD = 500
LONGEST_TRACEBACK = 8000
_CONTROL = {number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160))}
# Bidirectional controls, which can make a log line display misleadingly.
_CONTROL |= {number: f"\\u{number:04x}" for number in (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}


class _Ids(logging.Filter):
    """Adds the ids of the request and of the session to a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        record.session_id = session_id.get()
        return True


class _Bounds(logging.Filter):
    """Truncates a record's fields, which may contain long names, ids and headers from requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        record.msg, record.args = _bounded(message, LONGEST_MESSAGE), None
        for key, value in record.__dict__.items():
            if isinstance(value, str) and len(value) > LONGEST_FIELD and key not in ("msg", "exc_text"):
                record.__dict__[key] = _bounded(value, LONGEST_FIELD)
        return True


def _bounded(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text)} characters)"


def _without_traceback(record: logging.LogRecord) -> bool:
    """Drop the traceback of an unreadable Engine.IO packet, which is the client's fault."""
    if record.msg == "Unknown receive error":
        record.exc_info = None
    return True


class _Text(logging.Formatter):
    """Plain text for a terminal: one line per record, with control characters escaped; tracebacks follow it."""

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802 - logging's own
        return _bounded(super().formatException(ei), LONGEST_TRACEBACK)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        return super().formatMessage(record).translate(_CONTROL)


class _Json(JsonFormatter):
    """JSON without the fields that have no value."""

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802 - logging's own
        return _bounded(str(super().formatException(ei)), LONGEST_TRACEBACK)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in log_data.items() if value is not None}


def configure(level: str, log_format: str) -> None:
    """Send all logs to standard error, including those of Chainlit and uvicorn."""
    handler = logging.StreamHandler()
    handler.addFilter(_Bounds())
    handler.addFilter(_Ids())
    if log_format == "json":
        renamed = {"asctime": "time", "levelname": "level", "name": "logger"}
        fields = "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s %(session_id)s"
        handler.setFormatter(_Json(fields, rename_fields=renamed))
    else:
        handler.setFormatter(_Text("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("chainlit", "uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    audit.log.setLevel(logging.INFO)  # audit lines do not depend on the level of the other logs
    logging.getLogger("engineio.server").addFilter(_without_traceback)
