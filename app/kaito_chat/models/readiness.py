"""Watches whether each model is ready, once for all sessions."""

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

# How often a model that is ready is looked at: it may be renamed or replaced under us.
READY_POLL_SECONDS = 30
DOWNLOAD = re.compile(
    r"^kaito_model_download_remaining_seconds(?:\{[^}]*\})?[ \t]+(\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?=\s|$)",
    re.MULTILINE | re.IGNORECASE,
)


class State(StrEnum):
    """What people are told about a model."""

    CHECKING = "checking"
    WARMING_UP = "warming_up"
    READY = "ready"
    GONE = "gone"
    FORBIDDEN = "forbidden"
    NOT_API = "not_api"
    NO_CHAT = "no_chat"


# States that only an operator can end.
LASTING = {Kind.FORBIDDEN: State.FORBIDDEN, Kind.NOT_API: State.NOT_API, Kind.NO_CHAT: State.NO_CHAT}


@dataclass(frozen=True)
class Ready:
    """A model that answers: its backend, and what it serves."""

    backend: Backend
    served: Served


class Watch:
    """One model: whether it is ready, how far its warm-up is, and who waits for it.

    Attributes:
        connection: The model's settings and server.
        state: What people are told.
        ready: How to talk to it, if it answers.
        reason: Why it is not ready; for logs only.
        said: The server's own words about that, which the page may quote.
        since: When the state began, as a monotonic time.
        conditions: The Workspace's conditions, where they may be read.
        download_seconds: How long KAITO still downloads the model, where it says so.
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
        """What people call it: its configured name, or the id that its server gave last."""
        settings = self.connection.settings
        return settings.name or self._served_name or settings.model or "model"

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The models and adapters that people may choose from; none while the model is not ready."""
        return self.ready.served.choices if self.ready else ()

    @property
    def base_model(self) -> bool:
        """Whether the model was found to only continue texts, as one without a chat template does."""
        return self.ready is not None and self.ready.backend.quirks(self.ready.served.model).no_chat_template

    def served(self, model: str | None = None) -> Served | None:
        """A model that was chosen, if it is one of the choices, else the default one; `None` while not ready."""
        if self.ready is None:
            return None
        served = self.ready.served
        chosen = next((each for each in served.choices if each.id == model), None)
        if chosen is None or chosen.id == served.model:
            return served
        return replace(served, model=chosen.id, max_model_len_tokens=chosen.window_tokens, listed=True)

    def window_tokens(self, model: str | None = None) -> int | None:
        """A model's window, as its server says, as a refusal named it, or as it is configured."""
        configured = self.connection.settings.max_model_len_tokens
        served = self.served(model)
        if self.ready is None or served is None:
            return configured
        known = [served.max_model_len_tokens or configured, self.ready.backend.quirks(served.model).window_tokens]
        return min((window for window in known if window), default=None)

    def learn_window(self, model: str, tokens: int) -> None:
        """Remember the window that a refusal named."""
        if self.ready:
            self.ready.backend.quirks(model).window_tokens = tokens

    async def run(self) -> None:
        """Look, for ever: often until the model is ready, then now and then."""
        while True:
            await self.look()
            pause = READY_POLL_SECONDS if self.ready else self._poll_seconds
            try:
                async with asyncio.timeout(pause * random.uniform(0.8, 1.2)):  # noqa: S311 - replicas spread their looks
                    await self._look_now.wait()
            except TimeoutError:
                pass
            self._look_now.clear()

    async def look(self) -> None:
        """Ask the server what it serves, and tell who waits."""
        try:
            backend = self.ready.backend if self.ready else await self.connection.backend()
            served = await backend.describe()
        except BackendError as error:
            await self._not_ready(error)
        except Exception as error:  # a credential may fail in its own ways, and the watch must go on
            log.warning("looking at the model failed", exc_info=True)
            await self._not_ready(BackendError(Kind.FORBIDDEN, f"{type(error).__name__}: {error}"[:300]))
        else:
            await self._is_ready(Ready(backend, served))

    async def until_ready(self) -> Ready:
        """Wait for the model."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.ready is not None)
        assert self.ready is not None  # noqa: S101 - what was waited for
        return self.ready

    async def changed(self, seconds: float) -> None:
        """Wait until there is something new to say, or for some seconds."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait()
        except TimeoutError:
            pass

    async def doubt(self) -> None:
        """A request found the model missing: look at once."""
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
            return  # too busy to answer a look is not gone
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
        """What else may be known about a model that is not ready."""
        workspace = self.connection.settings.workspace_name
        if self._workspaces and workspace:
            self.conditions = await self._workspaces.conditions(workspace)
        self.download_seconds = None
        with suppress(Exception):  # a credential may fail here too
            found = DOWNLOAD.search((await self.connection.server.request("GET", "/metrics")).text)
            self.download_seconds = float(found[1]) if found else None

    def _measure(self) -> None:
        """Under one name at a time: what a model was called before it was renamed is not ready."""
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
