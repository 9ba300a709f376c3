"""Settings of models and their answers."""

import ssl
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from kaito_chat.settings.model import DEFAULT_STARTERS, OBJECT_NAME, BackendName, ModelSettings, Starter

IN_CLUSTER_URL = "https://kubernetes.default.svc"
SERVICE_ACCOUNT_DIR = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class Models(BaseModel):
    """The models."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    models: tuple[ModelSettings, ...] = ()
    """Several models, as a JSON list; the page shows a picker. Replaces `endpoint_url`."""
    endpoint_url: str | None = None
    """Address of the only model's server: OpenAI-compatible, or KAITO's legacy runtime."""
    backend: BackendName = "auto"
    """Type of the server at `endpoint_url`. `auto` detects it, except Azure OpenAI, which must be named."""
    model: str | None = None
    """Model id to request, or Azure OpenAI's deployment. If unset, the first chat model that the server lists."""
    index_name: str | None = None
    """Index to answer from, if `endpoint_url` is a KAITO RAGEngine."""
    ca_file: Path | None = None
    """PEM file of CA certificates that are trusted for model servers, in addition to the system's."""
    api_key: SecretStr | None = None
    """API key of `endpoint_url`. If unset, Azure OpenAI is called with an Entra ID token."""
    api_version: str = "2024-10-21"
    """API version of Azure OpenAI."""
    max_model_len_tokens: Annotated[int, Field(ge=64)] | None = None
    """Context window of the model, if the server does not report it (vLLM does)."""
    workspace_name: str | None = None
    """KAITO Workspace behind `endpoint_url`; the page shows its conditions during the warm-up."""
    inference_set_name: Annotated[str, Field(pattern=OBJECT_NAME)] | None = None
    """KAITO InferenceSet behind `endpoint_url`, instead of a Workspace."""
    workspace_namespace: str | None = None
    """Namespace of the Workspaces and InferenceSets. If unset, the pod's own."""
    workspace_api_version: str = "kaito.sh/v1beta1"
    """API version of both."""
    kubernetes_api_url: str = IN_CLUSTER_URL
    """Kubernetes API server from which both are read."""
    service_account_dir: Path = SERVICE_ACCOUNT_DIR
    """Directory of the pod's token, CA certificate and namespace. Without them, neither is read."""
    starters: tuple[Starter, ...] = DEFAULT_STARTERS
    """Questions that a new conversation suggests, as a JSON list."""

    @field_validator("ca_file")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        try:
            if value:
                ssl.create_default_context().load_verify_locations(cafile=value)
        except (OSError, ValueError) as error:
            raise ValueError(f"is not a file of certificates: {error}") from None
        return value


class Answers(BaseModel):
    """Sampling and presentation of answers."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    system_prompt: str = "You are a helpful assistant."
    """System prompt, which users can change. If set to an empty string, none is sent."""
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.9
    """Sampling temperature; 0 always selects the most likely token."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Cumulative probability of the tokens that are sampled from."""
    top_k: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Number of tokens that are sampled from. Sent to vLLM and the legacy runtime only."""
    max_tokens: Annotated[int, Field(ge=1, le=131072)] = 1024
    """Maximum length of an answer, in tokens; less if the context window leaves less."""
    show_usage: bool = True
    """Show the number of tokens and the time to first token under each answer."""
