"""Keeps variables that others set for other programs away from Chainlit.

Chainlit reads its configuration also from variables without a prefix, in any case: `RUN=1`, which a shell or a pipeline
may well export, ends its start. Others switch on what nobody asked for, such as a bot, a store or a way to sign in.
"""

import os
from collections.abc import MutableMapping

# The fields of Chainlit's configuration, which pydantic-settings looks for.
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
    """Remove the variables that Chainlit would read, and return their names."""
    found = sorted(name for name in environ if _is_read(name.upper()))
    for name in found:
        del environ[name]
    # Chainlit loads a file .env of the folder in which the program starts, unless this names another one.
    environ["CHAINLIT_ENV_FILE"] = os.devnull
    return found


def _is_read(name: str) -> bool:
    return name in FIELDS or name in NAMES or name.startswith(PREFIXES)
