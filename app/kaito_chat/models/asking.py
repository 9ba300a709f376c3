"""One question to one model, until its answer is complete.

In the chat application, only this module sends a question again: backends report errors, and `chat.turn` shows the last
one. The smoke test, `probe`, has its own, shorter loop.

Before the first token, a question is sent again:

- in another form, if the server refuses its form (`Backend.adapt`);
- with less room for the answer or less history, if the server finds it too long (`Fitting.shrink`);
- to the model's new name, if the server renamed it;
- to another replica, if one of several fails to answer;
- after a pause, if the server is busy or not ready;
- when the model is ready again, if it is gone.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from kaito_chat.backends import Backend, Event, Message, Piece, Request, Sampling
from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.models.batching import batched
from kaito_chat.models.fitting import Fitting
from kaito_chat.models.progress import Progress, joined
from kaito_chat.models.readiness import Model
from kaito_chat.models.replica import FAILURES, Replica
from kaito_chat.settings import Settings
from kaito_chat.telemetry import metrics

log = logging.getLogger(__name__)

PASSING = (Kind.BUSY, Kind.NOT_READY)
GONE = (Kind.NOT_READY, Kind.GONE)
# Errors of one server, after which another one may answer.
ELSEWHERE = (*FAILURES, Kind.BUSY)
LONGEST_WAIT_SECONDS = 20.0
MOST_WAITS = 3


@dataclass(frozen=True)
class Question:
    """A question with its conversation.

    Attributes:
        messages: The conversation, the question last.
        sampling: The sampling parameters that the user chose.
        model_id: The id of one of the server's models; any other is not sent, and the default model answers.
        roomy: The answer may use all of the context window that the question leaves.
        conversation: The conversation's id: its questions go to the same replica.
    """

    messages: Sequence[Message]
    sampling: Sampling
    model_id: str | None = None
    roomy: bool = False
    conversation: str = ""


class Asking:
    """One question to one model.

    Args:
        settings: The application's limits: timeouts, retries, length of an answer.
        model: The model that answers; its readiness is rechecked after errors.
        question: Returns the question; called when the model is ready, and again when it is back.
        until_ready: Waits for the model; without it, a model that is gone is not waited for.
        meanwhile: Work for the time in which the server thinks; is called for each request.

    Attributes:
        progress: The answer so far.
    """

    def __init__(
        self,
        settings: Settings,
        model: Model,
        question: Callable[[], Question],
        until_ready: Callable[[], Awaitable[None]] | None = None,
        meanwhile: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.progress = Progress()
        self._settings = settings
        self._model = model
        self._ask = question
        self._until_ready = until_ready
        self._meanwhile = meanwhile
        self._waits = 0

    async def answer(self) -> AsyncGenerator[list[Piece]]:
        """Yield the answer in batches, in which neighbours of one type are joined.

        Raises:
            BackendError: There is no answer, it is cut off, or it holds no text.
        """
        await self._begin()
        while True:
            try:
                with metrics.ACTIVE.labels(self._model.name).track_inprogress():
                    async with asyncio.timeout_at(self._deadline):
                        try:
                            async with aclosing(self._batches()) as batches:
                                async for batch in batches:
                                    yield batch
                            self._judge()
                            break
                        except BackendError as error:
                            if self.progress.begun or not await self._may_try_again(error):
                                raise
            except TimeoutError:
                seconds = self._settings.answer_timeout_seconds
                raise BackendError(Kind.CUT_OFF, f"not at its end after {seconds:g} s") from None
            except BackendError as error:
                if not await self._is_gone(error):
                    raise
                await self._begin()

    async def _begin(self) -> None:
        """Wait for the model, and start from the beginning."""
        if self._until_ready:
            await self._until_ready()
        self._question = question = self._ask()
        self._fitting = Fitting(self._model, question.messages, question.sampling.max_tokens, roomy=question.roomy)
        self._sent: tuple[Replica, Backend, Request] | None = None
        self._attempts = 0
        self._tried: set[str] = set()
        self.progress = Progress()
        self._began = time.monotonic()
        self._deadline = asyncio.get_running_loop().time() + self._settings.answer_timeout_seconds

    async def _may_try_again(self, error: BackendError) -> bool:
        """Prepare another attempt, after a pause if necessary, and return whether to make it."""
        replica = None
        if self._sent:
            replica, backend, request = self._sent
            adapted = backend.adapt(request, error)
            self._sent = (replica, backend, adapted) if adapted else None
            if adapted:
                return True
        if replica and self._can_go_elsewhere(replica, error):
            return True
        self._attempts += 1
        if error.kind is Kind.TOO_LONG:
            return self._fitting.shrink(error)
        if error.kind is Kind.RENAMED:
            await self._model.recheck(replica)
            return self._attempts == 1
        wait = self._wait(error)
        if wait is None:
            return False
        metrics.RETRIES.labels(self._model.name).inc()
        log.info("trying again", extra={"kind": error.kind, "attempt": self._attempts, "wait_seconds": round(wait, 2)})
        await asyncio.sleep(wait)
        return True

    def _can_go_elsewhere(self, replica: Replica, error: BackendError) -> bool:
        """Return whether another replica may answer; after an internal error one, as the question may be the reason."""
        if error.kind not in ELSEWHERE or (error.kind is Kind.FAILED and self._tried):
            return False
        self._tried.add(replica.name)
        found = self._model.pick(self._question.conversation, tried=self._tried)
        if found is None or found is replica:
            self._tried.clear()
            return False
        metrics.RETRIES.labels(self._model.name).inc()
        log.info("asking another replica", extra={"kind": error.kind, "replica": replica.name, "next": found.name})
        return True

    def _wait(self, error: BackendError) -> float | None:
        """Return the seconds to wait before another attempt; `None` for no other."""
        if error.kind not in PASSING or self._attempts > self._settings.max_retries:
            return None
        jittered: float = random.uniform(0.5, 1.0) * min(0.5 * 2 ** (self._attempts - 1), 8)  # noqa: S311 - no secret
        if error.retry_after_seconds is None:
            return jittered
        return None if error.retry_after_seconds > LONGEST_WAIT_SECONDS else error.retry_after_seconds + jittered / 4

    async def _is_gone(self, error: BackendError) -> bool:
        """Return whether the model is gone before the first text of its answer, and can be waited for.

        One of several servers may be back already; one that accepts checks and no questions ends the waiting.
        """
        if self._until_ready is None or error.kind not in GONE or not self.progress.wordless:
            return False
        await self._model.recheck()
        self._waits += 1
        return not self._model.ready or bool(self._model.settings.replica_urls and self._waits <= MOST_WAITS)

    async def _batches(self) -> AsyncGenerator[list[Piece]]:
        async with aclosing(batched(self._attempt(), self._meanwhile)) as batches:
            async for batch in batches:
                if pieces := self._record(batch):
                    yield pieces

    async def _attempt(self) -> AsyncGenerator[list[Event]]:
        """Send one request."""
        self._sent = self._sent or await self._request()
        replica, backend, request = self._sent
        stream = backend.stream(request)
        if self._model.settings.replica_urls:
            stream = replica.watched(stream)
        try:
            with replica.answering(self._model.name):
                async with aclosing(stream) as batches:
                    async for events in batches:
                        yield events
        except BackendError as error:
            self._model.failed(replica, self._question.conversation, error)
            raise

    def _judge(self) -> None:
        """Check an answer that the server ended.

        Raises:
            BackendError: It holds no text, or the server withheld or aborted it.
        """
        try:
            self.progress.judge()
        except BackendError as error:
            self.progress.finish = None
            if self._sent:
                self._model.failed(self._sent[0], self._question.conversation, error)
            raise

    async def _request(self) -> tuple[Replica, Backend, Request]:
        question = self._question
        replica = self._model.pick(question.conversation, question.model_id, self._tried)
        if replica is None or replica.backend is None or replica.default is None:
            raise BackendError(Kind.NOT_READY, self._model.reason)
        backend, served = replica.backend, replica.served(question.model_id) or replica.default
        fitted = await self._fitting.fitted(backend, served)
        self.progress.model, self.progress.dropped = served.id, self._fitting.dropped
        sampling = replace(
            question.sampling,
            temperature=min(question.sampling.temperature, backend.capabilities.temperature_max),
            max_tokens=fitted.max_tokens,
        )
        return replica, backend, backend.request(served, fitted.messages, sampling)

    def _record(self, batch: list[Event]) -> list[Piece]:
        """Record events, up to the longest answer allowed, and return the pieces that the page shows."""
        progress, most = self.progress, self._settings.max_answer_characters
        pieces = joined(event for event in batch if progress.characters <= most and progress.note(event))
        if pieces and progress.first_token_seconds is None:
            progress.first_token_seconds = time.monotonic() - self._began
            metrics.FIRST_TOKEN.labels(self._model.name).observe(progress.first_token_seconds)
        if progress.characters > most:
            raise BackendError(Kind.CUT_OFF, f"longer than {most} characters")
        return pieces
