"""The interface of every backend: a stream of text and usage that closes itself."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
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


class Reclassify(NamedTuple):
    """All text so far was thinking; or, where `thinking` is false, all thinking so far was the answer."""

    thinking: bool


class Usage(NamedTuple):
    """Tokens of the question, with its history, and of the answer."""

    prompt_tokens: int
    completion_tokens: int


class Finish(NamedTuple):
    """The server says that the answer ended, and why: `stop`, `length`, `content_filter`, `abort`."""

    reason: str


Event = Text | Reasoning | Reclassify | Usage | Finish


class Choice(NamedTuple):
    """One of the models that a server offers for conversations.

    Attributes:
        id: The id to ask for.
        window_tokens: Its window; its parent's for an adapter; `None` where the server does not say.
        parent: The model that an adapter adapts.
    """

    id: str
    window_tokens: int | None = None
    parent: str | None = None

    @property
    def kind(self) -> Literal["model", "adapter"]:
        """Whether it is a model or an adapter of one."""
        return "adapter" if self.parent else "model"


@dataclass(frozen=True)
class Served:
    """What a server says about the model that it serves.

    Attributes:
        model: Its id; an empty string where the server has none to say.
        max_model_len_tokens: Its window; `None` where the server does not say.
        choices: All models and adapters that the server offers for conversations.
        listed: Whether the server lists the model; if not, it is asked for by its configured name.
    """

    model: str
    max_model_len_tokens: int | None = None
    choices: tuple[Choice, ...] = ()
    listed: bool = False


@dataclass
class Quirks:
    """Requirements of a server for one model, learned from its refusals.

    Attributes:
        refused: Fields that it does not take.
        no_system_role: The chat template has no system role: the system prompt stands in the first question.
        no_chat_template: A base model: it continues a text, and holds no conversation.
        thinks_unopened: It thinks without an opening tag.
        window_tokens: The window that a refusal named.
    """

    refused: set[str] = field(default_factory=set)
    no_system_role: bool = False
    no_chat_template: bool = False
    thinks_unopened: bool = False
    window_tokens: int | None = None


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
        name: For logs, metrics and the page: `vllm`, `transformers`, `openai`, `legacy`, `rag`, `azure_openai`.
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

    def quirks(self, model: str) -> Quirks:
        """The requirements of a model learned so far; callers may add to them."""
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
