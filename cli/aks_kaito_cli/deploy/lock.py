"""The lock of a checkout: one deployment, destruction or release at a time, since each synthesis replaces `cdktf.out`.

The operating system releases it when its process ends, however that ends. A file beside it says who holds it. Between
checkouts and machines, Terraform locks each state that it changes, a blob by a lease, and Helm the release.
"""

import getpass
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import NamedTuple

from filelock import FileLock, Timeout

from aks_kaito_cli.project import ROOT
from aks_kaito_cli.shell import RefusedError

_LOCK = ROOT / ".driver.lock"
_HOLDER = ROOT / ".driver.json"
_HELD = """\
{holder} has used this checkout since {since}: {command}
Wait for its end, or stop it on that machine: kill {process}"""
_HELD_BY_UNKNOWN = "another deployment, destruction or release uses this checkout: wait for its end"
_TAKEN_OVER = """\
note: {holder} ended without releasing the lock that it took at {since}: {command}
The lock is taken over. A program that it started may still run; Terraform and Helm refuse to work beside it.
"""


class Holder(NamedTuple):
    """The process that holds the lock, as it wrote itself down."""

    user: str
    host: str
    process: int
    since: str
    command: str

    def told(self, text: str) -> str:
        """Return a message about it."""
        holder = f"{self.user}@{self.host} (process {self.process})"
        return text.format(holder=holder, since=self.since, command=self.command, process=self.process)


@contextmanager
def held(command: str) -> Iterator[None]:
    """Hold the lock for a command, as its user typed it.

    Raises:
        RefusedError: Another process holds it, or it cannot be had.
    """
    lock = FileLock(_LOCK, blocking=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        holder = _read()
        raise RefusedError(holder.told(_HELD) if holder else _HELD_BY_UNKNOWN) from None
    except (OSError, NotImplementedError) as error:
        raise RefusedError(f"{_LOCK.name} cannot be locked: {error}") from None
    try:
        if dead := _read():
            sys.stderr.write(dead.told(_TAKEN_OVER))
        now = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
        holder = Holder(_user(), socket.gethostname(), os.getpid(), now, command)
        with suppress(OSError):  # a full disk: the lock holds without the note
            _HOLDER.write_text(json.dumps(holder), encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            _HOLDER.unlink(missing_ok=True)
        lock.release()


def _read() -> Holder | None:
    """Return the holder that the file names; None if there is none, or the file is being written."""
    try:
        return Holder(*json.loads(_HOLDER.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _user() -> str:
    """Return the name of the user, or the number where the machine has no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
