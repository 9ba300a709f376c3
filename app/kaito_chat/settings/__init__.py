"""Settings of the chat application, read from environment variables at the start."""

from kaito_chat.settings.app import PREFIX, Settings
from kaito_chat.settings.environment import SettingsError, read
from kaito_chat.settings.model import DEFAULT_STARTERS, ModelSettings, Starter
from kaito_chat.settings.schedule import Schedule

__all__ = [
    "DEFAULT_STARTERS",
    "PREFIX",
    "ModelSettings",
    "Schedule",
    "Settings",
    "SettingsError",
    "Starter",
    "read",
]
