"""The settings of the application, with their defaults and limits."""

from functools import cached_property
from urllib.parse import urlsplit

from pydantic import model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from kaito_chat.settings.access import Access
from kaito_chat.settings.answering import Answers, Models
from kaito_chat.settings.empty import EmptyVariables
from kaito_chat.settings.icons import sources
from kaito_chat.settings.limits import Limits, Timeouts
from kaito_chat.settings.model import ModelSettings
from kaito_chat.settings.process import Process
from kaito_chat.settings.sample import SampleVariables
from kaito_chat.settings.secret_files import SecretFiles, is_secret
from kaito_chat.settings.waking import Waking

PREFIX = "KAITO_CHAT_"


# pydantic lists the fields of the last base first.
class Settings(Process, Access, Limits, Timeouts, Waking, Answers, Models, BaseSettings):
    """The operator's settings. The environment variable `KAITO_CHAT_<FIELD>` sets each field.

    Raises:
        pydantic.ValidationError: A value is missing, malformed, or contradicts another.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, protected_namespaces=(), extra="ignore"
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
        """Read mounted secrets, then environment variables, then the sample's variables."""
        del dotenv_settings, file_secret_settings
        own = SecretFiles(settings_cls), EmptyVariables(settings_cls)
        return init_settings, *own, env_settings, SampleVariables(settings_cls)

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if self.models and self.endpoint_url:
            raise ValueError(f"set {PREFIX}MODELS or {PREFIX}ENDPOINT_URL, not both")
        if not self.models and not self.endpoint_url:
            raise ValueError(f"set {PREFIX}ENDPOINT_URL to the model server's address, or {PREFIX}MODELS")
        names = [model.name for model in self.models]
        if len(names) > 1 and (len(set(names)) < len(names) or not all(names)):
            raise ValueError(f"{PREFIX}MODELS: every model needs a unique name")
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
            raise ValueError(f"{PREFIX}PUBLIC_URL has the path {path}: set {PREFIX}ROOT_PATH={path} too, or remove it")
        if self.listen_port and self.listen_port == self.management_port:
            raise ValueError(f"{PREFIX}MANAGEMENT_PORT={self.management_port}: must differ from {PREFIX}LISTEN_PORT")
        if self.database_url and self.sign_in == "none":
            raise ValueError(f"{PREFIX}DATABASE_URL needs {PREFIX}SIGN_IN: a conversation belongs to a user")
        return self

    @model_validator(mode="after")
    def _known_wakers(self) -> "Settings":
        if self.wake_allowed != "nobody" and self.sign_in == "none":
            raise ValueError(f"{PREFIX}WAKE_ALLOWED={self.wake_allowed} needs {PREFIX}SIGN_IN")
        if self.wake_groups and self.sign_in != "entra":
            raise ValueError(f"{PREFIX}WAKE_GROUPS needs {PREFIX}SIGN_IN=entra")
        listed = bool(self.wake_users or self.wake_groups)
        if listed != (self.wake_allowed == "listed"):
            raise ValueError(
                f"{PREFIX}WAKE_ALLOWED=listed, and {PREFIX}WAKE_USERS or {PREFIX}WAKE_GROUPS, need each other"
            )
        return self

    @classmethod
    def secret_names(cls) -> list[str]:
        """Return the names of the settings whose values are secret."""
        return [name for name, field in cls.model_fields.items() if is_secret(field)]

    @cached_property
    def icon_sources(self) -> list[str]:
        """The addresses of icons on other servers."""
        starters = [*self.starters, *(each for model in self.configured_models for each in model.starters or ())]
        icons = {each.icon for each in starters} | {each.icon for each in self.configured_models}
        return sources({icon for icon in icons if icon})

    @cached_property
    def identity_needed(self) -> bool:
        """Whether a model or the history's database is used with a token of Entra ID."""
        keyless = any(each.backend == "azure_openai" and not each.api_key_variable for each in self.configured_models)
        return keyless or self.database_entra_enabled

    @cached_property
    def configured_models(self) -> tuple[ModelSettings, ...]:
        """The models, from either variable; at least one."""
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
                inference_set_name=self.inference_set_name,
            ),
        )
