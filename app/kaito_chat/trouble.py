"""What can go wrong with a model's server, in the kinds that people are told about."""

from enum import StrEnum


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


class BackendError(Exception):
    """A model's server did not answer as it should.

    Attributes:
        kind: What it means.
        detail: The server's own words, shortened; for logs and for the page.
        retry_after_seconds: When the server asks to be called again, if it says so.
        parameter: The request's field that the server does not know, if it says so.
    """

    def __init__(
        self, kind: Kind, detail: str = "", *, retry_after_seconds: float | None = None, parameter: str | None = None
    ) -> None:
        super().__init__(f"{kind}: {detail}" if detail else str(kind))
        self.kind = kind
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
        self.parameter = parameter
