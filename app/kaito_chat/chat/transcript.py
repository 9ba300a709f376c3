"""The part of a conversation that is sent to the model: questions, and messages marked as answers.

Notices are messages too, but have no such mark. The mark is stored in the message's metadata, so it survives in the
history; it holds the answer as the model wrote it, where the message's content is rewritten for display.
"""

import json
from collections.abc import Iterable
from typing import Any, Protocol

from kaito_chat.backends import Message
from kaito_chat.backends.errors import Kind
from kaito_chat.backends.thinking import without_thinking

MARK = "kaito_chat"
# A question refused for one of these would make every later request fail too: it is left out from then on.
LEFT_OUT = (Kind.TOO_LONG, Kind.REFUSED, Kind.FILTERED)


class PageMessage(Protocol):
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


def answer_of(message: PageMessage) -> str | None:
    """Return the text of an answer; `None` for other messages."""
    answer = _marked(message).get("answer")
    return answer if isinstance(answer, str) and answer else None


def is_partial(message: PageMessage) -> bool:
    """Return whether an answer was saved while it streamed and never finished."""
    return bool(_marked(message).get("partial"))


def is_unfinished(message: PageMessage) -> bool:
    """Return whether the model can continue an answer: it was cut off, stopped, or reached the token limit."""
    return is_partial(message) or bool(_marked(message).get("unfinished"))


def messages_for_model(messages: Iterable[PageMessage], system_prompt: str) -> list[Message]:
    """Return the conversation, with its system prompt, in messages of alternating roles.

    Some chat templates reject two questions in a row: an unanswered question is joined with the next one, and an
    answer with its continuation. Reasoning is left out. Messages are sorted by creation time, because a cancelled
    answer is finished after the question that cancelled it.
    """
    sent = [Message("system", system_prompt)] if system_prompt.strip() else []
    waiting: list[str] = []
    for message in sorted(messages, key=lambda each: each.created_at or ""):
        if message.type == "user_message":
            waiting.append(message.content)
        elif answer := without_thinking(answer_of(message) or ""):
            if waiting:
                sent.append(Message("user", "\n\n".join(waiting)))
                waiting.clear()
            if sent and sent[-1].role == "assistant":
                answer = sent.pop().content + answer
            sent.append(Message("assistant", answer))
        elif waiting and _marked(message).get("notice") in LEFT_OUT:
            waiting.pop()
    return [*sent, Message("user", "\n\n".join(waiting))] if waiting else sent


def _marked(message: PageMessage) -> dict[str, Any]:
    """Return the mark in a message's metadata; empty if there is none."""
    metadata = message.metadata
    if isinstance(metadata, str):  # as SQLite keeps it
        try:
            metadata = json.loads(metadata)
        except ValueError:
            return {}
    marked = metadata.get(MARK) if isinstance(metadata, dict) else None
    return marked if isinstance(marked, dict) else {}
