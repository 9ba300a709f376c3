"""All settings of the application, with their defaults and limits."""

import json
import re
import ssl
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from kaito_chat.api_server import IN_CLUSTER_URL, SERVICE_ACCOUNT_DIR
from kaito_chat.settings.empty import EmptyVariables
from kaito_chat.settings.model import DEFAULT_STARTERS, BackendName, ModelSettings, Starter
from kaito_chat.settings.sample import SampleVariables

PREFIX = "KAITO_CHAT_"
MANAGEMENT_ABOVE = 81
HIGHEST_PORT = 65535
PUBLIC_URL = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/-]*)?")
ROOT_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
Seconds = Annotated[float, Field(gt=0, le=3600)]


class Settings(BaseSettings):
    """What an operator may set. Each field is read from the environment variable `KAITO_CHAT_<FIELD>`.

    Raises:
        pydantic.ValidationError: A value is missing, malformed, or contradicts another one.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, protected_namespaces=(), extra="ignore"
    )

    # Which models
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

    # How it answers
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

    # Patience
    connect_timeout_seconds: Seconds = Field(default=5, description="For connecting to a model's server.")
    first_token_timeout_seconds: Seconds = Field(default=120, description="From the question to the first token.")
    token_timeout_seconds: Seconds = Field(default=30, description="Between two tokens.")
    answer_timeout_seconds: Seconds = Field(
        default=600, description="For a whole answer; also what the legacy runtime gets, which does not stream."
    )
    max_answer_characters: Annotated[int, Field(ge=1000)] = Field(
        default=200_000, description="An answer longer than this is cut off, whatever the model's server does."
    )
    max_retries: Annotated[int, Field(ge=0, le=10)] = Field(
        default=2, description="Further attempts while the server is busy or unreachable, before the first token only."
    )
    coalesce_milliseconds: Annotated[int, Field(ge=0, le=100)] = Field(
        default=100, description="Tokens that arrive within this time reach the page together."
    )
    warm_up_poll_seconds: Annotated[float, Field(ge=0.1, le=60)] = Field(
        default=4, description="How often a model that is not ready is asked again."
    )
    disconnect_grace_seconds: Annotated[float, Field(ge=0, le=600)] = Field(
        default=10, description="How long an answer goes on after the connection to the page is lost."
    )
    session_timeout_seconds: Annotated[int, Field(ge=60)] = Field(
        default=900, description="How long a disconnected session is kept in memory."
    )
    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = Field(
        default=30, description="How long running answers may go on after SIGTERM."
    )

    # Limits, each for one replica
    max_question_characters: Annotated[int, Field(ge=100, le=1_000_000)] = Field(
        default=400_000, description="A longer message is refused before it reaches the model or the history."
    )
    max_answers: Annotated[int, Field(ge=1)] = Field(
        default=400, description="Answers that run at the same time; a further question is told when to try again."
    )
    max_answers_per_user: Annotated[int, Field(ge=1)] = Field(
        default=4, description="Answers of one user that run at the same time. Without sign-in, one page is one user."
    )
    max_questions_per_minute: Annotated[int, Field(ge=1)] = Field(
        default=2400, description="Questions that are accepted in a minute."
    )
    max_questions_per_minute_per_user: Annotated[int, Field(ge=1)] = Field(
        default=30, description="Questions of one user that are accepted in a minute."
    )

    # Who may use it, and what is kept
    sign_in: Literal["none", "password", "entra"] = Field(
        default="none", description="`entra` for Entra ID, `password` for demos. History needs one of them."
    )
    password_users: SecretStr | None = Field(
        default=None, description='For `sign_in` `password`: a JSON object of names and passwords, `{"ada": "…"}`.'
    )
    auth_secret: SecretStr | None = Field(
        default=None, description="Signs the session cookies, at least 32 characters; the same on every replica."
    )
    sign_in_lifetime_hours: Annotated[float, Field(gt=0, le=24 * 90)] = Field(
        default=24 * 15, description="A sign-in ends after this time, however often it is used."
    )
    entra_tenant_id: str | None = Field(default=None, description="For `sign_in` `entra`: the tenant.")
    entra_client_id: str | None = Field(default=None, description="For `sign_in` `entra`: the app registration.")
    entra_client_secret: SecretStr | None = Field(default=None, description="For `sign_in` `entra`: its secret.")
    public_url: str | None = Field(
        default=None,
        description="The page's address in browsers. Sign-in returns to it, and pages of any other origin are refused. "
        "If unset, the origin must be the host that the request names.",
    )
    root_path: str = Field(
        default="", description="The path that the page is served under, such as `/chat`. The proxy must keep it."
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="Where history is kept: `postgresql://user:password@host/name` or `sqlite:///path`. None if unset.",
    )
    database_entra_enabled: bool = Field(
        default=False, description="Authenticate to PostgreSQL with Entra ID tokens instead of a password."
    )

    # How it runs
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    listen_port: Annotated[int, Field(ge=0, le=HIGHEST_PORT)] = Field(
        default=8000, description="Not `port`: for a Service named kaito-chat, Kubernetes sets KAITO_CHAT_PORT."
    )
    management_port: Annotated[int, Field(ge=0, le=HIGHEST_PORT)] | None = Field(
        default=None,
        description="Serves `/livez`, `/readyz` and `/metrics`; publish `listen_port` only. 81 above that if unset.",
    )
    data_dir: Path = Field(
        default=Path("/tmp/kaito-chat"),  # noqa: S108
        description="The one writable directory. Holds nothing worth keeping.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="The least to log.")
    log_format: Literal["json", "text"] = Field(default="json", description="`text` for reading in a terminal.")
    debug: bool = Field(default=False, description="Log questions and answers. Never where people's words matter.")
    max_connections: Annotated[int, Field(ge=1)] = Field(
        default=1000, description="Connections to models' servers, for all sessions of one process."
    )
    otlp_endpoint: str | None = Field(
        default=None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="Where traces go, by OTLP over HTTP. No traces if unset.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment variables, then the sample's; no files."""
        del dotenv_settings, file_secret_settings
        return init_settings, EmptyVariables(settings_cls), env_settings, SampleVariables(settings_cls)

    @field_validator("ca_file")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        try:
            if value:
                ssl.create_default_context().load_verify_locations(cafile=value)
        except (OSError, ValueError) as error:
            raise ValueError(f"is no file of certificates: {error}") from None
        return value

    @field_validator("public_url")
    @classmethod
    def _address_of_a_page(cls, value: str | None) -> str | None:
        if value and not PUBLIC_URL.fullmatch(value):
            raise ValueError("must be an http:// or https:// address without a query, such as https://chat.example.com")
        return value.rstrip("/") if value else value

    @field_validator("root_path")
    @classmethod
    def _plain_path(cls, value: str) -> str:
        path = value.rstrip("/")
        if path and not ROOT_PATH.fullmatch(path):
            raise ValueError("must be a path of letters, digits and - . _ ~, such as /chat")
        return path

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("postgresql://", "postgres://", "sqlite:///")):
            raise ValueError("must start with postgresql:// or sqlite:///")
        return value

    @field_validator("password_users")
    @classmethod
    def _users(cls, value: SecretStr | None) -> SecretStr | None:
        """The value is never repeated in the error: it holds passwords."""
        if value is None:
            return None
        try:
            users = json.loads(value.get_secret_value())
        except json.JSONDecodeError:
            users = None
        if not isinstance(users, dict) or not users or not all(isinstance(word, str) for word in users.values()):
            raise ValueError('must be a JSON object of names and passwords, such as {"ada": "…"}')
        return value

    @field_validator("auth_secret")
    @classmethod
    def _long_secret(cls, value: SecretStr | None) -> SecretStr | None:
        shortest = 32
        if value and len(value.get_secret_value()) < shortest:
            raise ValueError(f"must have at least {shortest} characters; make one with: openssl rand -hex 32")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if self.models and self.endpoint_url:
            raise ValueError(f"set {PREFIX}MODELS or {PREFIX}ENDPOINT_URL, not both")
        if not self.models and not self.endpoint_url:
            raise ValueError(f"set {PREFIX}ENDPOINT_URL to the model server's address, or {PREFIX}MODELS")
        names = [model.name for model in self.models]
        if len(names) > 1 and (len(set(names)) < len(names) or not all(names)):
            raise ValueError(f"{PREFIX}MODELS: every model needs a name of its own")
        needed: dict[str, tuple[str, ...]] = {
            "none": (),
            "password": ("password_users", "auth_secret"),
            "entra": ("auth_secret", "entra_tenant_id", "entra_client_id", "entra_client_secret", "public_url"),
        }
        missing = [PREFIX + field.upper() for field in needed[self.sign_in] if getattr(self, field) is None]
        if missing:
            raise ValueError(f"{PREFIX}SIGN_IN={self.sign_in} needs {', '.join(missing)}")
        path = urlsplit(self.public_url or "").path
        if path and path != self.root_path:
            raise ValueError(
                f"{PREFIX}PUBLIC_URL has the path {path}: set {PREFIX}ROOT_PATH={path} too, or leave it out"
            )
        if self.listen_port and self.listen_port == self.management_port:
            raise ValueError(f"{PREFIX}MANAGEMENT_PORT={self.management_port}: must differ from {PREFIX}LISTEN_PORT")
        if self.database_url and self.sign_in == "none":
            raise ValueError(f"{PREFIX}DATABASE_URL needs {PREFIX}SIGN_IN: history belongs to somebody")
        return self

    @cached_property
    def public_origin(self) -> str | None:
        """Scheme and host of `public_url`, as a browser writes them in `Origin`."""
        if not self.public_url:
            return None
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    @cached_property
    def management(self) -> int:
        """The port of probes and metrics; 0 takes a free one."""
        if self.management_port is not None or not self.listen_port:
            return self.management_port or 0
        above = self.listen_port + MANAGEMENT_ABOVE
        return above if above <= HIGHEST_PORT else self.listen_port - MANAGEMENT_ABOVE

    @cached_property
    def encrypted(self) -> bool:
        """Whether browsers reach the page over https."""
        return (self.public_url or "").startswith("https://")

    @cached_property
    def served(self) -> tuple[ModelSettings, ...]:
        """The models, however they were set; at least one."""
        if self.models:
            return self.models
        return (
            ModelSettings(
                endpoint_url=self.endpoint_url or "",
                backend=self.backend,
                model=self.model,
                index_name=self.index_name,
                api_version=self.api_version,
                api_key_variable=f"{PREFIX}API_KEY" if self.api_key else None,
                max_model_len_tokens=self.max_model_len_tokens,
                workspace_name=self.workspace_name,
            ),
        )
