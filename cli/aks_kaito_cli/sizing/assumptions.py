"""The assumptions about users, which the options of the command replace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aks_kaito_cli.sizing.load import ANSWER, PROMPT, Length, Load
from aks_kaito_cli.sizing.replicas import Target

ACTIVE_PERCENT = 20.0
QUESTIONS_PER_HOUR = 12.0
# The busiest hours of a workday, times the workdays of a year.
BUSY_HOURS_PER_YEAR = 1000.0
# Tokens of a question without the conversation before it, which the history stores once.
QUESTION_TOKENS = 100.0
_PERCENT = 100


@dataclass(frozen=True)
class Assumptions:
    """The load of an environment.

    Attributes:
        users: Number of users who have an account.
        active_percent: Percentage of them who ask in the busiest hour.
        questions_per_hour: Questions of each of these in that hour.
        prompt_tokens: Mean length of a prompt with the conversation before it.
        answer_tokens: Mean length of an answer.
        cached_percent: Percentage of a prompt in the cache of the replica that answered the question before.
        busy_hours_per_year: Number of busiest hours that make a year's questions.
        shares: Percentage of the questions by model; the others share the rest equally.
        target: The service that users get.
    """

    users: int
    active_percent: float = ACTIVE_PERCENT
    questions_per_hour: float = QUESTIONS_PER_HOUR
    prompt_tokens: float = PROMPT.mean
    answer_tokens: float = ANSWER.mean
    cached_percent: float = 0.0
    busy_hours_per_year: float = BUSY_HOURS_PER_YEAR
    shares: Mapping[str, float] = field(default_factory=dict)
    target: Target = field(default_factory=Target)

    @property
    def active_users(self) -> int:
        """The number of users who ask in the busiest hour, at least one."""
        return max(1, round(self.users * self.active_percent / _PERCENT))

    @property
    def questions_per_year(self) -> float:
        """The number of questions in a year."""
        return self.active_users * self.questions_per_hour * self.busy_hours_per_year

    def load_of(self, share: float) -> Load:
        """Return the load of a model with a share of the users."""
        return Load(
            users=max(1, round(self.active_users * share)),
            questions_per_hour=self.questions_per_hour,
            prompt=Length(self.prompt_tokens, PROMPT.sigma),
            answer=Length(self.answer_tokens, ANSWER.sigma),
            cached_share=self.cached_percent / _PERCENT,
        )

    def sentence(self) -> str:
        """Return the assumptions in a sentence."""
        return (
            f"Assumed: {self.active_users} of {self.users} users ask {self.questions_per_hour:g} questions each in the "
            f"busiest hour, with {self.prompt_tokens:g} tokens of prompt and {self.answer_tokens:g} of answer; first "
            f"text within {self.target.first_text_seconds:g} s and {self.target.answer_tokens_per_second:g} tokens per "
            "second for 95 in 100."
        )


def shares_of(models: Sequence[str], given: Mapping[str, float]) -> dict[str, float]:
    """Return the share of each model.

    Raises:
        ValueError: A name is unknown, or the percentages are unusable.
    """
    if unknown := sorted(set(given) - set(models)):
        raise ValueError(f"--share {unknown[0]}: no such model; the environment has {', '.join(models)}")
    total = sum(given.values())
    others = [name for name in models if name not in given]
    if any(percent <= 0 for percent in given.values()) or total > _PERCENT or (others and total >= _PERCENT):
        raise ValueError("--share: percentages must be above 0 and leave some for each model without one")
    if not others and round(total, 6) != _PERCENT:
        raise ValueError(f"--share: the percentages of all models must add up to 100, not {total:g}")
    rest = (_PERCENT - total) / len(others) / _PERCENT if others else 0.0
    return {name: given[name] / _PERCENT if name in given else rest for name in models}
