"""Changed secrets in a running process: no restart, so no replica is missing while they rotate."""

import asyncio
import logging
from typing import Any

from chainlit.oauth_providers import providers

from kaito_chat.chat import sign_in
from kaito_chat.chat.services import Services
from kaito_chat.settings import PREFIX, Settings, SettingsError, read

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
ENTRA_PROVIDER = "azure-ad"


class Rotation:
    """Rereads the secrets in `secrets_dirs` and applies those that changed.

    Args:
        services: The running application's; `settings` remain those of the start, except for the secrets here.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._secrets = _secrets(services.settings)
        self._refused = ""

    async def run(self) -> None:
        """Look for changes until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                settings = (await asyncio.to_thread(read)).settings
            except SettingsError as error:
                self._refuse(str(error))
                continue
            self._refused = ""
            self.apply(settings)

    def apply(self, settings: Settings) -> None:
        """Use the secrets of newly read settings."""
        found = _secrets(settings)
        changed = sorted(name for name, value in found.items() if value != self._secrets[name])
        if not changed:
            return
        self._secrets = found
        if {"auth_secret", "auth_secret_previous"} & set(changed):
            self._sign_with(found["auth_secret"], found["auth_secret_previous"])
        if "password_users" in changed:
            sign_in.register(settings)
        if "entra_client_secret" in changed:
            _authenticate_with(found["entra_client_secret"])
        if "api_key" in changed:
            self._services.api_key.value = found["api_key"] or ""
        restart = "database_url" in changed and not self._connect_with(found["database_url"])
        log.info("secrets have changed", extra={"settings": [PREFIX + name.upper() for name in changed]})
        if restart:
            log.warning("%sDATABASE_URL names another database or user: restart the pods to use it", PREFIX)

    def _sign_with(self, newest: str | None, former: str | None) -> None:
        tokens = self._services.tokens
        if tokens and newest and tokens.keys.change(newest, former):
            seconds = self._services.settings.auth_secret_delay_seconds
            log.info("a new secret signs sessions later, when every replica accepts it", extra={"seconds": seconds})

    def _connect_with(self, url: str | None) -> bool:
        """Return whether new connections to the database use the URL."""
        history = self._services.history
        return bool(history and url and history.renew(url))

    def _refuse(self, reason: str) -> None:
        """Log once that the changed secrets are invalid; those before remain in use."""
        if reason != self._refused:
            self._refused = reason
            log.error("the changed secrets are not used", extra={"reason": reason})


def _secrets(settings: Settings) -> dict[str, str | None]:
    """Return the secret settings as text."""
    return {
        name: value.get_secret_value() if value else None
        for name in settings.secret_names()
        for value in (getattr(settings, name),)
    }


def _authenticate_with(secret: str | None) -> None:
    """Set the client secret of the sign-in with Entra ID, which Chainlit reads from the environment at its import."""
    provider: Any
    for provider in providers:
        if provider.id == ENTRA_PROVIDER:
            provider.client_secret = secret
