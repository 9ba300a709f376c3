"""Makes sense of what model servers answer when they do not answer a question.

The bodies come in four shapes: OpenAI's `{"error": {"message": …}}`, FastAPI's `{"detail": "…"}` and
`{"detail": [{"loc": …, "msg": …}]}`, and plain text.
"""

import email.utils
import json
import re
import time
from typing import Any

import httpx

from kaito_chat.trouble import BackendError, Kind

LONGEST_DETAIL = 300
TOO_LONG = re.compile(
    r"context.?length|maximum.{0,20}(context|model).{0,10}len|max_model_len|longer than the maximum|context window"
    r"|reduce the length|too many tokens|input.{0,20}too long|exceeds? the (available )?context",
    re.IGNORECASE,
)
RENAMED = re.compile(r"server is pinned to|model .{0,120}(does not exist|not found)|model_not_found", re.IGNORECASE)
UNKNOWN_FIELD = re.compile(
    r"(?:unexpected|unsupported|unknown|unrecognized|extra|not permitted|not supported|only the default)",
    re.IGNORECASE,
)
OPTIONAL_FIELDS = ("top_k", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p")
BY_STATUS = {
    401: Kind.FORBIDDEN,
    403: Kind.FORBIDDEN,
    404: Kind.NOT_READY,
    408: Kind.SLOW,
    413: Kind.TOO_LONG,
    429: Kind.BUSY,
    502: Kind.NOT_READY,
    503: Kind.NOT_READY,
    504: Kind.SLOW,
}


def json_of(response: httpx.Response) -> Any:  # noqa: ANN401 - a stranger's JSON
    """The body as JSON, `None` if it is not JSON."""
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def detail_of(body: object, text: str) -> str:
    """The server's own words, on one line."""
    if isinstance(body, dict):
        error = body.get("error", body.get("detail", body.get("message")))
        if isinstance(error, dict):
            error = error.get("message") or error.get("code")
        if isinstance(error, list):
            error = "; ".join(
                f"{'.'.join(str(part) for part in item.get('loc', ()))}: {item.get('msg', '')}"
                for item in error
                if isinstance(item, dict)
            )
        if error:
            text = str(error)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_DETAIL else text[:LONGEST_DETAIL] + "…"


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds until the server wants to be asked again, given as seconds or as a date."""
    value = headers.get("retry-after", "")
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def unknown_field(detail: str, body: object) -> str | None:
    """The optional field of our request that the server complains about, if it does."""
    error = body.get("error") if isinstance(body, dict) else None
    named = str(error.get("param")) if isinstance(error, dict) else ""
    if named in OPTIONAL_FIELDS and UNKNOWN_FIELD.search(detail):
        return named
    if not UNKNOWN_FIELD.search(detail):
        return None
    return next((field for field in OPTIONAL_FIELDS if re.search(rf"\b{field}\b", detail)), None)


def refusal(response: httpx.Response) -> BackendError:
    """What an answer with an error status means. The response has been read."""
    body = json_of(response)
    detail = detail_of(body, response.text if "html" not in response.headers.get("content-type", "") else "")
    detail = detail or response.reason_phrase
    status = response.status_code
    kind = BY_STATUS.get(status, Kind.FAILED)
    parameter = None
    if status in (400, 404, 413, 422):
        parameter = unknown_field(detail, body)
        if RENAMED.search(detail) or (status == httpx.codes.NOT_FOUND and "NotFoundError" in response.text):
            kind = Kind.RENAMED
        elif status in (400, 422):
            kind = Kind.TOO_LONG if TOO_LONG.search(detail) and parameter is None else Kind.REFUSED
    return BackendError(
        kind, f"HTTP {status}: {detail}", retry_after_seconds=retry_after(response.headers), parameter=parameter
    )


def no_answer(error: Exception) -> BackendError:
    """What it means that there is no answer at all."""
    words = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return BackendError(Kind.NOT_READY, f"no connection: {words}")
    if isinstance(error, httpx.PoolTimeout):
        return BackendError(Kind.BUSY, "all connections are in use")
    if isinstance(error, httpx.TimeoutException):
        return BackendError(Kind.SLOW, words)
    return BackendError(Kind.NOT_READY, f"the connection broke: {words}")
