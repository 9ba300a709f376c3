"""Create the chat's role in PostgreSQL: `python -m kaito_chat.database_role --object-id ID --administrator NAME`.

A Job of the chart runs it before each release, with the identity that administers the server. The role's name and the
database are those of `KAITO_CHAT_DATABASE_URL`. It waits for a server, a network rule or an identity that is new.
"""

import argparse
import asyncio
import os
import re
import sys
import time
from pathlib import Path

import asyncpg
from azure.core.exceptions import AzureError
from azure.identity.aio import DefaultAzureCredential

from kaito_chat.history.role import Administrator, ensure
from kaito_chat.telemetry.logs import configure

PAUSE_SECONDS = 5.0
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Errors of a server, a network or an identity that may be ready a moment later.
_PASSING = (OSError, TimeoutError, AzureError, asyncpg.PostgresError, asyncpg.InterfaceError)
_STILL_ADMINISTRATOR = """\
The chat's role is still an administrator of PostgreSQL: the server did not let {administrator} change it. The chat
works, with more rights than it needs. docs/how-to/upgrade.md describes how to take them from it.
"""


async def wait_for(url: str, object_id: str, administrator: Administrator, seconds: float) -> bool:
    """Create the role as soon as the server permits it; return whether the role is no administrator.

    Raises:
        OSError, AzureError, asyncpg.PostgresError: The last failure, when the time is over.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await ensure(url, object_id, administrator)
        except _PASSING as error:
            if time.monotonic() > deadline:
                raise
            sys.stderr.write(f"waiting for the database: {error or type(error).__name__}\n")
            await asyncio.sleep(PAUSE_SECONDS)


async def _run(options: argparse.Namespace, url: str) -> int:
    ca_file = os.environ.get("KAITO_CHAT_CA_FILE")
    async with DefaultAzureCredential() as credential:
        administrator = Administrator(options.administrator, credential, Path(ca_file) if ca_file else None)
        try:
            ordinary = await wait_for(url, options.object_id, administrator, options.seconds)
        except _PASSING as error:
            sys.stderr.write(f"the chat's role cannot be created: {error or type(error).__name__}\n")
            return 1
    if not ordinary:
        sys.stderr.write(_STILL_ADMINISTRATOR.format(administrator=options.administrator))
    return 0


def main() -> int:
    """Return the exit code: 0 when the chat can use its database, 1 when it cannot, 2 for invalid options."""
    parser = argparse.ArgumentParser(prog="python -m kaito_chat.database_role", description=__doc__)
    parser.add_argument("--object-id", required=True, help="object (principal) id of the chat's identity")
    parser.add_argument("--administrator", required=True, help="name of the identity that administers the server")
    parser.add_argument("--seconds", type=float, default=300, help="how long to try; default: 300")
    options = parser.parse_args()
    if not _GUID.fullmatch(options.object_id):
        parser.error(f"--object-id {options.object_id!r}: must be a GUID")
    url = os.environ.get("KAITO_CHAT_DATABASE_URL", "")
    if not url.startswith(("postgresql://", "postgres://")):
        parser.error("KAITO_CHAT_DATABASE_URL must be the chat's postgresql:// address")
    configure("INFO", "text")
    return asyncio.run(_run(options, url))


if __name__ == "__main__":
    sys.exit(main())
