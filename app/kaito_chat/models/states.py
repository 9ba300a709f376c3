"""The states of a model, and of each of its servers."""

from enum import StrEnum

from kaito_chat.backends.errors import Kind


class State(StrEnum):
    """States that the page shows; of several servers, the first in this order is the model's."""

    READY = "ready"
    GONE = "gone"
    WARMING_UP = "warming_up"
    CHECKING = "checking"
    FORBIDDEN = "forbidden"
    NOT_API = "not_api"
    NO_CHAT = "no_chat"
    ASLEEP = "asleep"


# Errors that only an operator can fix.
LASTING = {Kind.FORBIDDEN: State.FORBIDDEN, Kind.NOT_API: State.NOT_API, Kind.NO_CHAT: State.NO_CHAT}
ORDER = tuple(State)
