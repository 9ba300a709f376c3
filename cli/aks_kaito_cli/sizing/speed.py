"""The speed of one replica of a model, and its limits: continuous batching as vLLM does it.

A step gives each running answer one token. It takes longer with more answers and with longer conversations in the KV
cache. Reading a prompt takes time in which the running answers wait.
"""

from dataclasses import dataclass, replace

# vLLM's default of max-num-seqs.
# See: https://docs.vllm.ai/en/stable/api/vllm/config/scheduler
MAX_NUM_SEQS = 256
# Beyond it a measurement is a mistake: a slow CPU and the fastest GPU are less than this apart.
_MOST_FACTOR = 1e6


@dataclass(frozen=True)
class Speed:
    """Seconds per unit of work of one replica, and its limits.

    Attributes:
        step_seconds: A step with one answer and an empty cache.
        step_seconds_per_answer: Added to a step by each further answer.
        step_seconds_per_cached_token: Added to a step by each token in the KV cache.
        prompt_tokens_per_second: Tokens of prompts read in a second.
        max_answers: Answers in one step (max-num-seqs).
        cache_tokens: Tokens that the KV cache holds.
        source: Where the figures come from, for the user.
    """

    step_seconds: float
    step_seconds_per_answer: float
    step_seconds_per_cached_token: float
    prompt_tokens_per_second: float
    max_answers: int
    cache_tokens: float
    source: str

    def step(self, answers: float, cached_tokens: float) -> float:
        """Return the seconds of a step."""
        return (
            self.step_seconds
            + self.step_seconds_per_answer * max(answers - 1, 0)
            + self.step_seconds_per_cached_token * cached_tokens
        )

    def read(self, prompt_tokens: float) -> float:
        """Return the seconds in which a prompt is read."""
        return prompt_tokens / self.prompt_tokens_per_second

    def tokens_per_second(self, answers: float, prompt_tokens: float, answer_tokens: float) -> float:
        """Return the tokens of answers in a second while this number of answers runs all the time."""
        cached = answers * (prompt_tokens + answer_tokens / 2)
        seconds = answer_tokens * self.step(answers, cached) + answers * self.read(prompt_tokens)
        return answers * answer_tokens / seconds

    def most_answers(self, prompt_tokens: float, answer_tokens: float) -> float:
        """Return the number of answers of these lengths that can run at once."""
        return max(1.0, min(self.max_answers, self.cache_tokens / (prompt_tokens + answer_tokens)))

    def most_tokens_per_second(self, prompt_tokens: float, answer_tokens: float) -> float:
        """Return the tokens of answers in a second with as many answers as can run at once."""
        most = self.most_answers(prompt_tokens, answer_tokens)
        return self.tokens_per_second(most, prompt_tokens, answer_tokens)

    def times(self, factor: float, source: str) -> "Speed":
        """Return a speed that is higher by a factor in all figures but the limits.

        Raises:
            ValueError: No server is as fast or as slow.
        """
        if not 1 / _MOST_FACTOR <= factor <= _MOST_FACTOR:
            raise ValueError(f"{source}: is {factor:.3g} times the speed of this GPU's public figures, a mistake")
        return replace(
            self,
            step_seconds=self.step_seconds / factor,
            step_seconds_per_answer=self.step_seconds_per_answer / factor,
            step_seconds_per_cached_token=self.step_seconds_per_cached_token / factor,
            prompt_tokens_per_second=self.prompt_tokens_per_second * factor,
            source=source,
        )
