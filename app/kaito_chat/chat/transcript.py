"""What of a conversation the model sees: questions, and answers that are marked as such.

Notices, warm-up steps and troubles are messages too, but unmarked; the mark also keeps an answer's own text, which
what is displayed under it is no part of. Both survive in the history.
"""

import json
from collections.abc import Iterable
from typing import Any, Protocol

from kaito_chat.backends import Turn
from kaito_chat.backends.thinking import without_thinking
from kaito_chat.trouble import Kind

MARK = "kaito_chat"
# A question that met one of these would meet it again with every question after it: it is left out from then on.
LEFT_OUT = (Kind.TOO_LONG, Kind.REFUSED, Kind.FILTERED)


class Said(Protocol):
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


def answer_of(message: Said) -> str | None:
    """The text of an answer; `None` if the message is none."""
    answer = _marked(message).get("answer")
    return answer if isinstance(answer, str) and answer else None


def is_partial(message: Said) -> bool:
    """Whether an answer was kept while it arrived, and its end never came."""
    return bool(_marked(message).get("partial"))


def is_unfinished(message: Said) -> bool:
    """Whether the model may go on with an answer: it was cut, stopped, or reached its longest length."""
    return is_partial(message) or bool(_marked(message).get("unfinished"))


def turns_of(messages: Iterable[Said], system_prompt: str) -> list[Turn]:
    """The conversation, with its system prompt, in turns that alternate.

    Some chat templates refuse two questions in a row: those that were never answered are joined with the next one,
    and an answer with its continuation. Thinking that an answer still holds is left out. Messages are taken in the
    order of their creation: what arrived of an answer that the next question ended is finished after that question.
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
    """What we noted about a message."""
    metadata = message.metadata
    if isinstance(metadata, str):  # as SQLite keeps it
        try:
            metadata = json.loads(metadata)
        except ValueError:
            return {}
    marked = metadata.get(MARK) if isinstance(metadata, dict) else None
    return marked if isinstance(marked, dict) else {}
