"""What every backend is: a stream of text and usage that closes itself."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

Role = Literal["system", "user", "assistant"]


class Turn(NamedTuple):
    """One message of a conversation, as the model sees it."""

    role: Role
    content: str


@dataclass(frozen=True)
class Sampling:
    """How to choose tokens. `None` leaves the choice to the server."""

    temperature: float
    top_p: float
    max_tokens: int
    top_k: int | None = None


class Text(NamedTuple):
    """A piece of the answer."""

    text: str


class Reasoning(NamedTuple):
    """A piece of what a reasoning model thinks before it answers."""

    text: str


class Usage(NamedTuple):
    """Tokens of the question, with its history, and of the answer."""

    prompt_tokens: int
    completion_tokens: int


class Finish(NamedTuple):
    """The server says that the answer ended, and why: `stop`, `length`, `content_filter`."""

    reason: str


Event = Text | Reasoning | Usage | Finish


@dataclass(frozen=True)
class Served:
    """What a server says about the model that it serves.

    Attributes:
        model: Its id; an empty string where the server has none to say.
        max_model_len_tokens: Its window; `None` where the server does not say.
    """

    model: str
    max_model_len_tokens: int | None = None


@dataclass(frozen=True)
class Limits:
    """What a backend's settings may be; the page offers nothing beyond."""

    temperature_max: float = 2.0
    system_prompt_enabled: bool = True
    streaming: bool = True
    default_window_tokens: int = 8192


class Backend(Protocol):
    """A model's server.

    Attributes:
        name: For logs, metrics and the page: `vllm`, `transformers`, `openai`, `legacy`, `azure_openai`.
        limits: What may be set.
    """

    name: str
    limits: Limits

    async def describe(self) -> Served:
        """Ask what is served.

        Raises:
            BackendError: Nothing is, or nobody answers.
        """
        ...

    def stream(self, served: Served, turns: Sequence[Turn], sampling: Sampling) -> AsyncGenerator[Event]:
        """Ask, and yield the answer as it arrives; closing the iterator ends the request at the server.

        Raises:
            BackendError: The server does not answer as it should.
        """
        ...

    async def count_tokens(self, served: Served, turns: Sequence[Turn]) -> int | None:
        """The tokens of a conversation by the server's own count; `None` where it has no such route."""
        ...
