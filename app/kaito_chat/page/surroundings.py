"""Removal of environment variables that Chainlit would read by accident.

Chainlit also reads its configuration from variables without a prefix, ignoring case: `RUN=1`, which a shell or a
pipeline may export, makes its start fail. Others would enable a bot, a storage client or a sign-in provider.
"""

import os
from collections.abc import MutableMapping

# The fields of Chainlit's configuration, which pydantic-settings reads.
FIELDS = frozenset(("CHAINLIT_SERVER", "CODE", "FEATURES", "PROJECT", "ROOT", "RUN", "UI"))
NAMES = frozenset(("BUCKET_NAME", "DATABASE_URL", "DEV_AWS_ENDPOINT", "STORAGE_EXPIRY_TIME"))
PREFIXES = (
    "APP_AWS_",
    "APP_AZURE_STORAGE_",
    "APP_GCS_",
    "CHAINLIT_",
    "DISCORD_",
    "LITERAL_",
    "OAUTH_",
    "SLACK_",
    "TEAMS_",
)


def clear(environ: MutableMapping[str, str] = os.environ) -> list[str]:
    """Remove the variables that Chainlit would read and return their names."""
    found = sorted(name for name in environ if _is_read(name.upper()))
    for name in found:
        del environ[name]
    # Chainlit loads .env from the working directory unless this variable names another file.
    environ["CHAINLIT_ENV_FILE"] = os.devnull
    return found


def _is_read(name: str) -> bool:
    return name in FIELDS or name in NAMES or name.startswith(PREFIXES)
