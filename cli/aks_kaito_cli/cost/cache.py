"""Answers of the price list on this machine, in the user's cache folder, each with the day on which it came."""

import contextlib
import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

# The list changes a few times a month.
FRESH = timedelta(days=7)


@dataclass(frozen=True)
class Stored:
    """An answer and the time at which it came."""

    items: list[dict[str, Any]]
    asked: datetime


def folder(variables: Mapping[str, str]) -> Path:
    """Return the folder: below XDG_CACHE_HOME, or where the platform keeps caches.

    See: https://specifications.freedesktop.org/basedir-spec/latest/
    """
    chosen = variables.get("XDG_CACHE_HOME", "")
    # A relative path is invalid, and the specification wants it ignored.
    if Path(chosen).is_absolute():
        return Path(chosen) / "aks-kaito"
    home = Path(variables.get("HOME") or Path.home())
    return (home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache") / "aks-kaito"


class Cache:
    """The stored answers. A folder that cannot be read or written is a cache without answers."""

    def __init__(self, place: Path) -> None:
        """Remember the folder."""
        self._place = place / "prices"

    def find(self, *question: str) -> Stored | None:
        """Return the answer to a question, of any age; None if there is none."""
        try:
            found = json.loads(self._file(question).read_text(encoding="utf-8"), parse_float=Decimal)
            asked = datetime.fromisoformat(found["asked"])
            if found["question"] != list(question) or not all(isinstance(each, dict) for each in found["items"]):
                return None
            return Stored(found["items"], asked if asked.tzinfo else asked.replace(tzinfo=UTC))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, text: str, asked: datetime, *question: str) -> None:
        """Store an answer, the JSON of a list; a reader never sees half of it."""
        head = json.dumps({"question": list(question), "asked": asked.isoformat()})[:-1]
        with contextlib.suppress(OSError):
            self._place.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=self._place, delete=False, encoding="utf-8") as written:
                written.write(f'{head}, "items": {text}}}')
            Path(written.name).replace(self._file(question))

    def _file(self, question: tuple[str, ...]) -> Path:
        return self._place / f"{hashlib.sha256(json.dumps(question).encode()).hexdigest()[:32]}.json"
