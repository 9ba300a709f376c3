"""Errors of model servers, in the kinds that the page has a notice for."""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """Kinds of errors; a label of the metrics, and the key of the page's notice."""

    NOT_READY = "not_ready"  # no model is loaded yet, whether or not the server answers
    GONE = "gone"  # a model that was ready no longer answers
    BUSY = "busy"  # 429
    TOO_LONG = "too_long"  # the prompt exceeds the model's context window
    SLOW = "slow"  # no first token within the timeout
    CUT_OFF = "cut_off"  # the stream ended before the answer was complete
    REFUSED = "refused"  # the server rejects the request
    FORBIDDEN = "forbidden"  # the server rejects our credential
    RENAMED = "renamed"  # the model id is no longer served
    FAILED = "failed"  # internal server error
    GARBLED = "garbled"  # the response violates the protocol
    NOT_API = "not_api"  # a login page or a redirect answers instead of the API
    NO_CHAT = "no_chat"  # the model has no chat completion, for example an embedding model
    EMPTY = "empty"  # the answer has no text
    THOUGHT_OUT = "thought_out"  # reasoning used up the token limit before an answer
    FILTERED = "filtered"  # the content filter blocked the answer or truncated it
    ABORTED = "aborted"  # the server aborted the answer


class Cause(StrEnum):
    """Reasons for a rejected request that a request in another form avoids."""

    NO_SYSTEM_ROLE = "no_system_role"
    NO_CHAT_TEMPLATE = "no_chat_template"
    UNSAID = "unsaid"  # a bare 500: KAITO's transformers runtime reports a missing system role so


class Room(NamedTuple):
    """The token counts in an error about the prompt's length.

    Attributes:
        window_tokens: The size of the context window.
        prompt_tokens: The size of the prompt with its history, as counted by the server.
        exact: Whether the server counted the whole prompt; some stop counting when the window is full.
        answer_tokens: The server's own limit on the length of an answer, independent of the window.
    """

    window_tokens: int | None = None
    prompt_tokens: int | None = None
    exact: bool = True
    answer_tokens: int | None = None


class BackendError(Exception):
    """A request to a model server failed.

    Attributes:
        kind: The kind of the error.
        detail: A shortened description; for logs only.
        status: The HTTP status, if there was a response.
        said: The server's message that the page may quote: that of a rejection, never that of an internal error.
        retry_after_seconds: The server's `Retry-After`, if given.
        parameter: The field of the request that the server does not support, if it names one.
        cause: The reason of a rejection that a request in another form avoids.
        room: The token counts of an error about length, if the server gives them.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str = "",
        *,
        status: int | None = None,
        said: str = "",
        retry_after_seconds: float | None = None,
        parameter: str | None = None,
        cause: Cause | None = None,
        room: Room | None = None,
    ) -> None:
        super().__init__(f"{kind}: {detail}" if detail else str(kind))
        self.kind = kind
        self.detail = detail
        self.status = status
        self.said = said
        self.retry_after_seconds = retry_after_seconds
        self.parameter = parameter
        self.cause = cause
        self.room = room
