"""Settings of sign-in, of addresses and of the history."""

import json
import re
from functools import cached_property
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

PUBLIC_URL = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/-]*)?")
ROOT_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


class Access(BaseModel):
    """Who may use the application, at which address, and where conversations are kept."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

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

    @cached_property
    def public_origin(self) -> str | None:
        """Scheme and host of `public_url`, as a browser writes them in `Origin`."""
        if not self.public_url:
            return None
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    @cached_property
    def encrypted(self) -> bool:
        """Whether browsers reach the page over https."""
        return (self.public_url or "").startswith("https://")
