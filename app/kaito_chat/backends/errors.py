"""The exception that backends raise, and the kinds of errors that the page and the metrics tell apart."""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """Kinds of errors; metrics count by them, and the page has a text for each."""

    NOT_READY = "not_ready"  # no model is served yet, or nothing answers at the endpoint
    GONE = "gone"  # a model that was ready does not answer any more
    BUSY = "busy"  # 429
    TOO_LONG = "too_long"  # the question does not fit into the context window
    SLOW = "slow"  # no first token in time
    CUT_OFF = "cut_off"  # the answer stopped before its end
    REFUSED = "refused"  # the server does not accept the request
    FORBIDDEN = "forbidden"  # the server does not accept our credential
    RENAMED = "renamed"  # the model id is not served any more
    FAILED = "failed"  # an internal error of the server
    GARBLED = "garbled"  # the response does not follow the protocol
    NOT_API = "not_api"  # a login page or a redirect answers instead of the API
    NO_CHAT = "no_chat"  # the served model cannot hold a conversation
    EMPTY = "empty"  # the answer holds no text
    THOUGHT_OUT = "thought_out"  # reasoning used up the token limit, and no answer followed
    FILTERED = "filtered"  # the server's content filter withheld the answer, or its rest
    ABORTED = "aborted"  # the server ended the answer


# The kinds that metrics count as errors: a question that is too long is not a fault of the model or the chat.
FAULTS = tuple(kind for kind in Kind if kind is not Kind.TOO_LONG)


class Cause(StrEnum):
    """Causes of a refusal that another form of the request avoids."""

    NO_SYSTEM_ROLE = "no_system_role"
    NO_CHAT_TEMPLATE = "no_chat_template"
    UNSAID = "unsaid"  # a bare 500, with which KAITO's transformers runtime answers if it has no system role


class ContextLength(NamedTuple):
    """The numbers in a refusal for length.

    Attributes:
        window_tokens: The server's context window.
        prompt_tokens: The question, with its history, as the server counts it.
        exact: Whether the server counted to the end; some stop where the window is full.
        answer_tokens: The server's own limit on the length of an answer, independent of the window.
    """

    window_tokens: int | None = None
    prompt_tokens: int | None = None
    exact: bool = True
    answer_tokens: int | None = None


class BackendError(Exception):
    """A model server did not answer as it should.

    Attributes:
        kind: The kind of the error.
        detail: All that is known about it, shortened; for logs only.
        status: The HTTP status, if there was one.
        said: The server's own words that the page may quote: those of a refusal, never those of an internal error.
        retry_after_seconds: The server's `Retry-After`, if it sent one.
        parameter: The request field that the server does not accept, if it names one.
        cause: The cause of the refusal, if another form of the request avoids it.
        context_length: The numbers in a refusal for length, if it names some.
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
        context_length: ContextLength | None = None,
    ) -> None:
        super().__init__(f"{kind}: {detail}" if detail else str(kind))
        self.kind = kind
        self.detail = detail
        self.status = status
        self.said = said
        self.retry_after_seconds = retry_after_seconds
        self.parameter = parameter
        self.cause = cause
        self.context_length = context_length
