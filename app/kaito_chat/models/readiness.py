"""The models of the settings: whether each is ready, checked once for all sessions."""

import asyncio
import logging
import random
import time
from collections.abc import Collection, Sequence
from contextlib import suppress

from kaito_chat.backends import Backend, Choice, Endpoint, ServedModel
from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.kubernetes.conditions import Conditions
from kaito_chat.models.download import remaining_seconds
from kaito_chat.models.gauges import Gauges
from kaito_chat.models.objects import Objects
from kaito_chat.models.replica import FAILURES, Replica
from kaito_chat.models.routing import Router
from kaito_chat.models.states import ORDER, State
from kaito_chat.settings import ModelSettings

log = logging.getLogger(__name__)

# How often a ready model is checked: it may be renamed or replaced.
READY_POLL_SECONDS = 30


class Model:
    """A model of the settings: its readiness, and the progress of its warm-up.

    Attributes:
        settings: The model's configuration.
        replicas: Its servers.
        state: The state that the page shows: ready if one server is.
        reason: The reason why it is not ready; for logs only.
        said: The server's error message, which the page may quote.
        since: When the state began, as a monotonic time.
        conditions: The conditions of its Workspace, or of its InferenceSet's most advanced one, where they may be read.
        download_seconds: The remaining time of its download, where KAITO reports it.
    """

    def __init__(
        self,
        settings: ModelSettings,
        endpoints: Sequence[Endpoint],
        poll_seconds: float,
        objects: Objects | None = None,
    ) -> None:
        self.settings = settings
        self.replicas = [Replica(settings, each, self._another_ready) for each in endpoints]
        self.state = State.CHECKING
        self.reason = ""
        self.said = ""
        self.since = time.monotonic()
        self.conditions: Conditions | None = None
        self.download_seconds: float | None = None
        self._poll_seconds = poll_seconds
        self._served_name = ""
        self._objects = objects or Objects(settings)
        self._gauges = Gauges(self.replicas)
        self._router = Router()
        self._changed = asyncio.Condition()

    @property
    def name(self) -> str:
        """Its name on the page and in metrics: the configured one, or the id that its server sent last."""
        return self.settings.name or self._served_name or self.settings.model or "model"

    @property
    def ready(self) -> bool:
        """Whether the model accepts questions."""
        return any(each.ready for each in self.replicas)

    @property
    def backend(self) -> Backend | None:
        """The protocol of its servers; `None` while none is ready."""
        return self._first.backend

    @property
    def default(self) -> ServedModel | None:
        """The model that its servers offer first; `None` while none is ready."""
        return self._first.default

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The models and adapters that users may choose from; none while the model is not ready."""
        return self.default.choices if self.default else ()

    @property
    def base_model(self) -> bool:
        """Whether the model was found to only continue texts, as one without a chat template does."""
        return bool(self.backend and self.default and self.backend.quirks(self.default.id).no_chat_template)

    def served(self, chosen_id: str | None = None) -> ServedModel | None:
        """Return a chosen model, if it is one of the choices, else the default one; `None` while not ready."""
        return self._first.served(chosen_id)

    def window_tokens(self, chosen_id: str | None = None) -> int | None:
        """Return a model's context window: as the server reports it, as a refusal named it, or as configured."""
        configured = self.settings.max_model_len_tokens
        served = self.served(chosen_id)
        if self.backend is None or served is None:
            return configured
        known = [served.max_model_len_tokens or configured, self.backend.quirks(served.id).window_tokens]
        return min((window for window in known if window), default=None)

    def learn_window(self, model_id: str, tokens: int) -> None:
        """Remember the context window that a refusal named."""
        for each in self.replicas:
            if each.backend:
                each.backend.quirks(model_id).window_tokens = tokens

    def pick(self, key: str, model_id: str | None = None, tried: Collection[str] = ()) -> Replica | None:
        """Return the server for the next request of a conversation; `None` if none is ready.

        Args:
            key: The conversation.
            model_id: The chosen model, which not every server may offer while they are replaced.
            tried: Names of servers that failed to answer the question.
        """
        if not self.settings.replica_urls:
            return self.replicas[0] if self.ready else None
        ready = [each for each in self.replicas if each.ready and each.name not in tried]
        ready = [each for each in ready if not each.suspect] or ready
        return self._router.choose(key, [each for each in ready if each.offers(model_id)] or ready)

    def failed(self, replica: Replica, key: str, error: BackendError) -> None:
        """Note that a server did not answer a question; the conversation goes on at another one, if there is one."""
        if self.settings.replica_urls and error.kind in FAILURES:
            self._router.leave(key, replica.name)
            replica.failed(error)

    async def run(self) -> None:
        """Check the servers until cancelled: often until they are ready, then every half minute."""
        self._measure()
        async with asyncio.TaskGroup() as group:
            for replica in self.replicas:
                group.create_task(self._watch(replica))

    async def check(self) -> None:
        """Check all servers, and notify the waiting conversations."""
        await asyncio.gather(*(self._check(each) for each in self.replicas))

    async def changed(self, seconds: float) -> None:
        """Wait until a check is done, or for some seconds."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait()
        except TimeoutError:
            pass

    async def recheck(self, replica: Replica | None = None) -> None:
        """Check the model, or one server, at once, after a request found it missing, and restart the polling."""
        await (self._check(replica) if replica else self.check())
        self.check_soon()

    def check_soon(self) -> None:
        """Restart the polling of all servers with a check."""
        for each in self.replicas:
            each.check_now.set()

    @property
    def _first(self) -> Replica:
        return next((each for each in self.replicas if each.ready), self.replicas[0])

    def _another_ready(self, replica: Replica) -> bool:
        return any(each.ready and not each.suspect for each in self.replicas if each is not replica)

    async def _watch(self, replica: Replica) -> None:
        while True:
            await self._check(replica)
            pause = READY_POLL_SECONDS if replica.settled else self._poll_seconds
            try:
                async with asyncio.timeout(pause * random.uniform(0.8, 1.2)):  # noqa: S311 - replicas spread their checks
                    await replica.check_now.wait()
            except TimeoutError:
                pass
            replica.check_now.clear()

    async def _check(self, replica: Replica) -> None:
        before = replica.state
        await replica.check()
        if self.settings.replica_urls and replica.state is not before:
            reason = replica.error.detail if replica.error else None
            log.info("replica changed", extra={"replica": replica.name, "state": replica.state, "reason": reason})
        absent = all(each.state in (State.GONE, State.WARMING_UP) for each in self.replicas)
        asleep = not self.ready and await self._objects.asleep(absent=absent)
        if self.ready:
            self._note_ready()
        else:
            self._note_not_ready(asleep=asleep)
        self._measure()
        if not self.ready:
            await self._read_details(replica)
        await self._notify()

    def _note_ready(self) -> None:
        served = self.default.id if self.default else ""
        if self.state is not State.READY:
            log.info("model ready", extra={"model": served, "backend": self.backend and self.backend.name})
            self._enter(State.READY)
        elif served != self._served_name:
            log.info("model renamed", extra={"model": served, "was": self._served_name})
        self.conditions = self.download_seconds = None
        self.reason = self.said = ""
        self._served_name = served

    def _note_not_ready(self, *, asleep: bool) -> None:
        worst = min(self.replicas, key=lambda each: ORDER.index(each.state))
        error = worst.error or BackendError(Kind.NOT_READY)
        state = State.ASLEEP if asleep else worst.state
        self.reason, self.said = error.detail, error.said
        if state is not self.state:
            log.info("model not ready", extra={"state": state, "reason": error.detail})
            self._enter(state)

    async def _read_details(self, replica: Replica) -> None:
        """Read more about a model that is not ready: its Workspaces, and its download."""
        self.conditions = await self._objects.conditions()
        self.download_seconds = None
        with suppress(Exception):  # a credential may fail here too
            response = await replica.endpoint.request("GET", "/metrics")
            self.download_seconds = remaining_seconds(response.text)

    def _measure(self) -> None:
        self._gauges.set(self.name, ready=self.ready, asleep=self.state is State.ASLEEP)

    def _enter(self, state: State) -> None:
        self.state = state
        self.since = time.monotonic()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
