"""Validation of the events that pages send; unused fields are dropped."""

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from kaito_chat.chat.ids import is_message_id, is_uuid
from kaito_chat.history.characters import plain

LONGEST_PROFILE = 200


def _uuid(value: str) -> str:
    if not is_uuid(value):
        raise ValueError("must be a UUID in its canonical form")
    return value


def _message_id(value: str) -> str:
    if not is_message_id(value):
        raise ValueError("must be a UUID of version 4 in its canonical form")
    return value


Uuid = Annotated[str, AfterValidator(_uuid)]
MessageId = Annotated[str, AfterValidator(_message_id)]
# `Any`, because pydantic rejects strings with lone surrogates; the validator replaces them.
Content = Annotated[Any, AfterValidator(lambda value: plain(value) if isinstance(value, str) else "")]


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class Opening(_Event):
    """The authentication payload of a connecting page.

    Attributes:
        session_id: Chosen by the page, which reconnects with the same id.
        thread_id: The conversation on the page; empty for a new one.
        chat_profile: The name of the chosen model, URL-encoded.
    """

    session_id: Uuid = Field(alias="sessionId")
    thread_id: Uuid | Annotated[str, Field(max_length=0)] | None = Field(default=None, alias="threadId")
    chat_profile: Annotated[str, Field(max_length=LONGEST_PROFILE)] | None = Field(default=None, alias="chatProfile")


class Said(_Event):
    """A message of the user.

    Attributes:
        id: The message's id, chosen by the page.
        output: The text.
    """

    id: MessageId
    output: Content


class Question(_Event):
    """A new or edited question."""

    message: Said


Event = TypeVar("Event", bound=BaseModel)


def read(kind: type[Event], data: object) -> Event | None:
    """Validate an event; return `None` if it is malformed."""
    try:
        return kind.model_validate(data)
    except (ValidationError, RecursionError):
        return None
