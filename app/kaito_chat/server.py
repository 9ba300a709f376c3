"""The web application: Chainlit's page, and the routes that operators, probes and the page's status ask."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from chainlit.auth import get_current_user
from chainlit.chat_context import chat_contexts
from chainlit.session import ws_sessions_id
from chainlit.utils import mount_chainlit
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from kaito_chat import metrics
from kaito_chat.chat import pauses, running
from kaito_chat.chat.services import Services
from kaito_chat.page.security import Secured
from kaito_chat.texts import Texts, negotiate, texts_for

log = logging.getLogger(__name__)

HANDLERS = Path(__file__).parent / "chat" / "handlers.py"
ENTRA_HOST = "https://login.microsoftonline.com"
SWEEP_SECONDS = 5


def build(services: Services, data_layer: Any = None) -> Secured:  # noqa: ANN401 - Chainlit's, which has no types
    """The application for some services, to be served by one process.

    Chainlit keeps its handlers and configuration in modules, so a process has one application.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.start()
        sweeper = asyncio.create_task(_sweep())
        metrics.SESSIONS.set_function(lambda: len(ws_sessions_id))
        yield
        sweeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeper
        if data_layer:
            await data_layer.close()
        await services.close()

    app = FastAPI(title="KAITO Chat", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    _routes(app, services)
    pauses.take_out()
    running.use(services, data_layer)
    mount_chainlit(app=app, target=str(HANDLERS), path="")
    return Secured(app, forms=ENTRA_HOST if services.settings.sign_in == "entra" else "")


def _routes(app: FastAPI, services: Services) -> None:
    @app.get("/livez")
    async def livez() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        """Whether to send people here. The model does not matter: its warm-up is what the page shows."""
        if services.draining:
            return JSONResponse({"status": "draining"}, status_code=503)
        return JSONResponse({"status": "ok"})

    @app.get("/metrics")
    async def prometheus() -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/status", dependencies=[Depends(get_current_user)])
    async def status(request: Request) -> dict[str, Any]:
        """The models' states, for the page."""
        texts = texts_for(negotiate(request.headers.get("accept-language", "")))
        return {
            "models": [
                {
                    "name": watch.name,
                    "state": watch.state,
                    "text": texts.state(watch.state),
                    "steps": [step._asdict() for step in texts.steps(watch)],
                }
                for watch in services.watches
            ],
            "history": _why_no_history(services, texts),
        }


def _why_no_history(services: Services, texts: Texts) -> str:
    if services.settings.database_url:
        return ""
    return texts.say("notice.no_sign_in" if services.settings.sign_in == "none" else "notice.no_history")


async def _sweep() -> None:
    """Forget the conversations of sessions that Chainlit forgot: it keeps their messages for ever."""
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        for session in set(chat_contexts) - set(ws_sessions_id):
            del chat_contexts[session]
