"""The part of a conversation that is sent to the model: questions, and messages marked as answers.

Notices are messages too, but have no such mark. The mark is stored in the message's metadata, so it survives in the
history; it holds the answer as the model wrote it, where the message's content is rewritten for display.
"""

import json
from collections.abc import Iterable
from typing import Any, Protocol

from kaito_chat.backends import Turn
from kaito_chat.backends.thinking import without_thinking
from kaito_chat.trouble import Kind

MARK = "kaito_chat"
# A question refused for one of these would make every later request fail too: it is left out from then on.
LEFT_OUT = (Kind.TOO_LONG, Kind.REFUSED, Kind.FILTERED)


class Said(Protocol):
    """A message of the page."""

    type: str
    content: str
    created_at: str | None
    metadata: Any


def mark(answer: str, **facts: object) -> dict[str, Any]:
    """Return the metadata that marks a message as an answer."""
    return {MARK: {"answer": answer} | facts}


def notice(kind: str) -> dict[str, Any]:
    """Return the metadata that marks a message as a notice, which is not part of the conversation."""
    return {MARK: {"notice": kind}}


def answer_of(message: Said) -> str | None:
    """Return the text of an answer; `None` for other messages."""
    answer = _marked(message).get("answer")
    return answer if isinstance(answer, str) and answer else None


def is_partial(message: Said) -> bool:
    """Return whether an answer was saved while it streamed and never finished."""
    return bool(_marked(message).get("partial"))


def is_unfinished(message: Said) -> bool:
    """Return whether the model can continue an answer: it was cut off, stopped, or reached the token limit."""
    return is_partial(message) or bool(_marked(message).get("unfinished"))


def turns_of(messages: Iterable[Said], system_prompt: str) -> list[Turn]:
    """Return the conversation, with its system prompt, as alternating turns.

    Some chat templates reject two questions in a row: an unanswered question is joined with the next one, and an
    answer with its continuation. Reasoning is left out. Messages are sorted by creation time, because a cancelled
    answer is finished after the question that cancelled it.
    """
    turns = [Turn("system", system_prompt)] if system_prompt.strip() else []
    waiting: list[str] = []
    for message in sorted(messages, key=lambda each: each.created_at or ""):
        if message.type == "user_message":
            waiting.append(message.content)
        elif answer := without_thinking(answer_of(message) or ""):
            if waiting:
                turns.append(Turn("user", "\n\n".join(waiting)))
                waiting.clear()
            if turns and turns[-1].role == "assistant":
                answer = turns.pop().content + answer
            turns.append(Turn("assistant", answer))
        elif waiting and _marked(message).get("notice") in LEFT_OUT:
            waiting.pop()
    return [*turns, Turn("user", "\n\n".join(waiting))] if waiting else turns


def _marked(message: Said) -> dict[str, Any]:
    """Return the mark in a message's metadata; empty if there is none."""
    metadata = message.metadata
    if isinstance(metadata, str):  # as SQLite keeps it
        try:
            metadata = json.loads(metadata)
        except ValueError:
            return {}
    marked = metadata.get(MARK) if isinstance(metadata, dict) else None
    return marked if isinstance(marked, dict) else {}
