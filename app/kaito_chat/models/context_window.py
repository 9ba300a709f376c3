"""Truncation of a conversation to the model's context window.

Without the server's own count, tokens are estimated as a third of the UTF-8 bytes, plus eight per message for the chat
template. English text has about four bytes per token, code about three, and most other scripts more than three: the
estimate is rather too high than too low. If the server still rejects a conversation, more turns are dropped.
"""

from collections.abc import Sequence
from typing import NamedTuple

from kaito_chat.backends import Turn

BYTES_PER_TOKEN = 3
FRAME_TOKENS = 8
# A shorter answer is not worth a request.
SHORTEST_ANSWER_TOKENS = 64


class Fitted(NamedTuple):
    """A conversation that fits into the context window.

    Attributes:
        turns: The turns to send: the system prompt, then the newest turns.
        dropped: The number of oldest turns left out.
        max_tokens: The longest answer that the window leaves room for.
    """

    turns: list[Turn]
    dropped: int
    max_tokens: int


def estimate(turns: Sequence[Turn]) -> int:
    """Estimate the number of tokens of a conversation, rather too high than too low."""
    return sum(-(-len(turn.content.encode(errors="replace")) // BYTES_PER_TOKEN) + FRAME_TOKENS for turn in turns)


def fit(turns: Sequence[Turn], window_tokens: int, max_tokens: int, *, scale: float = 1.0) -> Fitted:
    """Drop the oldest turns until question and answer fit; the system prompt and the question always stay.

    A long question reduces the room for the answer; it is never rejected here, because only the server knows the
    exact count.

    Args:
        turns: The conversation, with its system prompt first if it has one, and the question last.
        window_tokens: The size of the context window.
        max_tokens: The requested length of the answer.
        scale: The ratio of the server's count to our estimate, if known.
    """
    system = [turn for turn in turns[:1] if turn.role == "system"]
    rest = list(turns[len(system) :])
    wanted = min(max_tokens, max(SHORTEST_ANSWER_TOKENS, window_tokens // 2))
    dropped = 0
    while len(rest) > 1 and _tokens([*system, *rest], scale) + wanted > window_tokens:
        count = _exchange(rest)
        dropped += count
        rest = rest[count:]
    kept = [*system, *rest]
    left = window_tokens - _tokens(kept, scale)
    return Fitted(kept, dropped, max(min(max_tokens, left), min(SHORTEST_ANSWER_TOKENS, max_tokens)))


def shorten(turns: Sequence[Turn]) -> tuple[list[Turn], int]:
    """Drop the older half of a conversation that the server rejected as too long; also return the number dropped."""
    system = [turn for turn in turns[:1] if turn.role == "system"]
    rest = list(turns[len(system) :])
    dropped = 0
    while len(rest) > 1 and dropped < len(turns) / 2:
        count = _exchange(rest)
        dropped += count
        rest = rest[count:]
    return [*system, *rest], dropped


def _tokens(turns: Sequence[Turn], scale: float) -> int:
    return round(estimate(turns) * scale)


def _exchange(turns: Sequence[Turn]) -> int:
    """Return the number of turns of the oldest question and its answers, without the last turn."""
    following = (index for index, turn in enumerate(turns[1:], 1) if turn.role == "user")
    return min(next(following, 1), len(turns) - 1)
