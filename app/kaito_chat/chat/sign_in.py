"""Sign-in: by user name and password for demos, with Entra ID otherwise."""

import asyncio
import hmac
import json
import logging
import math
from collections.abc import Mapping
from typing import Any

import chainlit as cl
from chainlit.config import config
from fastapi import HTTPException

from kaito_chat.chat.entra_groups import memberships
from kaito_chat.chat.limits import Rate
from kaito_chat.chat.waking import GROUPS
from kaito_chat.page.security import accept_language
from kaito_chat.settings import Settings
from kaito_chat.telemetry import metrics
from kaito_chat.telemetry.audit import record
from kaito_chat.texts import negotiate, texts_for

log = logging.getLogger(__name__)

MOST_FAILURES = 10
WINDOW_SECONDS = 300.0
# Delay after a wrong password, against brute force.
PAUSE_SECONDS = 0.5
LONGEST_NAME = 128


class Passwords:
    """Verifies passwords; rate-limits a user name after repeated failures.

    Args:
        users: Passwords by user name.
        failures: Counts the failures of each name.
        pause_seconds: The delay after a wrong password.
    """

    def __init__(
        self, users: Mapping[str, str], failures: Rate | None = None, pause_seconds: float = PAUSE_SECONDS
    ) -> None:
        self._users = users
        self._failures = failures or Rate(MOST_FAILURES, WINDOW_SECONDS)
        self._pause = pause_seconds

    async def check(self, name: str, password: str) -> cl.User | None:
        """Return the user if the password is right, otherwise `None`.

        Raises:
            HTTPException: Too many failures with this name; the response has a `Retry-After` header.
        """
        known = name if name in self._users else None
        counted = name[:LONGEST_NAME]
        if wait := self._failures.wait(counted):
            metrics.SIGN_INS.labels("limited").inc()
            record("sign_in", counted, "limited")
            seconds = math.ceil(wait)
            texts = texts_for(negotiate(accept_language.get()))
            detail = texts.say("notice.sign_in_limited", seconds=seconds)
            raise HTTPException(429, detail, {"retry-after": str(seconds)})
        right = self._users.get(name, "").encode(errors="replace")
        if hmac.compare_digest(right, password.encode(errors="replace")) and known and right:
            return cl.User(identifier=known)
        # Counted before the delay, so that concurrent attempts count as well.
        self._failures.count(counted)
        metrics.SIGN_INS.labels("failed").inc()
        record("sign_in", counted, "failed")
        await asyncio.sleep(self._pause)
        return None


def register(settings: Settings) -> None:
    """Register Chainlit's sign-in callback according to the settings."""
    if settings.sign_in == "password" and settings.password_users:
        passwords = Passwords(json.loads(settings.password_users.get_secret_value()))
        # Not by the decorator, which turns every exception into a wrong password, including the 429.
        config.code.password_auth_callback = passwords.check

    if settings.sign_in == "entra":

        @cl.oauth_callback
        async def entra(
            _provider: str, token: str, _raw: Mapping[str, Any], user: cl.User, _id_token: str | None = None
        ) -> cl.User | None:
            """Return any user whom the tenant's app registration admits, without photo and tokens.

            The result is stored in the page's cookie and in the history: a photo exceeds the header size of proxies.
            """
            groups = await memberships(token, settings.wake_groups)
            return cl.User(
                identifier=user.identifier,
                display_name=user.display_name,
                metadata={"provider": "azure-ad"} | ({GROUPS: groups} if groups else {}),
            )
