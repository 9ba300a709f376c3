"""Asks a model: inside its window, with retries before the first token, measured."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from kaito_chat.backends import Event, Reasoning, Sampling, Served, Text, Turn
from kaito_chat.models.batching import gathered
from kaito_chat.models.context_window import SHORTEST_ANSWER_TOKENS, Fitted, estimate, fit, shorten
from kaito_chat.models.progress import Progress, Shown, joined
from kaito_chat.models.readiness import Ready, Watch
from kaito_chat.settings import Settings
from kaito_chat.telemetry import metrics
from kaito_chat.trouble import BackendError, Kind

log = logging.getLogger(__name__)

PASSING = (Kind.BUSY, Kind.NOT_READY)
LONGEST_WAIT_SECONDS = 20.0
# A server that refuses this often for length says no numbers that help.
MOST_REFUSALS_FOR_LENGTH = 8
# Above this share of the window, by our estimate, the server is asked to count.
COUNT_ABOVE = 0.5


class Asking:
    """One question to one model.

    Args:
        settings: The application's.
        watch: The model.
        turns: The conversation, the question last.
        sampling: What the person chose.
        model: The id of one of the server's models; any other is not passed on, and the default one is asked.
        roomy: Let the answer have all of the window that the question leaves.
    """

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        turns: Sequence[Turn],
        sampling: Sampling,
        *,
        model: str | None = None,
        roomy: bool = False,
    ) -> None:
        self.progress = Progress()
        self._settings = settings
        self._watch = watch
        self._turns = list(turns)
        self._sampling = sampling
        self._model = model
        self._roomy = roomy
        self._most_tokens: int | None = None
        self._sent_tokens = 0
        self._scale: float | None = None
        self._too_long = 0
        self._began = time.monotonic()

    async def answer(self) -> AsyncGenerator[list[Shown]]:
        """The answer in batches, in which neighbours of one kind are one.

        Raises:
            BackendError: There is no answer, it is cut off, or it ended without a word.
        """
        seconds = self._settings.coalesce_milliseconds / 1000
        try:
            async with (
                asyncio.timeout(self._settings.answer_timeout_seconds),
                aclosing(gathered(self._attempts(), seconds)) as batches,
            ):
                async for batch in batches:
                    if shown := self._shown(batch):
                        yield shown
        except TimeoutError:
            raise BackendError(
                Kind.CUT_OFF, f"not at its end after {self._settings.answer_timeout_seconds:g} s"
            ) from None
        self.progress.judge()

    async def _attempts(self) -> AsyncGenerator[Event]:
        """Try until a first token arrives, or the trouble is none that passes."""
        attempts = 0
        while True:
            begun = False
            try:
                async with aclosing(self._attempt()) as events:
                    async for event in events:
                        begun = begun or isinstance(event, Text | Reasoning)
                        yield event
            except BackendError as error:
                if begun or not await self._may_try_again(error, attempts):
                    raise
                attempts += 1
            else:
                return

    async def _may_try_again(self, error: BackendError, attempts: int) -> bool:
        """Make another attempt worth it: with less room, less history, the model's new name, or after a pause."""
        if error.kind is Kind.TOO_LONG:
            self._too_long += 1
            return self._too_long <= MOST_REFUSALS_FOR_LENGTH and (self._narrow(error) or self._shorten())
        if error.kind is Kind.RENAMED:
            await self._watch.doubt()
            return attempts == 0
        wait = self._wait(error, attempts)
        if wait is None:
            return False
        metrics.RETRIES.labels(self._watch.name).inc()
        log.info("trying again", extra={"kind": error.kind, "attempt": attempts + 1, "wait_seconds": round(wait, 2)})
        await asyncio.sleep(wait)
        return True

    async def _attempt(self) -> AsyncGenerator[Event]:
        ready = self._watch.ready
        if ready is None:
            raise BackendError(Kind.NOT_READY, self._watch.reason)
        served = self._watch.served(self._model) or ready.served
        fitted = await self._fitted(ready, served)
        self._sent_tokens = fitted.max_tokens
        self.progress.model = served.model
        sampling = Sampling(
            temperature=min(self._sampling.temperature, ready.backend.limits.temperature_max),
            top_p=self._sampling.top_p,
            top_k=self._sampling.top_k,
            max_tokens=fitted.max_tokens,
        )
        async with aclosing(ready.backend.stream(served, fitted.turns, sampling)) as events:
            async for event in events:
                yield event

    async def _fitted(self, ready: Ready, served: Served) -> Fitted:
        window = self._watch.window_tokens(served.model) or ready.backend.limits.default_window_tokens
        wanted = window if self._roomy else self._sampling.max_tokens
        scale = self._scale or 1.0
        guess = estimate(self._turns)
        if self._scale is None and guess + wanted > window * COUNT_ABOVE:
            count = await ready.backend.count_tokens(served, self._turns)
            scale = count / guess if count else 1.0
        fitted = fit(self._turns, window, wanted, scale=scale)
        if fitted.dropped:
            self._turns = list(fitted.turns)
            self.progress.dropped += fitted.dropped
        most = self._most_tokens
        return fitted if most is None else fitted._replace(max_tokens=min(fitted.max_tokens, most))

    def _narrow(self, error: BackendError) -> bool:
        """Make the answer shorter, where the server says how much room there is; whether that may help."""
        room, sent = error.room, self._sent_tokens
        if room and room.answer_tokens and room.answer_tokens < sent:
            self._most_tokens = room.answer_tokens
            return True
        if room is None or room.window_tokens is None:
            return False
        known = self._watch.window_tokens(self.progress.model)
        learned = known is None or room.window_tokens < known
        if learned:
            self._watch.learn_window(self.progress.model, room.window_tokens)
        if room.prompt_tokens is None:
            return learned
        left = room.window_tokens - room.prompt_tokens
        if not room.exact:
            left = min(left, sent // 4)
        if min(left, sent - 1) < SHORTEST_ANSWER_TOKENS:
            return self._drop(room.window_tokens, room.prompt_tokens) if room.exact else False
        self._most_tokens = min(left, sent - 1)
        return True

    def _drop(self, window_tokens: int, prompt_tokens: int) -> bool:
        """Leave out the oldest turns by the server's own count; whether there were any to leave out."""
        self._scale = prompt_tokens / estimate(self._turns)
        self._most_tokens = None
        dropped = fit(self._turns, window_tokens, self._sampling.max_tokens, scale=self._scale).dropped
        return dropped > 0

    def _shorten(self) -> bool:
        """Leave out older turns, for a server that counts more tokens than we guessed."""
        self._most_tokens = None
        self._turns, dropped = shorten(self._turns)
        self.progress.dropped += dropped
        return dropped > 0

    def _wait(self, error: BackendError, attempt: int) -> float | None:
        """How long to wait before another attempt; `None` for no other."""
        if error.kind not in PASSING or attempt >= self._settings.max_retries:
            return None
        jittered: float = random.uniform(0.5, 1.0) * min(0.5 * 2**attempt, 8)  # noqa: S311 - no secret
        if error.retry_after_seconds is None:
            return jittered
        return None if error.retry_after_seconds > LONGEST_WAIT_SECONDS else error.retry_after_seconds + jittered / 4

    def _shown(self, batch: list[Event]) -> list[Shown]:
        """Note what arrived, up to the longest answer; what of it the page shows."""
        progress, most = self.progress, self._settings.max_answer_characters
        shown = joined(event for event in batch if progress.characters <= most and progress.note(event))
        if shown and progress.first_token_seconds is None:
            progress.first_token_seconds = time.monotonic() - self._began
            metrics.FIRST_TOKEN.labels(self._watch.name).observe(progress.first_token_seconds)
        if progress.characters > most:
            raise BackendError(Kind.CUT_OFF, f"longer than {most} characters")
        return shown
