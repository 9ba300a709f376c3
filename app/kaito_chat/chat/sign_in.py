"""Signing in: by name and password for demos, with Entra ID otherwise."""

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

from kaito_chat.chat.limits import Rate
from kaito_chat.page.security import accept_language
from kaito_chat.settings import Settings
from kaito_chat.telemetry import metrics
from kaito_chat.telemetry.audit import record
from kaito_chat.texts import negotiate, texts_for

log = logging.getLogger(__name__)

MOST_FAILURES = 10
WINDOW_SECONDS = 300.0
# A wrong password costs this much time, so that one connection cannot try many.
PAUSE_SECONDS = 0.5
LONGEST_NAME = 128


class Passwords:
    """Checks names and passwords; after some failures with a name, that name has to wait.

    Args:
        users: Passwords by name.
        failures: Counts the failures of each name.
        pause_seconds: How long a wrong password takes.
    """

    def __init__(
        self, users: Mapping[str, str], failures: Rate | None = None, pause_seconds: float = PAUSE_SECONDS
    ) -> None:
        self._users = users
        self._failures = failures or Rate(MOST_FAILURES, WINDOW_SECONDS)
        self._pause = pause_seconds

    async def check(self, name: str, password: str) -> cl.User | None:
        """The user with a name and a password.

        Raises:
            HTTPException: The name has failed too often; the answer says when to try again.
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
        # Counted before the pause: tries at the same time are failures too.
        self._failures.count(counted)
        metrics.SIGN_INS.labels("failed").inc()
        record("sign_in", counted, "failed")
        await asyncio.sleep(self._pause)
        return None


def register(settings: Settings) -> None:
    """Register what Chainlit calls when somebody signs in, as the settings say."""
    if settings.sign_in == "password" and settings.password_users:
        passwords = Passwords(json.loads(settings.password_users.get_secret_value()))
        # Not by the decorator: it takes every exception for a wrong password, also the one that says to wait.
        config.code.password_auth_callback = passwords.check

    if settings.sign_in == "entra":

        @cl.oauth_callback
        async def entra(
            _provider: str, _token: str, _raw: Mapping[str, Any], user: cl.User, _id_token: str | None = None
        ) -> cl.User | None:
            """Everybody whom the tenant's app registration lets in, without photo and tokens.

            The result goes into the page's cookie and into the history: a photo is more than proxies take in a header.
            """
            return cl.User(
                identifier=user.identifier, display_name=user.display_name, metadata={"provider": "azure-ad"}
            )
