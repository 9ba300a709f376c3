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

SLEEPING = ("chainlit.message", "chainlit.step")


class SignIns(Protocol):
    """Issue and verify sign-in tokens."""

    def issue(self, user: User) -> str:
        """Return a token for a signed-in user."""

    async def holder(self, token: str | None) -> User | None:
        """Return the user of a token; `None` if it is invalid."""


def guard_files() -> None:
    """Restrict session folders to Chainlit's directory.

    Chainlit builds the path of the folder, which it creates and removes, from an id that the browser chose.
    """

    def files_dir(session: Any) -> Path:  # noqa: ANN401 - Chainlit has no types
        if not is_uuid(session.id):
            raise ValueError("the id of a session must be a UUID")
        return Path(FILES_DIRECTORY) / str(session.id)

    BaseSession.files_dir = property(files_dir)


def secure_cookies() -> None:
    """Set `Secure` on sign-in cookies; Chainlit sets it only for embedded pages."""
    chainlit.auth.cookie._cookie_secure = True  # noqa: SLF001 - there is no setting


def use_tokens(sign_ins: SignIns) -> None:
    """Replace Chainlit's token functions; they are imported by name, so each module that imports them is patched."""

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
    """Count and log the outcomes of sign-ins, by password and with Entra ID."""
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


def remove_sleeps() -> None:
    """Remove the `time.sleep` from the constructors of steps and messages.

    Chainlit sleeps for 0.001 s in each constructor, so that no two creation times are equal. It blocks the event loop
    three times per question: a fifth of a second in total when fifty users ask at once. Creation times have
    microseconds, so they differ without it. The two modules use `time` for nothing else.
    """
    for name in SLEEPING:  # the attribute `chainlit.step` is a function that hides the module
        import_module(name).time = SimpleNamespace(sleep=lambda _seconds: None)  # type: ignore[attr-defined]
