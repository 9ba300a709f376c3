"""Keeps a conversation inside the model's context window.

Without the server's count, tokens are estimated as a third of the UTF-8 bytes, plus eight for each message's
frame. English text has about four bytes per token, code about three, and most other scripts more than three: the
estimate is meant to be too high rather than too low. If the server still refuses a conversation for its length, more
messages are dropped.
"""

from collections.abc import Sequence
from typing import NamedTuple

from kaito_chat.backends import Message

BYTES_PER_TOKEN = 3
FRAME_TOKENS = 8
# A shorter answer is not worth a request.
SHORTEST_ANSWER_TOKENS = 64


class Fitted(NamedTuple):
    """A conversation that fits into the context window.

    Attributes:
        messages: The system prompt, then the newest messages.
        dropped: How many of the oldest messages are left out.
        max_tokens: The longest answer that the window leaves room for.
    """

    messages: list[Message]
    dropped: int
    max_tokens: int


def estimate(messages: Sequence[Message]) -> int:
    """Return an estimate of a conversation's tokens; rather too many."""
    return sum(-(-len(each.content.encode(errors="replace")) // BYTES_PER_TOKEN) + FRAME_TOKENS for each in messages)


def fit(messages: Sequence[Message], window_tokens: int, max_tokens: int, *, scale: float = 1.0) -> Fitted:
    """Drop the oldest messages until question and answer fit; the system prompt and the question always stay.

    A long question shortens the answer first: only the server, which counts tokens, refuses a question as too long.

    Args:
        messages: The conversation, with its system prompt first if it has one, and the question last.
        window_tokens: The model's context window.
        max_tokens: The longest answer wanted.
        scale: The server's own count over our estimate, where known.
    """
    system = [each for each in messages[:1] if each.role == "system"]
    rest = list(messages[len(system) :])
    wanted = min(max_tokens, max(SHORTEST_ANSWER_TOKENS, window_tokens // 2))
    dropped = 0
    while len(rest) > 1 and _tokens([*system, *rest], scale) + wanted > window_tokens:
        count = _oldest_exchange(rest)
        dropped += count
        rest = rest[count:]
    kept = [*system, *rest]
    left = window_tokens - _tokens(kept, scale)
    return Fitted(kept, dropped, max(min(max_tokens, left), min(SHORTEST_ANSWER_TOKENS, max_tokens)))


def shorten(messages: Sequence[Message]) -> tuple[list[Message], int]:
    """Return the conversation without its older half, and the number of messages dropped."""
    system = [each for each in messages[:1] if each.role == "system"]
    rest = list(messages[len(system) :])
    dropped = 0
    while len(rest) > 1 and dropped < len(messages) / 2:
        count = _oldest_exchange(rest)
        dropped += count
        rest = rest[count:]
    return [*system, *rest], dropped


def _tokens(messages: Sequence[Message], scale: float) -> int:
    return round(estimate(messages) * scale)


def _oldest_exchange(messages: Sequence[Message]) -> int:
    """Return the number of messages of the oldest question and its answers; never all messages."""
    following = (index for index, each in enumerate(messages[1:], 1) if each.role == "user")
    return min(next(following, 1), len(messages) - 1)
