"""What can go wrong with a model's server, in the kinds that people are told about."""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """The kinds of trouble; metrics count by them, and the page has a text for each."""

    NOT_READY = "not_ready"  # the server answers, or nobody does, and no model is there yet
    GONE = "gone"  # a model that was ready does not answer any more
    BUSY = "busy"  # 429
    TOO_LONG = "too_long"  # the question does not fit into the model's window
    SLOW = "slow"  # no first token in time
    CUT_OFF = "cut_off"  # the answer stopped before its end
    REFUSED = "refused"  # the server does not accept the request
    FORBIDDEN = "forbidden"  # the server does not accept our credential
    RENAMED = "renamed"  # the model id is not served any more
    FAILED = "failed"  # the server broke over the request
    GARBLED = "garbled"  # what the server says is not in its protocol
    NOT_API = "not_api"  # a login page or a redirect answers instead of the API
    NO_CHAT = "no_chat"  # what is served cannot hold a conversation
    EMPTY = "empty"  # the answer ended without a word
    THOUGHT_OUT = "thought_out"  # thinking used up the token limit, and no answer followed
    FILTERED = "filtered"  # the server's content filter withheld the answer, or its rest
    ABORTED = "aborted"  # the server ended the answer by itself


class Cause(StrEnum):
    """Refusals that another form of the same question avoids."""

    NO_SYSTEM_ROLE = "no_system_role"
    NO_CHAT_TEMPLATE = "no_chat_template"
    UNSAID = "unsaid"  # a bare 500, which is how KAITO's transformers runtime says that it has no system role


class Room(NamedTuple):
    """The numbers in a refusal for length.

    Attributes:
        window_tokens: The server's window.
        prompt_tokens: The question, with its history, as the server counts it.
        exact: Whether the server counted to the end; some stop where the window is full.
        answer_tokens: The longest answer that the server gives, whatever the window leaves.
    """

    window_tokens: int | None = None
    prompt_tokens: int | None = None
    exact: bool = True
    answer_tokens: int | None = None


class BackendError(Exception):
    """A model's server did not answer as it should.

    Attributes:
        kind: What it means.
        detail: Everything known of it, shortened; for logs only.
        status: The HTTP status, if there was one.
        said: The server's own words that the page may quote: those of a refusal, never those of a breakdown.
        retry_after_seconds: When the server asks to be called again, if it says so.
        parameter: The request's field that the server does not know, if it says so.
        cause: Why it refused, where another form of the question avoids it.
        room: How much fits, if it refused for length and says so.
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
