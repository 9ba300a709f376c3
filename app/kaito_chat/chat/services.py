"""What all conversations of a process share: the pool, the models, and who is being answered."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import DefaultAzureCredential

from kaito_chat.backends import Timeouts, connect, pool
from kaito_chat.chat.conversations import DRAINED, Conversations
from kaito_chat.chat.limits import Limits
from kaito_chat.kubernetes.workspace import Workspaces
from kaito_chat.models.readiness import Model
from kaito_chat.settings import Settings
from kaito_chat.telemetry import metrics

log = logging.getLogger(__name__)

if TYPE_CHECKING:  # Chainlit writes below its root when it is imported, and these import it
    from kaito_chat.chat.tokens import Tokens
    from kaito_chat.history.store import Store

# Unsaved history is written for at most so long before the process ends.
FLUSH_SECONDS = 20.0


@dataclass
class Services:
    """The shared parts of a running application.

    Attributes:
        settings: The application's.
        client: The pool of connections to models' servers.
        models: In the order of the settings.
        limits: How many answers run and how many questions come.
        credential: For Azure OpenAI or PostgreSQL with Entra ID.
        history: Where conversations are kept, if they are.
        tokens: Of people who signed in, if they have to.
        conversations: The open ones.
        draining: Whether the process is shutting down.
        turns: The tasks that answer somebody.
    """

    settings: Settings
    client: httpx.AsyncClient
    models: list[Model]
    workspaces: Workspaces
    limits: Limits
    credential: AsyncTokenCredential | None = None
    history: "Store | None" = None
    tokens: "Tokens | None" = None
    conversations: Conversations = field(default_factory=Conversations)
    draining: bool = False
    turns: set[asyncio.Task[None]] = field(default_factory=set)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _background: set[asyncio.Task[None]] = field(default_factory=set)

    def model(self, profile: str | None) -> Model:
        """The model of a profile; the first one where there is no such profile."""
        named = (model for model in self.models if model.settings.name == profile)
        return next(named, self.models[0])

    def start(self) -> None:
        """Begin to watch the models."""
        self._tasks = [asyncio.create_task(model.run(), name=f"watch {model.name}") for model in self.models]

    def background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something beside the caller, until it is done."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def drain(self) -> None:
        """Let running answers end, up to the limit; then end them with a message."""
        self.draining = True
        metrics.DRAINING.set(1)
        if self.turns:
            log.info("draining", extra={"answers": len(self.turns), "limit_seconds": self.settings.drain_seconds})
            await asyncio.wait(self.turns, timeout=self.settings.drain_seconds)
        for turn in self.turns:
            turn.cancel(DRAINED)
        if self.turns:
            await asyncio.wait(self.turns, timeout=2)
        if self.history:
            await self.history.flush(FLUSH_SECONDS)

    async def close(self) -> None:
        """Stop watching, and close every connection."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self.history:
            await self.history.close()
        await self.client.aclose()
        await self.workspaces.close()
        if self.credential:
            await self.credential.close()


def build(settings: Settings) -> Services:
    """The shared parts for some settings; nothing runs yet."""
    client = pool(settings.connect_timeout_seconds, settings.max_connections, settings.ca_file)
    timeouts = Timeouts(
        connect=settings.connect_timeout_seconds,
        first_token=settings.first_token_timeout_seconds,
        token=settings.token_timeout_seconds,
        answer=settings.answer_timeout_seconds,
    )
    keyless = any(model.backend == "azure_openai" and not model.api_key_variable for model in settings.served)
    credential = DefaultAzureCredential() if keyless or settings.database_entra_enabled else None
    workspaces = Workspaces(
        settings.kubernetes_api_url,
        settings.service_account_dir,
        settings.workspace_api_version,
        settings.workspace_namespace,
    )
    key = settings.api_key.get_secret_value() if settings.api_key and not settings.models else None
    models = [
        Model(
            each,
            connect(each, client, timeouts, api_key=key, credential=credential),
            settings.warm_up_poll_seconds,
            workspaces,
        )
        for each in settings.served
    ]
    limits = Limits(
        answers=settings.max_answers,
        user_answers=settings.max_answers_per_user,
        questions=settings.max_questions_per_minute,
        user_questions=settings.max_questions_per_minute_per_user,
    )
    return Services(settings, client, models, workspaces, limits, credential)
