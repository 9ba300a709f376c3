"""Keeps a conversation inside the model's window.

Without the server's own count, tokens are estimated as a third of the UTF-8 bytes, plus eight for each message's
frame. English text has about four bytes per token, code about three, and most other scripts more than three: the
estimate is meant to be too high rather than too low. The server has the last word: if it finds a conversation too
long all the same, more turns are dropped.
"""

from collections.abc import Sequence
from typing import NamedTuple

from kaito_chat.backends import Turn

BYTES_PER_TOKEN = 3
FRAME_TOKENS = 8
# Less than this is no answer worth asking for.
SHORTEST_ANSWER_TOKENS = 64


class Fitted(NamedTuple):
    """A conversation that fits.

    Attributes:
        turns: What to send: the system prompt, then the newest turns.
        dropped: How many of the oldest turns are left out.
        max_tokens: The longest answer that the window leaves room for.
    """

    turns: list[Turn]
    dropped: int
    max_tokens: int


def estimate(turns: Sequence[Turn]) -> int:
    """About how many tokens a conversation has; rather too many."""
    return sum(-(-len(turn.content.encode(errors="replace")) // BYTES_PER_TOKEN) + FRAME_TOKENS for turn in turns)


def fit(turns: Sequence[Turn], window_tokens: int, max_tokens: int, *, scale: float = 1.0) -> Fitted:
    """Drop the oldest turns until question and answer fit; the system prompt and the question always stay.

    The answer may shrink to what the question leaves, before the question is held for too long: that is for the
    server to say, which can count.

    Args:
        turns: The conversation, with its system prompt first if it has one, and the question last.
        window_tokens: The model's window.
        max_tokens: The longest answer wanted.
        scale: The server's own count over our estimate, where known.
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
    """The conversation without its older half, for a server that found it too long; and how many turns went."""
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
    """How many turns the oldest question and its answers are; never the last turn."""
    following = (index for index, turn in enumerate(turns[1:], 1) if turn.role == "user")
    return min(next(following, 1), len(turns) - 1)
