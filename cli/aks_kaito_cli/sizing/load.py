"""The load: users who ask, wait and think, and the lengths of prompts and answers."""

import math
import random
from dataclasses import dataclass

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class Length:
    """A lognormal number of tokens, or an exponential one without `sigma`.

    Attributes:
        mean: The mean, in tokens.
        sigma: The standard deviation of the logarithm.
    """

    mean: float
    sigma: float | None = None

    def draw(self, chance: random.Random) -> float:
        """Return a number of tokens."""
        if self.sigma is None:
            return chance.expovariate(1 / self.mean)
        return chance.lognormvariate(math.log(self.mean) - self.sigma**2 / 2, self.sigma)


# Azure's trace of a conversation service (19,366 requests): mean lengths, and the spread of their logarithms.
# See: https://github.com/Azure/AzurePublicDataset/blob/master/AzureLLMInferenceDataset2023.md
PROMPT = Length(1155, 0.99)
ANSWER = Length(211, 0.86)


@dataclass(frozen=True)
class Load:
    """The users of one model in the busiest hour, each with one conversation.

    Attributes:
        users: Number of users who ask in this hour.
        questions_per_hour: Questions of one user, if answers took no time.
        prompt: Tokens of a prompt, with the conversation before the question.
        answer: Tokens of an answer.
        cached_share: Share of a prompt that the replica of the question before has in its cache.
    """

    users: int
    questions_per_hour: float
    prompt: Length = PROMPT
    answer: Length = ANSWER
    cached_share: float = 0.0

    @property
    def think_seconds(self) -> float:
        """The mean time between an answer and the next question."""
        return SECONDS_PER_HOUR / self.questions_per_hour

    @property
    def questions_per_second(self) -> float:
        """The rate at which questions arrive, if answers took no time."""
        return self.users / self.think_seconds

    @property
    def tokens_per_second(self) -> float:
        """The rate at which tokens of answers are asked for."""
        return self.questions_per_second * self.answer.mean
