"""From the error responses of model servers to `BackendError`."""

import re
from typing import Any

import httpx

from kaito_chat.backends.context_length import context_length_of
from kaito_chat.backends.errors import BackendError, Cause, Kind
from kaito_chat.backends.responses import bounded, detail_of, is_html, json_of, object_of, retry_after

TOO_LONG = re.compile(
    r"context.?length|maximum.{0,20}(context|model).{0,10}len|max_model_len|longer than the maximum|context window"
    r"|reduce the length|too many tokens|input.{0,20}too long|exceeds? the (available )?context|exceed_context_size"
    r"|max_tokens.{0,40}too large|`inputs`.{0,40}must (be <=|have less than)",
    re.IGNORECASE,
)
RENAMED = re.compile(r"server is pinned to|model .{0,120}(does not exist|not found)|model_not_found", re.IGNORECASE)
UNKNOWN_FIELD = re.compile(
    r"(?:unexpected|unsupported|unknown|unrecognized|extra|not permitted|not supported|only the default)",
    re.IGNORECASE,
)
OPTIONAL_FIELDS = ("top_k", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop")
# The first templates of Mistral 7B count a system message as a turn, hence the second line: ours do alternate.
NO_SYSTEM_ROLE = re.compile(
    r"system (role|message|prompt)s? (is |are )?not supported|not support.{0,12}system"
    r"|(?<!optional system message, )conversation roles must alternate user/assistant"
    r"|only user.{0,20}assistant roles are supported",
    re.IGNORECASE,
)
NO_CHAT_TEMPLATE = re.compile(
    r"default chat template is no longer allowed|chat_template is not set|does not (have|define) a chat template"
    r"|template error: template not found|no chat template",
    re.IGNORECASE,
)
BARE = ("", "internal server error")
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
# TGI sends names of errors instead of statuses; other servers do so within a stream.
BY_NAME = {
    "validation": 422,
    "template_error": 422,
    "tool_error": 422,
    "overloaded": 429,
    "rate_limit_exceeded": 429,
    "content_filter": 400,
    "context_length_exceeded": 400,
    "exceed_context_size_error": 400,
    "invalid_request_error": 400,
    "BadRequestError": 400,
    "NotFoundError": 404,
}
BROKE = 500


def unknown_field(detail: str, body: object) -> str | None:
    """Return the optional field of our request that the server does not accept, if it names one."""
    named = str(object_of(object_of(body).get("error")).get("param"))
    if not UNKNOWN_FIELD.search(detail):
        return None
    if named in OPTIONAL_FIELDS:
        return named
    return next((field for field in OPTIONAL_FIELDS if re.search(rf"\b{field}\b", detail)), None)


def http_error(response: httpx.Response) -> BackendError:
    """Return the error for a response with an error status. The response has been read."""
    body = json_of(response)
    text = "" if is_html(response) else response.text
    error = error_of(response.status_code, body, text or response.reason_phrase)
    error.retry_after_seconds = retry_after(response.headers)
    return error


def error_of(status: int, body: object, text: str) -> BackendError:
    """Return the error for an error object with a status, from a response or from within a stream."""
    detail = detail_of(body, text)
    logged = f"HTTP {status}: {detail}"
    if status >= BROKE:
        bare = status == BROKE and detail.lower() in BARE
        cause = Cause.UNSAID if bare else _cause(detail)
        return BackendError(BY_STATUS.get(status, Kind.FAILED), logged, status=status, cause=cause)
    kind = BY_STATUS.get(status, Kind.FAILED)
    parameter = cause = context_length = None
    if status in (400, 404, 413, 422):
        error = object_of(object_of(body).get("error"))
        parameter = unknown_field(detail, body)
        if RENAMED.search(detail) or (status == httpx.codes.NOT_FOUND and _named(body) == "NotFoundError"):
            kind = Kind.RENAMED
        elif error.get("code") == "content_filter":
            kind = Kind.FILTERED
        elif status != httpx.codes.NOT_FOUND:
            context_length = context_length_of(detail, error)
            too_long = context_length or TOO_LONG.search(detail) or kind is Kind.TOO_LONG
            kind = Kind.TOO_LONG if too_long and parameter is None else Kind.REFUSED
        if kind is Kind.REFUSED:
            cause = _cause(detail)
            parameter = None if cause else parameter
    return BackendError(
        kind, logged, status=status, said=detail, parameter=parameter, cause=cause, context_length=context_length
    )


def error_in_stream(piece: dict[str, Any]) -> BackendError | None:
    """Return the error for a chunk of a stream, as if it had come with a status; `None` if it is no error."""
    error = piece.get("error")
    if not error and piece.get("object") != "error":
        return None
    about = error if isinstance(error, dict) else piece
    code = about.get("code")
    status = code if isinstance(code, int) and not isinstance(code, bool) else None
    if status is None:
        names = (str(name) for name in (code, about.get("error_type"), about.get("type")))
        status = next((BY_NAME[name] for name in names if name in BY_NAME), BROKE)
    return error_of(status if 400 <= status < 600 else BROKE, piece, "an error in the stream")  # noqa: PLR2004


def not_api_error(response: httpx.Response) -> BackendError | None:
    """Return the error for a web page or a redirect in place of the API; `None` for any other response."""
    if response.has_redirect_location or 300 <= response.status_code < 400:  # noqa: PLR2004
        place = bounded(response.headers.get("location", "nowhere"))
        return BackendError(Kind.NOT_API, f"HTTP {response.status_code}: a redirect to {place}")
    if response.is_success and is_html(response):
        return BackendError(Kind.NOT_API, f"HTTP {response.status_code}: a web page")
    return None


def connection_error(error: Exception) -> BackendError:
    """Return the error for a request without a response."""
    words = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return BackendError(Kind.NOT_READY, f"no connection: {words}")
    if isinstance(error, httpx.PoolTimeout):
        return BackendError(Kind.BUSY, "all connections are in use")
    if isinstance(error, httpx.TimeoutException):
        return BackendError(Kind.SLOW, words)
    return BackendError(Kind.NOT_READY, f"the connection broke: {words}")


def _named(body: object) -> str:
    """Return the name of an error in OpenAI's shape, or in vLLM's older one."""
    return str(object_of(object_of(body).get("error")).get("type") or object_of(body).get("type"))


def _cause(detail: str) -> Cause | None:
    if NO_CHAT_TEMPLATE.search(detail):
        return Cause.NO_CHAT_TEMPLATE
    return Cause.NO_SYSTEM_ROLE if NO_SYSTEM_ROLE.search(detail) else None
