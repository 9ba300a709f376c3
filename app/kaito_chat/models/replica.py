"""One server of a model: its health, and the number of its running answers."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, nullcontext
from dataclasses import replace
from urllib.parse import urlsplit

import httpx

from kaito_chat.backends import Backend, Endpoint, Event, Message, Sampling, ServedModel, backend_at
from kaito_chat.backends.error_responses import http_error
from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.models.states import LASTING, State
from kaito_chat.settings import ModelSettings
from kaito_chat.telemetry import metrics

log = logging.getLogger(__name__)

# A server that misses so many checks in a row hangs; one miss may be a short overload.
MOST_MISSES = 2
# A question without a first token for so long makes its server be checked at once.
DOUBT_SECONDS = 10.0
# Limit of the short answer that shows whether a server that has failed to answer works again.
ANSWER_SECONDS = 20.0
SHORT = Sampling(temperature=0, top_p=1, max_tokens=1)
# Errors after which a server is checked before it gets the next question.
FAILURES = (
    *(Kind.NOT_READY, Kind.GONE, Kind.SLOW, Kind.FAILED, Kind.GARBLED, Kind.CUT_OFF),
    *(Kind.ABORTED, Kind.FORBIDDEN, Kind.NOT_API),
)


class Replica:
    """One server of a model.

    Args:
        settings: The model's configuration.
        endpoint: The HTTP endpoint of the server.
        spare: Returns whether another server of the model accepts questions. The last one that does is never taken out
            for being slow: it may only be busy.

    Attributes:
        name: Its name in metrics and logs: the address without the scheme and without credentials.
        endpoint: The HTTP endpoint.
        state: Its state.
        backend: The protocol of the server; `None` while it is not ready.
        default: The model that the server offers first; `None` while it is not ready.
        running: The number of answers that it is generating.
        suspect: Whether it failed to answer, and gets no question until it has been checked.
        error: The error of the last check; `None` if it succeeded.
        check_now: Set to check it without a pause.
    """

    def __init__(self, settings: ModelSettings, endpoint: Endpoint, spare: Callable[["Replica"], bool]) -> None:
        address = urlsplit(endpoint.url)
        self.name = address.netloc.rpartition("@")[2] + address.path
        self.endpoint = endpoint
        self.state = State.CHECKING
        self.backend: Backend | None = None
        self.default: ServedModel | None = None
        self.running = 0
        self.suspect = False
        self.error: BackendError | None = None
        self.check_now = asyncio.Event()
        self._settings = settings
        self._spare = spare
        self._misses = 0
        self._must_answer = False
        self._failures = 0
        self._checking = asyncio.Lock()
        self._waiting: set[asyncio.Timeout] = set()

    @property
    def ready(self) -> bool:
        """Whether its last check succeeded."""
        return self.backend is not None

    @property
    def settled(self) -> bool:
        """Whether it needs no further check soon. A single server that misses a check is only busy."""
        return self.ready and not (self._settings.replica_urls and (self.suspect or self._misses))

    def served(self, chosen_id: str | None = None) -> ServedModel | None:
        """Return a chosen model, if it is one of the choices, else the default one; `None` while not ready."""
        default = self.default
        if default is None:
            return None
        chosen = next((each for each in default.choices if each.id == chosen_id), None)
        if chosen is None or chosen.id == default.id:
            return default
        return replace(default, id=chosen.id, max_model_len_tokens=chosen.window_tokens, listed=True)

    def offers(self, model_id: str | None) -> bool:
        """Return whether it serves a chosen model."""
        return self.default is not None and any(each.id == model_id for each in self.default.choices)

    async def check(self) -> None:
        """Check the server; of several, one check at a time, so that a short overload is one miss."""
        if self._settings.replica_urls and self._checking.locked():
            async with self._checking:
                return
        async with self._checking if self._settings.replica_urls else nullcontext():
            await self._check()

    async def _check(self) -> None:
        failures = self._failures
        try:
            backend = self.backend or await backend_at(self.endpoint, self._settings)
            served = await backend.describe()
            if self._settings.replica_urls:
                await self._check_engine(backend, served)
        except BackendError as error:
            self._missed(error)
        except Exception as error:  # a credential may raise any exception, and the checks must go on
            log.warning("model check failed", exc_info=True)
            self._missed(BackendError(Kind.FORBIDDEN, f"{type(error).__name__}: {error}"[:300]))
        else:
            self.backend, self.default, self.state, self.error = backend, served, State.READY, None
            self._misses = 0
            if failures == self._failures:  # otherwise a question has failed meanwhile
                self.suspect = self._must_answer = False

    @contextmanager
    def answering(self, model: str) -> Iterator[None]:
        """Count a running answer while the context is open.

        Args:
            model: The model's name in metrics.
        """
        gauge = metrics.REPLICA_STREAMS.labels(model, self.name)
        self.running += 1
        gauge.inc()
        try:
            yield
        finally:
            self.running -= 1
            gauge.dec()

    def failed(self, error: BackendError) -> None:
        """Note an error of a question: the server gets no other until a check, if another server accepts questions."""
        if error.kind not in FAILURES or not self._spare(self):
            return
        self._failures += 1
        self.suspect = self._must_answer = True
        self.check_now.set()

    async def watched(self, batches: AsyncGenerator[list[Event]]) -> AsyncGenerator[list[Event]]:
        """Yield the events of an answer, unless the server is taken out before the first.

        Raises:
            BackendError: It is taken out, or the events end with this error.
        """
        doubt = asyncio.get_running_loop().call_later(DOUBT_SECONDS, self.check_now.set)
        waiting = asyncio.timeout(None)
        try:
            async with waiting, aclosing(batches):
                self._waiting.add(waiting)
                async for events in batches:
                    doubt.cancel()
                    self._waiting.discard(waiting)
                    yield events
        except TimeoutError:
            if not waiting.expired():
                raise
            raise BackendError(Kind.NOT_READY, "the server hangs, and was taken out") from None
        finally:
            doubt.cancel()
            self._waiting.discard(waiting)

    @property
    def _blocked(self) -> bool:
        """Whether it may be generating an answer, as a server that does not stream may then answer nothing else."""
        return bool(self.running and self.backend and not self.backend.capabilities.streaming)

    async def _check_engine(self, backend: Backend, served: ServedModel) -> None:
        """Check that the server can generate text, if it failed to; its list of models does not show it.

        Raises:
            BackendError: It cannot.
        """
        if backend.name == "vllm":
            response = await self.endpoint.request("GET", "/health")
            if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
                raise http_error(response)
        if not self._must_answer:
            return
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                batches = backend.stream(backend.request(served, [Message("user", "Hello")], SHORT))
                async with aclosing(batches):
                    await anext(batches, None)
        except TimeoutError:
            self._misses = MOST_MISSES
            raise BackendError(Kind.SLOW, f"no token within {ANSWER_SECONDS:g} s") from None
        except BackendError as error:
            if error.kind in FAILURES or error.kind is Kind.BUSY:  # any other refusal comes from a server that works
                raise

    def _missed(self, error: BackendError) -> None:
        self._misses += 1
        passing = error.kind in (Kind.SLOW, Kind.BUSY)
        hangs = self._misses >= MOST_MISSES and self._spare(self) and not self._blocked
        if self.ready and passing and not hangs:
            return  # a server that is too busy to answer a check is not gone
        was_there = self.ready or self.state is State.GONE
        self.state = LASTING.get(error.kind, State.GONE if was_there else State.WARMING_UP)
        self.backend = self.default = None
        self.suspect = False
        self._must_answer = self._must_answer or error.kind is Kind.SLOW
        self.error = error
        if self._spare(self):
            for waiting in self._waiting:
                waiting.reschedule(asyncio.get_running_loop().time())
            self._waiting.clear()
