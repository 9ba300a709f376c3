"""Models of the request bodies; unused fields are dropped."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from kaito_chat.sockets.events import MessageId, Uuid

LONGEST_NAME = 200
LONGEST_COMMENT = 10_000
LONGEST_SEARCH = 1000
Short = Annotated[str, Field(max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")


class SessionCookie(_Body):
    """A session id, for the cookie of proxies with session affinity."""

    session_id: Uuid


class Pressed(_Body):
    """A button."""

    id: Short
    name: Short
    forId: MessageId  # noqa: N815 - Chainlit's name


class Wake(_Body):
    """A request to wake a model."""

    model: Short


class Press(_Body):
    """The press of a button on a page."""

    sessionId: Uuid  # noqa: N815 - Chainlit's name
    action: Pressed


class Opinion(_Body):
    """Feedback on an answer."""

    forId: Uuid  # noqa: N815 - Chainlit's name
    threadId: Uuid | None = None  # noqa: N815 - Chainlit's name
    value: Annotated[int, Field(ge=0, le=1)]
    comment: Annotated[str, Field(max_length=LONGEST_COMMENT)] | None = None


class GiveFeedback(_Body):
    """A request to store feedback."""

    feedback: Opinion


class TakeFeedback(_Body):
    """A request to delete feedback."""

    feedbackId: Uuid  # noqa: N815 - Chainlit's name


class Rename(_Body):
    """A request to rename a conversation."""

    threadId: Uuid  # noqa: N815 - Chainlit's name
    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


class Delete(_Body):
    """A request to delete a conversation."""

    threadId: Uuid  # noqa: N815 - Chainlit's name


class Pagination(_Body):
    """A page of conversations."""

    first: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Short | None = None


class Filter(_Body):
    """Which conversations."""

    search: Annotated[str, Field(max_length=LONGEST_SEARCH)] | None = None
    feedback: Annotated[int, Field(ge=0, le=1)] | None = None


class Listing(_Body):
    """A page of some conversations."""

    pagination: Pagination = Pagination()
    filter: Filter = Filter()
