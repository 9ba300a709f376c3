"""Routes of every page: status, session cookie, sign-out, buttons."""

import asyncio
from typing import Annotated, Any

import chainlit as cl
from chainlit.auth import get_current_user, get_token_from_cookies
from chainlit.auth.cookie import clear_auth_cookie
from chainlit.context import init_ws_context
from chainlit.session import WebsocketSession, ws_sessions_id
from chainlit.user import User
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from kaito_chat.chat.answers import Answers
from kaito_chat.chat.buttons import NAMES
from kaito_chat.chat.conversations import LEFT
from kaito_chat.chat.services import Services
from kaito_chat.chat.waking import offers_wake, wake
from kaito_chat.kubernetes.resources import ApiError
from kaito_chat.page.security import accept_language
from kaito_chat.routes.bodies import Press, SessionCookie, Wake
from kaito_chat.telemetry import metrics
from kaito_chat.telemetry.audit import record
from kaito_chat.texts import negotiate, texts_for

COOKIE = "X-Chainlit-Session-id"
CurrentUser = Annotated[User | None, Depends(get_current_user)]


class PageRoutes:
    """Serves the routes of the page.

    Args:
        services: The shared objects of the application.
        answers: Answers the questions of pages.
    """

    def __init__(self, services: Services, answers: Answers) -> None:
        self._services = services
        self._answers = answers

    def router(self) -> APIRouter:
        """Return a router with the routes."""
        routes = APIRouter()
        routes.get("/status")(self.status)
        routes.post("/wake")(self.wake)
        routes.post("/set-session-cookie")(self.session_cookie)
        routes.post("/logout")(self.logout)
        routes.post("/project/action")(self.press)
        return routes

    async def status(self, user: CurrentUser) -> dict[str, Any]:
        """Return the state of the models and of the history."""
        texts = texts_for(negotiate(accept_language.get()))
        waits = self._services.history.outbox.pending if self._services.history else 0
        return {
            "language": texts.language,
            "models": [
                {
                    "name": model.name,
                    "state": model.state,
                    "text": texts.status(model),
                    "steps": [step._asdict() for step in texts.steps(model)],
                    "replicas": [{"state": each.state, "running": each.running} for each in model.replicas],
                    "wake": offers_wake(self._services.settings, model, user),
                }
                for model in self._services.models
            ],
            "history": "" if self._services.history else texts.say(self._unkept()),
            "question_limit": self._services.settings.max_question_characters,
            "unsaved": waits,
            "history_away": bool(self._services.history and self._services.history.outbox.away),
        }

    def _unkept(self) -> str:
        """Return the key of the text that says why conversations are not stored."""
        return "notice.no_sign_in" if self._services.settings.sign_in == "none" else "notice.no_history"

    async def session_cookie(self, body: SessionCookie, response: Response) -> dict[str, bool]:
        """Set the cookie that proxies use for session affinity."""
        encrypted = self._services.settings.encrypted
        response.set_cookie(COOKIE, body.session_id, httponly=True, samesite="lax", secure=encrypted)
        return {"success": True}

    async def logout(self, request: Request, response: Response) -> dict[str, bool]:
        """Sign out and revoke the token, on every replica that shares the history's database."""
        token = get_token_from_cookies(request.cookies)
        clear_auth_cookie(request, response)
        user = await self._services.tokens.revoke(token) if self._services.tokens else None
        if user:
            record("sign_out", user.identifier, "ok")
            for session in list(ws_sessions_id.values()):
                if session.token == token:
                    self._services.conversations.of(session.id).interrupt(LEFT)
        return {"success": True}

    async def press(self, body: Press, user: CurrentUser) -> dict[str, bool]:
        """Press a button under an answer."""
        session = WebsocketSession.get_by_id(body.sessionId)
        if session is None or _name(session.user) != _name(user) or body.action.name not in NAMES:
            raise HTTPException(404, "Not Found")
        if not self._answers.may_ask(session):
            metrics.REFUSED.labels("flood").inc()
            raise HTTPException(429, "Too Many Requests")
        action = cl.Action(name=body.action.name, payload={}, id=body.action.id)
        action.forId = body.action.forId

        async def take() -> None:
            init_ws_context(session)
            await self._answers.take(action)

        await asyncio.wait((self._services.background(take()),))  # continues if the client cancels the request
        return {"success": True}

    async def wake(self, body: Wake, user: CurrentUser) -> JSONResponse:
        """Wake a model that sleeps; a press of the button counts as a question."""
        model = next((each for each in self._services.models if each.name == body.model), None)
        if user is None or model is None:
            raise HTTPException(404, "Not Found")
        if self._services.limits.refusal(str(user.identifier), page=""):
            metrics.REFUSED.labels("flood").inc()
            raise HTTPException(429, "Too Many Requests")
        self._services.limits.count(str(user.identifier))
        texts = texts_for(negotiate(accept_language.get()))
        try:
            await wake(self._services, model, user)
        except PermissionError:
            return JSONResponse({"detail": texts.say("wake.not_allowed")}, status_code=403)
        except ApiError as error:
            return JSONResponse({"detail": texts.not_woken(error)}, status_code=502)
        return JSONResponse({"detail": ""})


def _name(user: User | None) -> str | None:
    return user.identifier if user else None
