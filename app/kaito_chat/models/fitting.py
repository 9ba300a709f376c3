"""The size of one question: the messages to send and the room for the answer, smaller after each refusal for length."""

from collections.abc import Sequence

from kaito_chat.backends import Backend, Message, ServedModel
from kaito_chat.backends.errors import BackendError
from kaito_chat.models.context_window import SHORTEST_ANSWER_TOKENS, Fitted, estimate, fit, shorten
from kaito_chat.models.readiness import Model

# A server that refuses this often for length sends no numbers that help.
MOST_REFUSALS = 8
# Above this share of the context window, by our estimate, the server is asked to count.
COUNT_ABOVE = 0.5


class Fitting:
    """The size of one question.

    Args:
        model: The model.
        messages: The conversation, the question last.
        max_tokens: The longest answer wanted.
        roomy: The answer may have all of the context window that the question leaves.

    Attributes:
        dropped: The number of the oldest messages that are left out.
    """

    def __init__(self, model: Model, messages: Sequence[Message], max_tokens: int, *, roomy: bool) -> None:
        self.dropped = 0
        self._model = model
        self._model_id = ""
        self._messages = list(messages)
        self._wanted_tokens = max_tokens
        self._roomy = roomy
        self._most_tokens: int | None = None
        self._sent_tokens = 0
        self._scale: float | None = None
        self._refusals = 0

    async def fitted(self, backend: Backend, served: ServedModel) -> Fitted:
        """Return the messages and the longest answer for the next request."""
        window = self._model.window_tokens(served.id) or backend.capabilities.default_window_tokens
        wanted = window if self._roomy else self._wanted_tokens
        scale = self._scale or 1.0
        guess = estimate(self._messages)
        if self._scale is None and guess + wanted > window * COUNT_ABOVE:
            count = await backend.count_tokens(served, self._messages)
            scale = count / guess if count else 1.0
        fitted = fit(self._messages, window, wanted, scale=scale)
        if fitted.dropped:
            self._messages = list(fitted.messages)
            self.dropped += fitted.dropped
        if self._most_tokens is not None:
            fitted = fitted._replace(max_tokens=min(fitted.max_tokens, self._most_tokens))
        self._model_id, self._sent_tokens = served.id, fitted.max_tokens
        return fitted

    def shrink(self, error: BackendError) -> bool:
        """Make the next request smaller after a refusal for length, and return whether that may help."""
        self._refusals += 1
        return self._refusals <= MOST_REFUSALS and (self._narrow(error) or self._shorten())

    def _narrow(self, error: BackendError) -> bool:
        """Make the answer shorter, where the server's numbers say how much fits, and return whether that may help."""
        length, sent = error.context_length, self._sent_tokens
        if length and length.answer_tokens and length.answer_tokens < sent:
            self._most_tokens = length.answer_tokens
            return True
        if length is None or length.window_tokens is None:
            return False
        known = self._model.window_tokens(self._model_id)
        learned = known is None or length.window_tokens < known
        if learned:
            self._model.learn_window(self._model_id, length.window_tokens)
        if length.prompt_tokens is None:
            return learned
        left = length.window_tokens - length.prompt_tokens
        if not length.exact:
            left = min(left, sent // 4)
        if min(left, sent - 1) < SHORTEST_ANSWER_TOKENS:
            return self._drop(length.window_tokens, length.prompt_tokens) if length.exact else False
        self._most_tokens = min(left, sent - 1)
        return True

    def _drop(self, window_tokens: int, prompt_tokens: int) -> bool:
        """Drop the oldest messages by the server's own count, and return whether any can be dropped."""
        self._scale = prompt_tokens / estimate(self._messages)
        self._most_tokens = None
        return fit(self._messages, window_tokens, self._wanted_tokens, scale=self._scale).dropped > 0

    def _shorten(self) -> bool:
        """Drop older messages, for a server that counts more tokens than our estimate."""
        self._most_tokens = None
        self._messages, dropped = shorten(self._messages)
        self.dropped += dropped
        return dropped > 0
