"""The objects shared by all conversations of a process: connection pool, models, limits, running answers."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from kaito_chat.backends import ApiKey, Timeouts, connect, pool
from kaito_chat.chat.conversations import DRAINED, Conversations
from kaito_chat.chat.limits import UsageLimits
from kaito_chat.kubernetes.api_server import ApiServer
from kaito_chat.kubernetes.inference_sets import InferenceSets
from kaito_chat.kubernetes.workspace import Workspaces
from kaito_chat.models.objects import Objects
from kaito_chat.models.readiness import Model
from kaito_chat.settings import Settings
from kaito_chat.telemetry import metrics

log = logging.getLogger(__name__)

if TYPE_CHECKING:  # Chainlit's modules write files when they are imported; Azure's take long to load
    from azure.core.credentials_async import AsyncTokenCredential

    from kaito_chat.chat.tokens import Tokens
    from kaito_chat.history.store import Store

# Time limit for saving the history before the process exits.
FLUSH_SECONDS = 20.0
# How long Socket.IO has to send the last packets of an answer, which it queues, before connections are closed.
SEND_SECONDS = 0.2


@dataclass
class Services:
    """The shared objects of a running application.

    Attributes:
        settings: The application's settings.
        client: The HTTP connection pool for model servers.
        models: The models, in the order of the settings.
        api_server: The cluster's API server.
        inference_sets: The client of the cluster's InferenceSets.
        limits: Limits on running answers and questions per minute.
        credential: The managed identity for Azure OpenAI or PostgreSQL with Entra ID.
        api_key: The key of the only model's server.
        history: The store of conversations, if there is one.
        tokens: The tokens of signed-in users, if sign-in is required.
        conversations: The open conversations.
        draining: Whether the process is shutting down.
        turns: The tasks of the running answers.
        answering: The tasks that wait for these answers and then end them on their pages.
    """

    settings: Settings
    client: httpx.AsyncClient
    models: list[Model]
    api_server: ApiServer
    inference_sets: InferenceSets
    limits: UsageLimits
    credential: "AsyncTokenCredential | None" = None
    api_key: ApiKey = field(default_factory=lambda: ApiKey(""))
    history: "Store | None" = None
    tokens: "Tokens | None" = None
    conversations: Conversations = field(default_factory=Conversations)
    draining: bool = False
    turns: set[asyncio.Task[None]] = field(default_factory=set)
    answering: set[asyncio.Task[Any]] = field(default_factory=set)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _background: set[asyncio.Task[None]] = field(default_factory=set)

    def model(self, profile: str | None) -> Model:
        """Return the model of a chat profile; the first model if there is no such profile."""
        named = (model for model in self.models if model.settings.name == profile)
        return next(named, self.models[0])

    def start(self) -> None:
        """Start polling the readiness of the models."""
        self._tasks = [asyncio.create_task(model.run(), name=f"watch {model.name}") for model in self.models]

    def background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine as a background task, with a reference that protects it from garbage collection."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    @contextlib.contextmanager
    def until_ended(self) -> Iterator[None]:
        """Let `drain` wait for the current task: an answer and its end on the page."""
        tasks = {task for task in (asyncio.current_task(),) if task}
        self.answering |= tasks
        try:
            yield
        finally:
            self.answering -= tasks

    async def drain(self) -> None:
        """Wait for running answers up to the limit, cancel the rest with a notice, and flush the history."""
        self.draining = True
        metrics.DRAINING.set(1)
        answering = set(self.answering)
        if self.turns:
            log.info("draining", extra={"answers": len(self.turns), "limit_seconds": self.settings.drain_seconds})
            await asyncio.wait(self.turns, timeout=self.settings.drain_seconds)
        for turn in self.turns:
            turn.cancel(DRAINED)
        if self.turns:
            await asyncio.wait(self.turns, timeout=2)
        if answering:
            await asyncio.wait(answering, timeout=2)
            await asyncio.sleep(SEND_SECONDS)
        if self.history:
            await self.history.flush(FLUSH_SECONDS)

    async def close(self) -> None:
        """Stop polling the models and close all connections."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self.history:
            await self.history.close()
        await self.client.aclose()
        await self.api_server.close()
        if self.credential:
            await self.credential.close()


def _credential() -> "AsyncTokenCredential":
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415

    return DefaultAzureCredential()


def build(settings: Settings) -> Services:
    """Build the shared objects from the settings, without starting anything."""
    encrypted = not all(url.startswith("http://") for model in settings.configured_models for url in model.urls)
    client = pool(settings.connect_timeout_seconds, settings.max_connections, settings.ca_file, encrypted=encrypted)
    timeouts = Timeouts(
        connect=settings.connect_timeout_seconds,
        first_token=settings.first_token_timeout_seconds,
        token=settings.token_timeout_seconds,
        answer=settings.answer_timeout_seconds,
        pause=settings.coalesce_milliseconds / 1000,
    )
    credential = _credential() if settings.identity_needed else None
    api_server = ApiServer(settings.kubernetes_api_url, settings.service_account_dir)
    place = (api_server, settings.workspace_api_version, settings.workspace_namespace)
    workspaces, inference_sets = Workspaces(*place), InferenceSets(*place)
    key = ApiKey(settings.api_key.get_secret_value() if settings.api_key else "")
    models = [
        Model(
            each,
            [
                connect(server, client, timeouts, api_key=None if settings.models else key, credential=credential)
                for server in each.servers
            ],
            settings.warm_up_poll_seconds,
            Objects(each, workspaces, inference_sets),
        )
        for each in settings.configured_models
    ]
    limits = UsageLimits(
        answers=settings.max_answers,
        user_answers=settings.max_answers_per_user,
        questions=settings.max_questions_per_minute,
        user_questions=settings.max_questions_per_minute_per_user,
    )
    return Services(settings, client, models, api_server, inference_sets, limits, credential, key)
