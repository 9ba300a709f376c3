"""From the JSON of chat completions and completions to events: chunks of a stream, or one document."""

import json
from typing import Any

from kaito_chat.backends.error_responses import error_in_stream
from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.backends.interface import Event, Finish, Reasoning, Text, Usage
from kaito_chat.backends.responses import object_of

_DECODER = json.JSONDecoder()


def events_of(item: bytes, *, begun: bool = True) -> list[Event]:
    """Return the events in one chunk of a streamed completion.

    Args:
        item: The chunk.
        begun: Whether text arrived before it. An error that comes first means the same as an HTTP error.

    Raises:
        BackendError: It is not JSON, or it is an error.
    """
    try:
        piece = _parsed(item)
    except (ValueError, RecursionError):
        raise BackendError(Kind.CUT_OFF, "a piece of the stream is not JSON") from None
    if not isinstance(piece, dict):
        raise BackendError(Kind.CUT_OFF, "a piece of the stream is not an object")
    if ("error" in piece or piece.get("object") == "error") and (error := error_in_stream(piece)):
        raise BackendError(Kind.CUT_OFF, error.detail, said=error.said) if begun else error
    choices = piece.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else {}
    if not isinstance(choice, dict):
        choice = {}
    delta = choice.get("delta")
    return _events(choice, delta if isinstance(delta, dict) and delta else choice, piece)


def _parsed(item: bytes) -> object:
    """Return the value of a JSON document. json.loads takes longer to detect its encoding than to parse it."""
    text = item.decode("utf-8", "surrogatepass")
    try:
        value, end = _DECODER.raw_decode(text)
    except ValueError:
        return json.loads(item)
    return value if end == len(text) else json.loads(item)


def whole(body: bytes) -> list[Event]:
    """Return the events of an answer that came as one document.

    Raises:
        BackendError: It is not a completion.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise BackendError(Kind.GARBLED, "the answer is not JSON") from None
    if error := error_in_stream(object_of(answer)):
        raise error
    choices = object_of(answer).get("choices")
    if not isinstance(choices, list) or not choices:
        raise BackendError(Kind.GARBLED, "the answer holds no choice")
    choice = object_of(choices[0])
    events = _events(choice, object_of(choice.get("message")) or choice, object_of(answer))
    return events if any(isinstance(event, Finish) for event in events) else [*events, Finish("stop")]


def text_of(content: object) -> str:
    """Return a text that comes as a string or as a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(text_of(part) for part in content)
    if isinstance(content, dict):
        return text_of(content.get("text", content.get("thinking", content.get("content", ""))))
    return ""


def _events(choice: dict[str, Any], said: dict[str, Any], piece: dict[str, Any]) -> list[Event]:
    events: list[Event] = []
    if thought := said.get("reasoning_content") or said.get("reasoning"):
        events.append(Reasoning(text_of(thought)))
    content = said.get("content")
    if content and isinstance(content, str):
        events.append(Text(content))
    elif isinstance(content, list):
        events += _parts(content)
    elif text := text_of(content or said.get("text") or said.get("refusal")):
        events.append(Text(text))
    if (usage := piece.get("usage")) and isinstance(usage, dict):
        events.append(Usage(_number(usage.get("prompt_tokens")), _number(usage.get("completion_tokens"))))
    if reason := choice.get("finish_reason"):
        events.append(Finish(str(reason)))
    return events


def _parts(parts: list[object]) -> list[Event]:
    """Return the events of content in parts; a part may be reasoning."""
    events: list[Event] = []
    for part in parts:
        if text := text_of(part):
            thinks = object_of(part).get("type") in ("thinking", "reasoning")
            events.append(Reasoning(text) if thinks else Text(text))
    return events


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
