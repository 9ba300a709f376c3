"""The numbers in a refusal for length: the context window, and the question's tokens as the server counts them."""

import re
from typing import Any

from kaito_chat.backends.errors import ContextLength

# No model that can chat has less: a smaller number is something else.
SMALLEST_WINDOW_TOKENS = 128
# vLLM, OpenAI, Azure and SGLang; vLLM's bound on max_tokens; TGI's two; llama.cpp; SGLang; TensorRT-LLM.
WINDOW = re.compile(
    r"maximum context length (?:is|of) (\d+)|max_model_len=(?:max_total_tokens=)?(\d+)|must be <= (\d+)"
    r"|must have less than (\d+) tokens|context size \((\d+) tokens|context length \((\d+) tokens"
    r"|should not exceed max_(?:num_tokens|seq_len) \((\d+)",
    re.IGNORECASE,
)
PROMPT = re.compile(
    r"request has (\d+) input tokens|\((\d+) in the messages|prompt contains (?:at least )?(\d+) input tokens"
    r"|given: (\d+)|(?:request|input) \((\d+) tokens\)|(\d+) tokens from the input messages|\d+ > \d+ - (\d+)"
    r"|sum of prompt length \((\d+)",
    re.IGNORECASE,
)
ANSWER = re.compile(r"supports at most (\d+) completion tokens", re.IGNORECASE)
# vLLM stops counting where the window is full.
UNCOUNTED = re.compile(r"at least \d+ input tokens|more than \d+ characters", re.IGNORECASE)


def context_length_of(detail: str, error: dict[str, Any]) -> ContextLength | None:
    """Return the numbers in an error's message, or in its fields; `None` if there are none."""
    window = _number(error.get("n_ctx")) or _first(WINDOW, detail)
    prompt = _number(error.get("n_prompt_tokens")) or _first(PROMPT, detail)
    if window is not None and window < SMALLEST_WINDOW_TOKENS:
        window = None
    answer = _first(ANSWER, detail)
    return ContextLength(window, prompt, not UNCOUNTED.search(detail), answer) if window or answer else None


def _first(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return next((int(group) for group in found.groups() if group and len(group) <= 9), None) if found else None  # noqa: PLR2004


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
