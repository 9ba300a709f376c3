"""Settings of models and of answers."""

import ssl
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from kaito_chat.settings.model import DEFAULT_STARTERS, BackendName, ModelSettings, Starter

IN_CLUSTER_URL = "https://kubernetes.default.svc"
SERVICE_ACCOUNT_DIR = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class Models(BaseModel):
    """Which models there are."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    models: tuple[ModelSettings, ...] = Field(
        default=(), description="Several models, as a JSON list; the page shows a picker. Instead of `endpoint_url`."
    )
    endpoint_url: str | None = Field(
        default=None, description="The address of the one model's server: OpenAI-compatible, or KAITO's legacy runtime."
    )
    backend: BackendName = Field(
        default="auto", description="What answers at `endpoint_url`. `auto` finds out; Azure OpenAI has to be named."
    )
    model: str | None = Field(
        default=None, description="The model id to ask for, or Azure OpenAI's deployment. Asked of the server if unset."
    )
    index_name: str | None = Field(
        default=None, description="The index to answer from, where KAITO's RAGEngine answers at `endpoint_url`."
    )
    ca_file: Path | None = Field(
        default=None, description="A PEM file of certificates that model servers may show, beside the system's."
    )
    api_key: SecretStr | None = Field(
        default=None,
        description="The key of `endpoint_url`. Without one, Azure OpenAI is called with an Entra ID token.",
    )
    api_version: str = Field(default="2024-10-21", description="Azure OpenAI's API version.")
    max_model_len_tokens: Annotated[int, Field(ge=64)] | None = Field(
        default=None, description="The model's window, if the server does not say it (vLLM does)."
    )
    workspace_name: str | None = Field(
        default=None, description="The KAITO Workspace behind `endpoint_url`; its conditions are shown during warm-up."
    )
    workspace_namespace: str | None = Field(
        default=None, description="The Workspaces' namespace. The pod's own if unset."
    )
    workspace_api_version: str = Field(default="kaito.sh/v1beta1", description="The Workspaces' API version.")
    kubernetes_api_url: str = Field(default=IN_CLUSTER_URL, description="The API server that Workspaces are read from.")
    service_account_dir: Path = Field(
        default=SERVICE_ACCOUNT_DIR,
        description="Where the pod's token, CA certificate and namespace are. Without them, Workspaces are not read.",
    )
    starters: tuple[Starter, ...] = Field(
        default=DEFAULT_STARTERS, description="The questions that a new conversation offers, as a JSON list."
    )

    @field_validator("ca_file")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        try:
            if value:
                ssl.create_default_context().load_verify_locations(cafile=value)
        except (OSError, ValueError) as error:
            raise ValueError(f"is no file of certificates: {error}") from None
        return value


class Answers(BaseModel):
    """How models answer."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    system_prompt: str = Field(
        default="You are a helpful assistant.",
        description="Sent first; people may change it. Set to nothing, none is sent.",
    )
    temperature: Annotated[float, Field(ge=0, le=2)] = Field(
        default=0.9, description="How freely the model chooses; 0 always takes the likeliest token."
    )
    top_p: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="Only the likeliest tokens with this share of the probability are considered."
    )
    top_k: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="Only this many tokens are considered. Sent to vLLM and the legacy runtime only."
    )
    max_tokens: Annotated[int, Field(ge=1, le=131072)] = Field(
        default=1024, description="The longest answer, in tokens; less where the window leaves less."
    )
    show_usage: bool = Field(default=True, description="Show tokens and time to first token under each answer.")
