"""Settings of sign-in, addresses and the history."""

import json
import re
from functools import cached_property
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

PUBLIC_URL = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/-]*)?")
ROOT_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


class Access(BaseModel):
    """Sign-in, the public address, and the database of conversations."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    sign_in: Literal["none", "password", "entra"] = "none"
    """Sign-in: `entra` for Entra ID, `password` for demos. History requires one of them."""
    password_users: SecretStr | None = None
    """Users for `password` sign-in: a JSON object of names and passwords, `{"ada": "…"}`."""
    auth_secret: SecretStr | None = None
    """Secret that signs the session cookies: at least 32 characters, the same on every replica."""
    auth_secret_previous: SecretStr | None = None
    """Former `auth_secret`. Cookies that it signed remain valid, and it signs new ones until
    `auth_secret_delay_seconds` after the start."""
    auth_secret_delay_seconds: Annotated[float, Field(ge=0, le=7 * 86400)] = 600
    """Time after which a changed `auth_secret` signs. By then every replica must have received it; until then the
    former secret signs and both are accepted."""
    sign_in_lifetime_hours: Annotated[float, Field(gt=0, le=24 * 90)] = 24 * 15
    """Time after which a sign-in expires, regardless of its use."""
    entra_tenant_id: str | None = None
    """Tenant for `entra` sign-in."""
    entra_client_id: str | None = None
    """Client id of the app registration for `entra` sign-in."""
    entra_client_secret: SecretStr | None = None
    """Client secret of the app registration for `entra` sign-in."""
    public_url: str | None = None
    """Address of the page in browsers. Sign-in redirects to it, and requests of pages from other origins are refused.
    If unset, the origin must match the request's host."""
    root_path: str = ""
    """Path under which the page is served, such as `/chat`. The proxy must not strip it."""
    database_url: SecretStr | None = None
    """Database of the history: `postgresql://user:password@host/name?sslmode=verify-full` or `sqlite:///path`. If
    unset, there is no history."""
    database_entra_enabled: bool = False
    """Authenticate to PostgreSQL with Entra ID tokens instead of a password. The server's certificate is then verified
    unless the URL has another `sslmode`."""

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
        """Validate the users; the error never contains the value, which holds passwords."""
        if value is None:
            return None
        try:
            users = json.loads(value.get_secret_value())
        except json.JSONDecodeError:
            users = None
        if not isinstance(users, dict) or not users or not all(isinstance(word, str) for word in users.values()):
            raise ValueError('must be a JSON object of names and passwords, such as {"ada": "…"}')
        return value

    @field_validator("auth_secret", "auth_secret_previous")
    @classmethod
    def _long_secret(cls, value: SecretStr | None) -> SecretStr | None:
        shortest = 32
        if value and len(value.get_secret_value()) < shortest:
            raise ValueError(f"must have at least {shortest} characters; generate one with: openssl rand -hex 32")
        return value

    @cached_property
    def public_origin(self) -> str | None:
        """Scheme and host of `public_url`, as in a browser's `Origin` header."""
        if not self.public_url:
            return None
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    @cached_property
    def encrypted(self) -> bool:
        """Whether browsers reach the page over https."""
        return (self.public_url or "").startswith("https://")
