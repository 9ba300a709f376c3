"""The ASGI application: Chainlit behind the gate, with our routes in front, and our event handlers."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import chainlit.server
from chainlit.chat_context import chat_contexts
from chainlit.session import ws_sessions_id
from chainlit.utils import mount_chainlit
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from kaito_chat.chat import chainlit_patches, registry
from kaito_chat.chat.answers import Answers
from kaito_chat.chat.history_notices import HistoryNotices
from kaito_chat.chat.rotation import Rotation
from kaito_chat.chat.services import Services
from kaito_chat.chat.signing_keys import SigningKeys
from kaito_chat.chat.tokens import Tokens
from kaito_chat.history.errors import HistoryAwayError, HistoryError
from kaito_chat.page.gate import Gate
from kaito_chat.page.security import Secured, accept_language
from kaito_chat.routes import ConversationRoutes, PageRoutes
from kaito_chat.settings import Settings
from kaito_chat.sockets import packets
from kaito_chat.sockets.connections import Sockets
from kaito_chat.sockets.messages import Messages
from kaito_chat.telemetry import metrics
from kaito_chat.texts import negotiate, texts_for

log = logging.getLogger(__name__)

HANDLERS = Path(__file__).parent / "chat" / "handlers.py"
ENTRA_HOST = "https://login.microsoftonline.com"
SWEEP_SECONDS = 5
# WebSocket frames; a message within this size that is too long for the model is refused with a notice.
LARGEST_FRAME_BYTES = 16 * 1024 * 1024


def build(services: Services, data_layer: Any = None) -> Secured:  # noqa: ANN401 - Chainlit's, which has no types
    """Build the application.

    Chainlit keeps its handlers and configuration in module globals, so a process can hold one application only.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.start()
        tasks = [asyncio.create_task(_sweep(services))]
        if settings.secrets_dirs:
            tasks.append(asyncio.create_task(Rotation(services).run()))
        metrics.SESSIONS.set_function(lambda: len(ws_sessions_id))
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await services.close()

    settings = services.settings
    app = FastAPI(title="KAITO Chat", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    _patch(services)
    answers = Answers(services)
    app.include_router(PageRoutes(services, answers).router(), prefix=settings.root_path)
    if services.history:
        conversations = ConversationRoutes(services, services.history)
        app.include_router(conversations.router(), prefix=settings.root_path)
        services.history.subscribe(HistoryNotices(services).changed)
    registry.use(services, data_layer)
    mount_chainlit(app=app, target=str(HANDLERS), path=settings.root_path)
    _take_events(services, answers)
    for application in (app, chainlit.server.app):
        application.add_exception_handler(RequestValidationError, _malformed)
        application.add_exception_handler(HistoryError, _away)
    gate = Gate(app, settings.public_origin, settings.root_path)
    forms = ENTRA_HOST if settings.sign_in == "entra" else ""
    return Secured(gate, forms=forms, images=" ".join(settings.icon_sources), encrypted=settings.encrypted)


def not_ready(services: Services) -> str:
    """Return why this replica is not ready, or an empty string; models do not count, as the page shows their state."""
    if services.draining:
        return "draining"
    return "" if (services.settings.data_dir / "public").is_dir() else "the page's files are gone"


def _patch(services: Services) -> None:
    settings = services.settings
    chainlit_patches.remove_sleeps()
    chainlit_patches.guard_files()
    chainlit_patches.record_sign_ins()
    if settings.encrypted:
        chainlit_patches.secure_cookies()
    if settings.sign_in != "none" and settings.auth_secret:
        history = services.history
        services.tokens = Tokens(
            _keys(settings, settings.auth_secret.get_secret_value()),
            settings.sign_in_lifetime_hours,
            history.is_signed_out if history else None,
            history.sign_out if history else None,
        )
        chainlit_patches.use_tokens(services.tokens)


def _keys(settings: Settings, newest: str) -> SigningKeys:
    former = settings.auth_secret_previous
    return SigningKeys(newest, former.get_secret_value() if former else None, settings.auth_secret_delay_seconds)


def _take_events(services: Services, answers: Answers) -> None:
    """Replace all of Chainlit's event handlers by ours; other events are ignored."""
    sio = chainlit.server.sio
    sio.eio.max_http_buffer_size = LARGEST_FRAME_BYTES
    sockets, messages = Sockets(sio, services, answers).handlers(), Messages(services, answers).handlers()
    sio.handlers["/"] = sockets | messages
    packets.guard(sio, {*sockets, *messages} - {"connect", "disconnect"}, ("client_message", "edit_message"))


async def _malformed(_: Request, error: Exception) -> JSONResponse:
    """Answer 422 with the location of each error but not the rejected value, which is untrusted input."""
    places = error.errors() if isinstance(error, RequestValidationError) else []
    words = "; ".join(f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"[:200] for each in places[:5])
    return JSONResponse({"detail": words or "The request is malformed"}, status_code=422)


async def _away(_: Request, error: Exception) -> JSONResponse:
    """Answer 503: the history's database is unavailable and nothing was changed."""
    log.warning("a request failed because the history's database is unavailable", extra={"reason": str(error)})
    texts = texts_for(negotiate(accept_language.get()))
    unwritable = isinstance(error, HistoryAwayError) and error.reason in ("read_only", "full")
    words = texts.say("notice.not_changed" if unwritable else "notice.history_away")
    return JSONResponse({"detail": words}, status_code=503, headers={"retry-after": "5"})


async def _sweep(services: Services) -> None:
    """Drop the messages and conversations of closed sessions; Chainlit keeps the messages until the process exits."""
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        for session in set(chat_contexts) - set(ws_sessions_id):
            del chat_contexts[session]
        services.conversations.keep(ws_sessions_id)
