"""Write operations for the outbox, with values that every database accepts."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kaito_chat.history.characters import plain

# Longer texts are truncated. Questions have a lower limit, so this concerns models and forged requests only.
TEXT_CHARACTERS = 4_000_000
NAME_CHARACTERS = 500
ID_CHARACTERS = 200
SHORT = {"id": ID_CHARACTERS, "parentId": ID_CHARACTERS, "name": NAME_CHARACTERS, "type": 50, "language": 50}
SHORT |= dict.fromkeys(("createdAt", "start", "end"), 50) | {"showInput": 50, "command": NAME_CHARACTERS}
JSONS = ("metadata", "generation", "modes", "tags")
FLAGS = ("streaming", "waitForAnswer", "isError", "defaultOpen", "autoCollapse")
TEXTS = ("id", "name", "type", "parentId", "input", "output", "createdAt", "command", "start", "end", "showInput")
COLUMNS = (*TEXTS, "language", *FLAGS, *JSONS)


def now() -> str:
    """Return the current UTC time in Chainlit's format, with a fixed length so that it sorts as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def clean(value: object, characters: int = TEXT_CHARACTERS) -> str:
    """Return a text that PostgreSQL and SQLite accept: without NUL or lone surrogates, of bounded length."""
    text = value if isinstance(value, str) else str(value)
    return plain(text[:characters])


def clean_json(value: object) -> str:
    """Return a value as JSON with clean texts; an empty object if it would be too long."""
    text = json.dumps(_clean_all(value), default=str)
    return text if len(text) <= TEXT_CHARACTERS else "{}"


def _clean_all(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(key): _clean_all(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean_all(each) for each in value]
    return value


@dataclass(kw_only=True)
class Operation:
    """One write, executed as one transaction.

    Attributes:
        owner: The identifier of the conversation's owner.
        thread_id: The conversation.
        at: The time of the request, as text.
        since: The same time on the monotonic clock.
    """

    owner: str
    thread_id: str
    at: str = field(default_factory=now)
    since: float = field(default_factory=time.monotonic)

    @property
    def size(self) -> int:
        """About how many bytes it takes while it waits."""
        return 500

    def takes_in(self, _later: "Operation") -> bool:
        """Merge a later operation into this one if possible; return whether it was merged."""
        return False

    def replaced_by(self, _later: "Operation") -> bool:
        """Return whether a later operation makes this one redundant."""
        return False


@dataclass(kw_only=True)
class SaveStep(Operation):
    """Create or update a message or a step; absent attributes stay unchanged."""

    step: dict[str, Any]

    @property
    def size(self) -> int:
        """About how many bytes it takes while it waits."""
        return 500 + sum(len(value) for value in self.step.values() if isinstance(value, str))

    def takes_in(self, later: Operation) -> bool:
        """Merge a later state of the same step."""
        if isinstance(later, SaveStep) and later.step["id"] == self.step["id"] and later.owner == self.owner:
            self.step |= {key: value for key, value in later.step.items() if value is not None}
            self.at = later.at
            return True
        return False

    def replaced_by(self, later: Operation) -> bool:
        """Return whether the operation deletes this step."""
        return isinstance(later, DeleteStep) and later.step_id == self.step["id"] and later.owner == self.owner


@dataclass(kw_only=True)
class DeleteStep(Operation):
    """Delete a message or a step, with its feedback."""

    step_id: str


@dataclass(kw_only=True)
class SaveThread(Operation):
    """Create a conversation or change its attributes.

    Attributes:
        name: The new name.
        metadata: The metadata to merge; a value of `None` removes its key.
        tags: The new tags.
    """

    name: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    tags: list[str] | None = None

    @property
    def size(self) -> int:
        """About how many bytes it takes while it waits."""
        return 1000 + len(str(self.metadata))

    def takes_in(self, later: Operation) -> bool:
        """Merge a later change of the same conversation."""
        if isinstance(later, SaveThread) and later.owner == self.owner:
            self.metadata |= later.metadata
            self.name = self.name if later.name is None else later.name
            self.tags = self.tags if later.tags is None else later.tags
            return True
        return False


@dataclass(kw_only=True)
class SignOut(Operation):
    """Record the revocation of a token."""

    token_id: str
    expires: float


def save_step(owner: str, thread_id: str, step: Mapping[str, Any]) -> SaveStep:
    """Return the operation that saves a step in Chainlit's format."""
    at = now()
    facts: dict[str, Any] = dict.fromkeys(COLUMNS)
    for key, value in step.items():
        if value is None or key not in facts:
            continue
        if key in FLAGS:
            facts[key] = bool(value)
        elif key in JSONS:
            facts[key] = clean_json(value)
        else:
            facts[key] = clean(value, SHORT.get(key, TEXT_CHARACTERS))
    facts["showInput"] = facts["showInput"] and facts["showInput"].lower()
    facts["name"], facts["type"] = facts["name"] or "", facts["type"] or "undefined"
    facts["createdAt"] = facts["createdAt"] or at
    return SaveStep(owner=clean(owner), thread_id=clean_id(thread_id), step=facts, at=at)


def clean_metadata(value: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a copy that JSON and every database accept; keys with the value `None` stay."""
    copy: dict[str, Any] = json.loads(clean_json(value or {}))
    return copy


def clean_id(value: object) -> str:
    """Return an identifier that every database accepts."""
    return clean(value, ID_CHARACTERS)
