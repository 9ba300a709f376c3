"""What of a conversation the model sees: questions, and answers that are marked as such.

Notices, warm-up steps and troubles are messages too, but unmarked; the mark also keeps an answer's own text, which
what is displayed under it is no part of. Both survive in the history.
"""

import json
from collections.abc import Iterable
from typing import Any, Protocol

from kaito_chat.backends import Message
from kaito_chat.backends.errors import Kind
from kaito_chat.backends.thinking import without_thinking

MARK = "kaito_chat"
# A question that met one of these would meet it again with every question after it: it is left out from then on.
LEFT_OUT = (Kind.TOO_LONG, Kind.REFUSED, Kind.FILTERED)


class PageMessage(Protocol):
    """A message of the page."""

    type: str
    content: str
    created_at: str | None
    metadata: Any


def mark(answer: str, **facts: object) -> dict[str, Any]:
    """The metadata of an answer."""
    return {MARK: {"answer": answer} | facts}


def notice(kind: str) -> dict[str, Any]:
    """The metadata of what is said about a question, and no part of the conversation."""
    return {MARK: {"notice": kind}}


def answer_of(message: PageMessage) -> str | None:
    """The text of an answer; `None` if the message is none."""
    answer = _marked(message).get("answer")
    return answer if isinstance(answer, str) and answer else None


def is_partial(message: PageMessage) -> bool:
    """Whether an answer was kept while it arrived, and its end never came."""
    return bool(_marked(message).get("partial"))


def is_unfinished(message: PageMessage) -> bool:
    """Whether the model may go on with an answer: it was cut, stopped, or reached its longest length."""
    return is_partial(message) or bool(_marked(message).get("unfinished"))


def messages_for_model(messages: Iterable[PageMessage], system_prompt: str) -> list[Message]:
    """Return the conversation, with its system prompt, in messages of alternating roles.

    Some chat templates refuse two questions in a row: those that were never answered are joined with the next one,
    and an answer with its continuation. Thinking that an answer still holds is left out. Messages are taken in the
    order of their creation: what arrived of an answer that the next question ended is finished after that question.
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
    """What we noted about a message."""
    metadata = message.metadata
    if isinstance(metadata, str):  # as SQLite keeps it
        try:
            metadata = json.loads(metadata)
        except ValueError:
            return {}
    marked = metadata.get(MARK) if isinstance(metadata, dict) else None
    return marked if isinstance(marked, dict) else {}
