"""Patches of Chainlit 2.12, each with its reason; drafts of the bug reports are in docs/explanation/upstream."""

import logging
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import chainlit.auth
import chainlit.auth.cookie
import chainlit.auth.jwt
import chainlit.server
from chainlit.config import FILES_DIRECTORY
from chainlit.session import BaseSession
from chainlit.user import User
from fastapi import HTTPException

from kaito_chat.chat.ids import is_uuid
from kaito_chat.telemetry import metrics
from kaito_chat.telemetry.audit import record

log = logging.getLogger(__name__)

PAUSING = ("chainlit.message", "chainlit.step")


class SignIns(Protocol):
    """Makes and checks the tokens of people who signed in."""

    def issue(self, user: User) -> str:
        """A token for somebody who signed in."""

    async def holder(self, token: str | None) -> User | None:
        """Who a token signs in, if anybody."""


def guard_files() -> None:
    """Give a session a folder for its files only below Chainlit's own, whatever its id is.

    Chainlit joins the id, which the browser chose, to a path that it makes and removes.
    """

    def files_dir(session: Any) -> Path:  # noqa: ANN401 - Chainlit's, which has no types
        if not is_uuid(session.id):
            raise ValueError("the id of a session must be a UUID")
        return Path(FILES_DIRECTORY) / str(session.id)

    BaseSession.files_dir = property(files_dir)


def secure_cookies() -> None:
    """Keep the cookies of sign-in to https. Chainlit does so only for pages within other sites."""
    chainlit.auth.cookie._cookie_secure = True  # noqa: SLF001 - there is no setting


def use_tokens(sign_ins: SignIns) -> None:
    """Have Chainlit make and check tokens our way; it imports the functions by name, so each name is replaced."""

    def decode(_token: str) -> User:
        raise HTTPException(401, "Tokens are not renewed; sign in again")

    async def authenticate(token: str | None) -> User:
        user = await sign_ins.holder(token)
        if user is None:
            raise HTTPException(401, "Not signed in")
        return user

    for module in (chainlit.auth, chainlit.auth.jwt, chainlit.server):
        module.create_jwt = sign_ins.issue
        module.decode_jwt = decode
    chainlit.auth.authenticate_user = authenticate


def record_sign_ins() -> None:
    """Count and log what comes of signing in, by password and with Entra ID."""
    authenticated, failed = chainlit.server._authenticate_user, chainlit.server._get_oauth_redirect_error  # noqa: SLF001

    async def authenticate(request: Any, user: User | None, redirect_to_callback: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - Chainlit's signature
        if user is not None:
            metrics.SIGN_INS.labels("ok").inc()
            record("sign_in", user.identifier, "ok")
        return await authenticated(request, user, redirect_to_callback)

    def failure(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - Chainlit's signature
        metrics.SIGN_INS.labels("failed").inc()
        record("sign_in", None, "failed")
        return failed(*arguments, **options)

    chainlit.server._authenticate_user = authenticate  # noqa: SLF001
    chainlit.server._get_oauth_redirect_error = failure  # noqa: SLF001


def take_out_pauses() -> None:
    """Let constructing a step or a message take no time.

    Chainlit calls `time.sleep(0.001)` in the constructor of every step and message, so that no two have the same time
    of creation. That stops the whole process, all conversations with it: three times per question, a fifth of a second
    when fifty users ask at once. The times of creation have microseconds, so they differ without it. The two modules
    use `time` for nothing else.
    """
    for name in PAUSING:  # the attribute `chainlit.step` is a function that hides the module
        import_module(name).time = SimpleNamespace(sleep=lambda _seconds: None)  # type: ignore[attr-defined]
