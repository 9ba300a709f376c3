"""What of a conversation the model sees: questions, and answers that are marked as such.

Notices, warm-up steps and troubles are messages too, but unmarked; the mark also keeps an answer's own text, which
what is displayed under it is no part of. Both survive in the history.
"""

import json
from collections.abc import Iterable
from typing import Any, Protocol

from kaito_chat.backends import Turn
from kaito_chat.backends.base import Role

MARK = "kaito_chat"


class Said(Protocol):
    """A message of the page."""

    type: str
    content: str
    metadata: Any


def mark(answer: str, **facts: object) -> dict[str, Any]:
    """The metadata of an answer."""
    return {MARK: {"answer": answer} | facts}


def answer_of(message: Said) -> str | None:
    """The text of an answer; `None` if the message is none."""
    metadata = message.metadata
    if isinstance(metadata, str):  # as SQLite keeps it
        try:
            metadata = json.loads(metadata)
        except ValueError:
            return None
    marked = metadata.get(MARK) if isinstance(metadata, dict) else None
    answer = marked.get("answer") if isinstance(marked, dict) else None
    return answer if isinstance(answer, str) and answer else None


def turns_of(messages: Iterable[Said], system_prompt: str) -> list[Turn]:
    """The conversation, with its system prompt, in turns that alternate.

    Some chat templates refuse two questions in a row: those that were never answered are joined with the next one,
    and an answer with its continuation.
    """
    turns = [Turn("system", system_prompt)] if system_prompt.strip() else []
    for message in messages:
        if message.type == "user_message":
            _append(turns, "user", message.content, "\n\n")
        elif answer := answer_of(message):
            _append(turns, "assistant", answer, "")
    return turns


def _append(turns: list[Turn], role: Role, content: str, between: str) -> None:
    if turns and turns[-1].role == role:
        turns[-1] = Turn(role, turns[-1].content + between + content)
    else:
        turns.append(Turn(role, content))
