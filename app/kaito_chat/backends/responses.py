"""Reads responses: JSON, error messages and `Retry-After`.

Bodies of errors come in these shapes: OpenAI's `{"error": {"message": …}}`, vLLM's older
`{"object": "error", "message": …}`, TGI's `{"error": "…", "error_type": …}`, FastAPI's `{"detail": "…"}` and
`{"detail": [{"loc": …, "msg": …}]}`, and plain text.
"""

import email.utils
import json
import re
import time
from typing import Any

import httpx

LONGEST_DETAIL = 300


def json_of(response: httpx.Response) -> Any:  # noqa: ANN401 - any JSON
    """Return the body as JSON; `None` if it is not JSON."""
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def object_of(value: object) -> dict[str, Any]:
    """Return the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def detail_of(body: object, text: str) -> str:
    """Return the error message in a body, on one line."""
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
    return bounded(text)


def bounded(text: str) -> str:
    """Return the text on one line, shortened."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_DETAIL else text[:LONGEST_DETAIL] + "…"


def retry_after(headers: httpx.Headers) -> float | None:
    """Return the seconds of `Retry-After`, which holds seconds or a date."""
    value = headers.get("retry-after", "")
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def is_html(response: httpx.Response) -> bool:
    """Return whether the response is a web page."""
    return "html" in response.headers.get("content-type", "")
