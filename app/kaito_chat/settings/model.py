"""Settings of one model."""

from typing import Annotated, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from kaito_chat.settings.icons import Icon
from kaito_chat.settings.schedule import Schedule

BackendName = Literal["auto", "openai", "legacy", "rag", "azure_openai"]

OBJECT_NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
# Routes that users paste with the server's address.
ROUTES = ("/v1/chat/completions", "/chat/completions", "/v1/models", "/v1", "/chat")


class Starter(BaseModel):
    """A question that a new conversation suggests."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Annotated[str, Field(min_length=1, max_length=100)]
    """Label of the button."""
    message: Annotated[str, Field(min_length=1, max_length=4000)]
    """The question that it sends."""
    icon: Icon | None = None
    """Icon of the button: an `https://` address, or a path below `/public`. If unset, none."""


DEFAULT_STARTERS = (
    Starter(label="Explain a term", message="Explain what a Kubernetes operator is, in three sentences."),
    Starter(label="Write some code", message="Write a Python function that says whether a number is prime."),
    Starter(label="Compare in a table", message="Compare TCP and UDP in a table with four rows."),
    Starter(label="Plan a weekend", message="Suggest a two-day itinerary in Tuscany for people who like to walk."),
)


class ModelSettings(BaseModel):
    """A model that users can chat with; with several, the page shows a picker.

    See: https://kaito-project.github.io/kaito/docs/inference
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    name: str = ""
    """Name in the picker. If unset, the served model id, which only a single model may use."""
    endpoint_url: str
    """Address of the server, such as `http://workspace-phi-4-mini-instruct`. The application appends the routes."""
    replica_urls: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    """Addresses of further servers with the same model. Questions are spread over all of them."""
    backend: BackendName = "auto"
    """Type of the server. `auto` detects OpenAI-compatible servers, KAITO's legacy `/chat` and KAITO's RAGEngine; Azure
    OpenAI must be named."""
    model: str | None = None
    """Model id to request; for Azure OpenAI, the deployment. If unset, the first chat model that the server lists;
    required if it lists none."""
    index_name: str | None = None
    """Index to answer from, for KAITO's RAGEngine."""
    api_version: str = "2024-10-21"
    """API version of Azure OpenAI."""
    api_key_variable: str | None = None
    """Name of the environment variable with the API key, so that this list contains no key. If unset, Azure OpenAI is
    called with an Entra ID token, other servers without credentials."""
    description: Annotated[str, Field(max_length=4000)] = ""
    """Description in the picker and above a new conversation, in Markdown."""
    icon: Icon | None = None
    """Icon in the picker and above a new conversation: an `https://` address, or a path below `/public`. If unset, the
    application's."""
    starters: tuple[Starter, ...] | None = None
    """Questions that a new conversation suggests. If unset, those of the settings."""
    workspace_name: str | None = None
    """KAITO Workspace of the model; the page shows its conditions during the warm-up."""
    inference_set_name: Annotated[str | None, Field(pattern=OBJECT_NAME)] = None
    """KAITO InferenceSet of the model, in the namespace of the Workspaces. During the warm-up the page shows the
    conditions of the most advanced Workspace that it created. If it has 0 replicas, the page says that the model
    sleeps, and users whom `KAITO_CHAT_WAKE_ALLOWED` admits can wake it."""
    schedule: Schedule | None = None
    """Times at which the model wakes up and falls asleep."""
    max_model_len_tokens: Annotated[int | None, Field(ge=64)] = None
    """Context window of the model, if the server does not report it (vLLM does)."""
    system_prompt: str | None = None
    """System prompt that replaces the one of the settings."""

    @field_validator("endpoint_url")
    @classmethod
    def _server_address(cls, value: str) -> str:
        return server_address(value)

    @field_validator("replica_urls")
    @classmethod
    def _server_addresses(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(server_address(value) for value in values)

    @model_validator(mode="after")
    def _different_addresses(self) -> "ModelSettings":
        if twice := next((url for url in self.urls if self.urls.count(url) > 1), None):
            raise ValueError(f"replica_urls: {twice} is named twice; each replica has an address of its own")
        return self

    @model_validator(mode="after")
    def _azure_needs_a_deployment(self) -> "ModelSettings":
        if self.backend == "azure_openai" and not self.model:
            raise ValueError("backend azure_openai needs model, the name of the deployment")
        return self

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses of all servers."""
        return (self.endpoint_url, *self.replica_urls)

    @property
    def servers(self) -> list["ModelSettings"]:
        """The settings of each server by itself."""
        return [self.model_copy(update={"endpoint_url": url, "replica_urls": ()}) for url in self.urls]


def server_address(value: str) -> str:
    """Return a server's address without a route.

    Raises:
        ValueError: It is no address.
    """
    if not value.startswith(("http://", "https://")) or len(value.split("/", 3)[2]) == 0:
        raise ValueError("must be an http:// or https:// address, such as http://workspace-phi-4-mini-instruct")
    try:
        httpx.URL(value)
    except httpx.InvalidURL as error:
        raise ValueError(f"is not a valid address: {error}") from None
    address = value.rstrip("/")
    return next((address.removesuffix(route) for route in ROUTES if address.endswith(route)), address)
