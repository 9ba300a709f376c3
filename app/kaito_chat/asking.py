"""Asks a model: inside its window, with retries before the first token, measured."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from kaito_chat import metrics
from kaito_chat.backends import Event, Finish, Reasoning, Sampling, Text, Turn, Usage
from kaito_chat.coalesce import gathered
from kaito_chat.readiness import Watch
from kaito_chat.settings import Settings
from kaito_chat.trouble import BackendError, Kind
from kaito_chat.window import Fitted, estimate, fit, shorten

log = logging.getLogger(__name__)

PASSING = (Kind.BUSY, Kind.NOT_READY)
LONGEST_WAIT_SECONDS = 20.0
# Above this share of the window, by our estimate, the server is asked to count.
COUNT_ABOVE = 0.5


@dataclass
class Progress:
    """What is known of an answer while it arrives.

    Attributes:
        dropped: How many of the oldest messages the window left out.
        first_token_seconds: From the question to the first token.
        usage: The server's count of tokens, if it says so.
        finish: Why the answer ended, if it did by itself.
        text: What arrived.
    """

    dropped: int = 0
    first_token_seconds: float | None = None
    usage: Usage | None = None
    finish: str | None = None
    text: list[str] = field(default_factory=list)
    characters: int = 0


class Asking:
    """One question to one model.

    Args:
        settings: The application's.
        watch: The model.
        turns: The conversation, the question last.
        sampling: What the person chose.
    """

    def __init__(self, settings: Settings, watch: Watch, turns: Sequence[Turn], sampling: Sampling) -> None:
        self.progress = Progress()
        self._settings = settings
        self._watch = watch
        self._turns = list(turns)
        self._sampling = sampling
        self._began = time.monotonic()

    async def answer(self) -> AsyncGenerator[list[Text | Reasoning]]:
        """The answer in batches.

        Raises:
            BackendError: There is no answer, or it is cut off.
        """
        seconds = self._settings.coalesce_milliseconds / 1000
        try:
            async with (
                asyncio.timeout(self._settings.answer_timeout_seconds),
                aclosing(gathered(self._attempts(), seconds)) as batches,
            ):
                async for batch in batches:
                    if shown := [event for event in batch if self._note(event)]:
                        yield shown  # type: ignore[misc]
        except TimeoutError:
            raise BackendError(
                Kind.CUT_OFF, f"not at its end after {self._settings.answer_timeout_seconds:g} s"
            ) from None

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
        """Make another attempt worth it: with less history, with the model's new name, or after a pause."""
        if error.kind is Kind.TOO_LONG:
            return self._shorten()
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
        fitted = await self._fitted()
        sampling = Sampling(
            temperature=min(self._sampling.temperature, ready.backend.limits.temperature_max),
            top_p=self._sampling.top_p,
            top_k=self._sampling.top_k,
            max_tokens=fitted.max_tokens,
        )
        async with aclosing(ready.backend.stream(ready.served, fitted.turns, sampling)) as events:
            async for event in events:
                yield event

    async def _fitted(self) -> Fitted:
        ready = self._watch.ready
        assert ready is not None  # noqa: S101 - asked before
        configured = self._watch.connection.settings.max_model_len_tokens
        window = ready.served.max_model_len_tokens or configured or ready.backend.limits.default_window_tokens
        scale = 1.0
        guess = estimate(self._turns)
        if guess + self._sampling.max_tokens > window * COUNT_ABOVE:
            count = await ready.backend.count_tokens(ready.served, self._turns)
            scale = count / guess if count else 1.0
        fitted = fit(self._turns, window, self._sampling.max_tokens, scale=scale)
        if fitted.dropped:
            self._turns = list(fitted.turns)
            self.progress.dropped += fitted.dropped
        return fitted

    def _shorten(self) -> bool:
        """Leave out older turns, for a server that counts more tokens than we guessed."""
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

    def _note(self, event: Event) -> bool:
        """Remember what an event says; whether the page shows it.

        Raises:
            BackendError: The answer is longer than any answer may be.
        """
        progress = self.progress
        match event:
            case Usage():
                progress.usage = event
                return False
            case Finish(reason):
                progress.finish = reason
                return False
            case Text(text):
                progress.text.append(text)
        if progress.first_token_seconds is None:
            progress.first_token_seconds = time.monotonic() - self._began
            metrics.FIRST_TOKEN.labels(self._watch.name).observe(progress.first_token_seconds)
        progress.characters += len(event.text)
        if progress.characters > self._settings.max_answer_characters:
            raise BackendError(Kind.CUT_OFF, f"longer than {self._settings.max_answer_characters} characters")
        return True
