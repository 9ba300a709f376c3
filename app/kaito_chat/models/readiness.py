"""The models of the settings: whether each is ready, checked once for all sessions."""

import asyncio
import logging
import random
import time
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum

from kaito_chat.backends import Backend, Choice, Endpoint, ServedModel, backend_at
from kaito_chat.backends.errors import FAULTS, BackendError, Kind
from kaito_chat.kubernetes.workspace import Conditions, Workspaces
from kaito_chat.models.download import remaining_seconds
from kaito_chat.settings import ModelSettings
from kaito_chat.telemetry import metrics

log = logging.getLogger(__name__)

# How often a ready model is checked: it may be renamed or replaced.
READY_POLL_SECONDS = 30


class State(StrEnum):
    """States of a model that the page shows."""

    CHECKING = "checking"
    WARMING_UP = "warming_up"
    READY = "ready"
    GONE = "gone"
    FORBIDDEN = "forbidden"
    NOT_API = "not_api"
    NO_CHAT = "no_chat"


# Errors that only an operator can fix.
LASTING = {Kind.FORBIDDEN: State.FORBIDDEN, Kind.NOT_API: State.NOT_API, Kind.NO_CHAT: State.NO_CHAT}


class Model:
    """A model of the settings: its readiness, and the progress of its warm-up.

    Attributes:
        settings: The model's configuration.
        endpoint: The HTTP endpoint of its server.
        state: The state that the page shows.
        backend: The protocol of its server; `None` while it is not ready.
        default: The model that its server offers first; `None` while it is not ready.
        reason: The reason why it is not ready; for logs only.
        said: The server's error message, which the page may quote.
        since: When the state began, as a monotonic time.
        conditions: The Workspace's conditions, where they may be read.
        download_seconds: The remaining time of its download, where KAITO reports it.
    """

    def __init__(
        self,
        settings: ModelSettings,
        endpoint: Endpoint,
        poll_seconds: float,
        workspaces: Workspaces | None = None,
    ) -> None:
        self.settings = settings
        self.endpoint = endpoint
        self.state = State.CHECKING
        self.backend: Backend | None = None
        self.default: ServedModel | None = None
        self.reason = ""
        self.said = ""
        self.since = time.monotonic()
        self.conditions: Conditions | None = None
        self.download_seconds: float | None = None
        self._poll_seconds = poll_seconds
        self._served_name = ""
        self._measured_name = ""
        self._workspaces = workspaces
        self._changed = asyncio.Condition()
        self._check_now = asyncio.Event()

    @property
    def name(self) -> str:
        """Its name on the page and in metrics: the configured one, or the id that its server sent last."""
        return self.settings.name or self._served_name or self.settings.model or "model"

    @property
    def ready(self) -> bool:
        """Whether the model accepts questions."""
        return self.backend is not None

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
        default = self.default
        if default is None:
            return None
        chosen = next((each for each in default.choices if each.id == chosen_id), None)
        if chosen is None or chosen.id == default.id:
            return default
        return replace(default, id=chosen.id, max_model_len_tokens=chosen.window_tokens, listed=True)

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
        if self.backend:
            self.backend.quirks(model_id).window_tokens = tokens

    async def run(self) -> None:
        """Check the model until cancelled: often until it is ready, then every half minute."""
        self._measure()
        while True:
            await self.check()
            pause = READY_POLL_SECONDS if self.ready else self._poll_seconds
            try:
                async with asyncio.timeout(pause * random.uniform(0.8, 1.2)):  # noqa: S311 - replicas spread their checks
                    await self._check_now.wait()
            except TimeoutError:
                pass
            self._check_now.clear()

    async def check(self) -> None:
        """Check the model at its server, and notify the waiting conversations."""
        try:
            backend = self.backend or await backend_at(self.endpoint, self.settings)
            served = await backend.describe()
        except BackendError as error:
            await self._not_ready(error)
        except Exception as error:  # a credential may raise any exception, and the checks must go on
            log.warning("model check failed", exc_info=True)
            await self._not_ready(BackendError(Kind.FORBIDDEN, f"{type(error).__name__}: {error}"[:300]))
        else:
            await self._is_ready(backend, served)

    async def changed(self, seconds: float) -> None:
        """Wait until a check is done, or for some seconds."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait()
        except TimeoutError:
            pass

    async def recheck(self) -> None:
        """Check the model at once, after a request found it missing, and restart the polling."""
        await self.check()
        self._check_now.set()

    async def _is_ready(self, backend: Backend, served: ServedModel) -> None:
        if self.state is not State.READY:
            log.info("model ready", extra={"model": served.id, "backend": backend.name})
            self._enter(State.READY)
        elif self.default and served.id != self.default.id:
            log.info("model renamed", extra={"model": served.id, "was": self.default.id})
        self.backend, self.default, self.conditions, self.download_seconds = backend, served, None, None
        self.reason = self.said = ""
        self._served_name = served.id
        self._measure()
        await self._notify()

    async def _not_ready(self, error: BackendError) -> None:
        was_there = self.ready or self.state is State.GONE
        if self.ready and error.kind in (Kind.SLOW, Kind.BUSY):
            return  # a server that is too busy to answer a check is not gone
        state = State.GONE if was_there else State.WARMING_UP
        state = LASTING.get(error.kind, state)
        self.backend = self.default = None
        self.reason, self.said = error.detail, error.said
        if state is not self.state:
            log.info("model not ready", extra={"state": state, "reason": error.detail})
            self._enter(state)
        self._measure()
        await self._read_details()
        await self._notify()

    async def _read_details(self) -> None:
        """Read more about a model that is not ready: its Workspace, and its download."""
        workspace = self.settings.workspace_name
        if self._workspaces and workspace:
            self.conditions = await self._workspaces.conditions(workspace)
        self.download_seconds = None
        with suppress(Exception):  # a credential may fail here too
            response = await self.endpoint.request("GET", "/metrics")
            self.download_seconds = remaining_seconds(response.text)

    def _measure(self) -> None:
        """Set the metric, under one name at a time: the name before a renaming is removed."""
        if self._measured_name != self.name:
            if self._measured_name:
                metrics.MODEL_READY.remove(self._measured_name)
            metrics.begin(self.name, outcomes=Kind, errors=FAULTS)
        self._measured_name = self.name
        metrics.MODEL_READY.labels(self.name).set(self.ready)

    def _enter(self, state: State) -> None:
        self.state = state
        self.since = time.monotonic()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
