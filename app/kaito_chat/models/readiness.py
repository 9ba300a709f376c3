"""Polling of each model's readiness, once for all sessions."""

import asyncio
import logging
import random
import re
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from kaito_chat.backends import Backend, Choice, Connection, Served
from kaito_chat.kubernetes.workspace import Conditions, Workspaces
from kaito_chat.telemetry import metrics
from kaito_chat.trouble import BackendError, Kind

log = logging.getLogger(__name__)

# Poll interval of a ready model, which may be renamed or replaced.
READY_POLL_SECONDS = 30
DOWNLOAD = re.compile(
    r"^kaito_model_download_remaining_seconds(?:\{[^}]*\})?[ \t]+(\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?=\s|$)",
    re.MULTILINE | re.IGNORECASE,
)


class State(StrEnum):
    """The state of a model, as shown on the page."""

    CHECKING = "checking"
    WARMING_UP = "warming_up"
    READY = "ready"
    GONE = "gone"
    FORBIDDEN = "forbidden"
    NOT_API = "not_api"
    NO_CHAT = "no_chat"


# Errors that only an operator can fix.
LASTING = {Kind.FORBIDDEN: State.FORBIDDEN, Kind.NOT_API: State.NOT_API, Kind.NO_CHAT: State.NO_CHAT}


@dataclass(frozen=True)
class Ready:
    """The backend of a ready model, and its description."""

    backend: Backend
    served: Served


class Watch:
    """Polls one model: its readiness, the progress of its warm-up, and the tasks that wait for it.

    Attributes:
        connection: The model's settings and server.
        state: The state shown on the page.
        ready: The backend to call; `None` while the model is not ready.
        reason: Why it is not ready; for logs only.
        said: The server's error message, which the page may quote.
        since: When the state began, on the monotonic clock.
        conditions: The Workspace's conditions, if they can be read.
        download_seconds: The remaining time of KAITO's download of the model, if it is reported.
    """

    def __init__(self, connection: Connection, poll_seconds: float, workspaces: Workspaces | None = None) -> None:
        self.connection = connection
        self.state = State.CHECKING
        self.ready: Ready | None = None
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
        self._look_now = asyncio.Event()

    @property
    def name(self) -> str:
        """The display name: the configured name, or the last id that the server listed."""
        settings = self.connection.settings
        return settings.name or self._served_name or settings.model or "model"

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The models and adapters that users can choose from; none while the model is not ready."""
        return self.ready.served.choices if self.ready else ()

    @property
    def base_model(self) -> bool:
        """Whether the model is a base model: it has no chat template and can only complete text."""
        return self.ready is not None and self.ready.backend.quirks(self.ready.served.model).no_chat_template

    def served(self, model: str | None = None) -> Served | None:
        """Return the chosen model if it is one of the choices, else the default one; `None` while not ready."""
        if self.ready is None:
            return None
        served = self.ready.served
        chosen = next((each for each in served.choices if each.id == model), None)
        if chosen is None or chosen.id == served.model:
            return served
        return replace(served, model=chosen.id, max_model_len_tokens=chosen.window_tokens, listed=True)

    def window_tokens(self, model: str | None = None) -> int | None:
        """Return the size of a model's context window, from its server, an earlier error, or the settings."""
        configured = self.connection.settings.max_model_len_tokens
        served = self.served(model)
        if self.ready is None or served is None:
            return configured
        known = [served.max_model_len_tokens or configured, self.ready.backend.quirks(served.model).window_tokens]
        return min((window for window in known if window), default=None)

    def learn_window(self, model: str, tokens: int) -> None:
        """Remember the size of the context window that an error reported."""
        if self.ready:
            self.ready.backend.quirks(model).window_tokens = tokens

    async def run(self) -> None:
        """Poll until cancelled: frequently until the model is ready, rarely after that."""
        while True:
            await self.look()
            pause = READY_POLL_SECONDS if self.ready else self._poll_seconds
            try:
                async with asyncio.timeout(pause * random.uniform(0.8, 1.2)):  # noqa: S311 - spreads the polls of replicas
                    await self._look_now.wait()
            except TimeoutError:
                pass
            self._look_now.clear()

    async def look(self) -> None:
        """Poll the server once, and notify the waiting tasks."""
        try:
            backend = self.ready.backend if self.ready else await self.connection.backend()
            served = await backend.describe()
        except BackendError as error:
            await self._not_ready(error)
        except Exception as error:  # credentials raise errors of many kinds, and polling must go on
            log.warning("polling the model failed", exc_info=True)
            await self._not_ready(BackendError(Kind.FORBIDDEN, f"{type(error).__name__}: {error}"[:300]))
        else:
            await self._is_ready(Ready(backend, served))

    async def until_ready(self) -> Ready:
        """Wait until the model is ready."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.ready is not None)
        assert self.ready is not None  # noqa: S101 - guaranteed by the condition
        return self.ready

    async def changed(self, seconds: float) -> None:
        """Wait for the next poll, with a timeout."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait()
        except TimeoutError:
            pass

    async def doubt(self) -> None:
        """Poll at once, after a request found the model missing."""
        await self.look()
        self._look_now.set()

    async def _is_ready(self, ready: Ready) -> None:
        if self.state is not State.READY:
            log.info("model ready", extra={"model": ready.served.model, "backend": ready.backend.name})
            self._enter(State.READY)
        elif self.ready and ready.served.model != self.ready.served.model:
            log.info("model renamed", extra={"model": ready.served.model, "was": self.ready.served.model})
        self.ready, self.conditions, self.download_seconds = ready, None, None
        self.reason = self.said = ""
        self._served_name = ready.served.model
        self._measure()
        await self._tell()

    async def _not_ready(self, error: BackendError) -> None:
        was_there = self.ready is not None or self.state is State.GONE
        if self.ready and error.kind in (Kind.SLOW, Kind.BUSY):
            return  # too busy to answer a poll does not mean gone
        state = State.GONE if was_there else State.WARMING_UP
        state = LASTING.get(error.kind, state)
        self.ready, self.reason, self.said = None, error.detail, error.said
        if state is not self.state:
            log.info("model not ready", extra={"state": state, "reason": error.detail})
            self._enter(state)
        self._measure()
        await self._look_closer()
        await self._tell()

    async def _look_closer(self) -> None:
        """Read the Workspace's conditions and the download's progress of a model that is not ready."""
        workspace = self.connection.settings.workspace_name
        if self._workspaces and workspace:
            self.conditions = await self._workspaces.conditions(workspace)
        self.download_seconds = None
        with suppress(Exception):  # credentials raise errors of many kinds
            found = DOWNLOAD.search((await self.connection.server.request("GET", "/metrics")).text)
            self.download_seconds = float(found[1]) if found else None

    def _measure(self) -> None:
        """Set the readiness metric; remove it under the model's previous name."""
        if self._measured_name not in ("", self.name):
            metrics.MODEL_READY.remove(self._measured_name)
        self._measured_name = self.name
        metrics.MODEL_READY.labels(self.name).set(self.ready is not None)

    def _enter(self, state: State) -> None:
        self.state = state
        self.since = time.monotonic()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
