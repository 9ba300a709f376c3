"""What the settings say about one model."""

from typing import Annotated, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

BackendName = Literal["auto", "openai", "legacy", "rag", "azure_openai"]

# What people paste: the address of one route instead of the server's.
ROUTES = ("/v1/chat/completions", "/chat/completions", "/v1/models", "/v1", "/chat")


class Starter(BaseModel):
    """A question that a new conversation offers.

    Attributes:
        label: What the button says.
        message: The question it sends.
        icon: A path below `public/`, or an `https://` address; no icon when left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Annotated[str, Field(min_length=1, max_length=100)]
    message: Annotated[str, Field(min_length=1, max_length=4000)]
    icon: str | None = None


DEFAULT_STARTERS = (
    Starter(label="Explain a term", message="Explain what a Kubernetes operator is, in three sentences."),
    Starter(label="Write some code", message="Write a Python function that says whether a number is prime."),
    Starter(label="Compare in a table", message="Compare TCP and UDP in a table with four rows."),
    Starter(label="Plan a weekend", message="Suggest a two-day itinerary in Tuscany for people who like to walk."),
)


class ModelSettings(BaseModel):
    """One model that people can talk to; with several, the page lets them pick.

    Attributes:
        name: What the picker shows; the served model id when left out, which only a single model may do.
        endpoint_url: The server's address, such as `http://workspace-phi-4-mini-instruct`. Routes are added to it.
        backend: What answers there. `auto` finds out whether it is an OpenAI-compatible server, KAITO's legacy
            `/chat` or KAITO's RAGEngine; Azure OpenAI has to be named.
        model: The id to ask for; for Azure OpenAI the deployment. Asked of the server when left out; needed where
            the server lists no models.
        index_name: For KAITO's RAGEngine, the index to answer from.
        api_version: Azure OpenAI's API version.
        api_key_variable: The environment variable that holds the key, so that no key stands in this list. Without
            one, Azure OpenAI is called with an Entra ID token, every other server without a credential.
        description: Shown in the picker, in Markdown.
        icon: Shown in the picker: a path below `public/`.
        starters: The questions that a new conversation offers; the settings' own when left out.
        workspace_name: The KAITO Workspace that serves it, whose conditions the page shows during the warm-up.
        max_model_len_tokens: The window, if the server does not say it (vLLM does).
        system_prompt: Overrides the settings' own.

    See: https://kaito-project.github.io/kaito/docs/inference
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    name: str = ""
    endpoint_url: str
    backend: BackendName = "auto"
    model: str | None = None
    index_name: str | None = None
    api_version: str = "2024-10-21"
    api_key_variable: str | None = None
    description: str = ""
    icon: str | None = None
    starters: tuple[Starter, ...] | None = None
    workspace_name: str | None = None
    max_model_len_tokens: Annotated[int | None, Field(ge=64)] = None
    system_prompt: str | None = None

    @field_validator("endpoint_url")
    @classmethod
    def _server_address(cls, value: str) -> str:
        """The server's address without the route that people often paste with it."""
        if not value.startswith(("http://", "https://")) or len(value.split("/", 3)[2]) == 0:
            raise ValueError("must be an http:// or https:// address, such as http://workspace-phi-4-mini-instruct")
        try:
            httpx.URL(value)
        except httpx.InvalidURL as error:
            raise ValueError(f"is no address: {error}") from None
        address = value.rstrip("/")
        return next((address.removesuffix(route) for route in ROUTES if address.endswith(route)), address)

    @model_validator(mode="after")
    def _azure_needs_a_deployment(self) -> "ModelSettings":
        if self.backend == "azure_openai" and not self.model:
            raise ValueError("backend azure_openai needs model, the name of the deployment")
        return self
