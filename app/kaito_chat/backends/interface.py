"""The interface of every backend, and the values that pass through it."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from kaito_chat.backends.errors import BackendError

Role = Literal["system", "user", "assistant"]


class Message(NamedTuple):
    """One message of a conversation, as the model sees it."""

    role: Role
    content: str


@dataclass(frozen=True)
class Sampling:
    """Sampling parameters. `None` leaves the choice to the server."""

    temperature: float
    top_p: float
    max_tokens: int
    top_k: int | None = None


class Text(NamedTuple):
    """A piece of the answer."""

    text: str


class Reasoning(NamedTuple):
    """A piece of the reasoning before the answer."""

    text: str


class Reclassify(NamedTuple):
    """All text so far was reasoning; or, where `thinking` is false, all reasoning so far was the answer."""

    thinking: bool


class Usage(NamedTuple):
    """Tokens of the question, with its history, and of the answer."""

    prompt_tokens: int
    completion_tokens: int


class Finish(NamedTuple):
    """The end of the answer, with the server's reason: `stop`, `length`, `content_filter`, `abort`, `error`."""

    reason: str


# The events that change the text on the page.
Piece = Text | Reasoning | Reclassify
Event = Piece | Usage | Finish


class Choice(NamedTuple):
    """A model or adapter that a server offers for conversations.

    Attributes:
        id: The id to send in requests.
        window_tokens: The context window; the parent's for an adapter; `None` if the server does not report it.
        parent: The model that an adapter adapts.
    """

    id: str
    window_tokens: int | None = None
    parent: str | None = None

    @property
    def kind(self) -> Literal["model", "adapter"]:
        """Whether it is a model or an adapter."""
        return "adapter" if self.parent else "model"


@dataclass(frozen=True)
class ServedModel:
    """A model as its server describes it.

    Attributes:
        id: Its id; empty if the server reports none.
        max_model_len_tokens: The context window; `None` if the server does not report it.
        choices: All models and adapters that the server offers for conversations.
        listed: Whether the server lists the model; if not, requests use its configured name.
    """

    id: str
    max_model_len_tokens: int | None = None
    choices: tuple[Choice, ...] = ()
    listed: bool = False


@dataclass
class Quirks:
    """Requirements of a server for one model, learned from its refusals.

    Attributes:
        refused: Request fields that it does not accept.
        no_system_role: The chat template has no system role: the system prompt goes into the first question.
        no_chat_template: A base model: it continues a text, and has no chat completions.
        thinks_unopened: It writes reasoning without an opening tag.
        window_tokens: The context window that a refusal named.
    """

    refused: set[str] = field(default_factory=set)
    no_system_role: bool = False
    no_chat_template: bool = False
    thinks_unopened: bool = False
    window_tokens: int | None = None


@dataclass(frozen=True)
class Capabilities:
    """Limits of a backend; the page offers nothing beyond them."""

    temperature_max: float = 2.0
    system_prompt_enabled: bool = True
    streaming: bool = True
    default_window_tokens: int = 8192


@dataclass(frozen=True)
class Request:
    """A question in the form in which a backend sends it.

    Attributes:
        served: The model.
        messages: The conversation, the question last.
        sampling: Sampling parameters.
        folded: The system prompt is part of the first question.
        plain: The conversation is one text to be continued.
        suspected: `folded` is a guess: the server did not give the reason of its refusal.
        body: The JSON body.
    """

    served: ServedModel
    messages: Sequence[Message]
    sampling: Sampling
    folded: bool = False
    plain: bool = False
    suspected: bool = False
    body: dict[str, Any] = field(default_factory=dict)


class Backend(Protocol):
    """A protocol of model servers, at one endpoint.

    A backend sends each request once. Its caller, `models.asking` or `probe`, decides whether another one follows an
    error.

    Attributes:
        name: For logs, metrics and the page: `vllm`, `transformers`, `openai`, `legacy`, `rag`, `azure_openai`.
        capabilities: Its limits.
    """

    name: str
    capabilities: Capabilities

    async def describe(self) -> ServedModel:
        """Return the model that the server offers.

        Raises:
            BackendError: There is none, or the server does not answer.
        """
        ...

    def quirks(self, model_id: str) -> Quirks:
        """Return the requirements of a model learned so far; callers may add to them."""
        ...

    def request(self, served: ServedModel, messages: Sequence[Message], sampling: Sampling) -> Request:
        """Return the request for a question, in the form that the model is known to accept."""
        ...

    def adapt(self, request: Request, error: BackendError) -> Request | None:
        """Return a refused request in another form; `None` if there is none, or the form is not the reason."""
        ...

    def stream(self, request: Request) -> AsyncGenerator[list[Event]]:
        """Send a request, and yield the answer as it arrives; closing the iterator aborts the request.

        Each list holds the events that arrived together, at least one.

        Raises:
            BackendError: The server refuses, fails or does not answer in time.
        """
        ...

    async def count_tokens(self, served: ServedModel, messages: Sequence[Message]) -> int | None:
        """Return the server's own count of a conversation's tokens; `None` if it has no such route."""
        ...
