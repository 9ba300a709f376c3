"""Session tokens of signed-in users: JWTs with an absolute expiry that signing out revokes.

They replace Chainlit's, which have no id, no leeway for clock skew, and stay valid after a sign-out.
See: https://datatracker.ietf.org/doc/html/rfc7519
"""

import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from chainlit.user import User

from kaito_chat.chat.signing_keys import SigningKeys

log = logging.getLogger(__name__)

LEEWAY_SECONDS = 60
ALGORITHM = "HS256"
NEEDED = ["exp", "iat", "identifier"]


@dataclass(frozen=True)
class Token:
    """A decoded token.

    Attributes:
        id: The token's id, `jti`.
        user: The signed-in user.
        expires: The expiry in seconds since 1970.
    """

    id: str
    user: User
    expires: float


class Tokens:
    """Issues, verifies and revokes tokens.

    Args:
        keys: The signing keys; the same on every replica, except during a rotation.
        lifetime_hours: The lifetime of a sign-in.
        is_signed_out: Returns whether another replica revoked a token.
        sign_out: Publishes a revoked token to the other replicas.
    """

    def __init__(
        self,
        keys: SigningKeys,
        lifetime_hours: float,
        is_signed_out: Callable[[str], Awaitable[bool]] | None = None,
        sign_out: Callable[[str, float], Awaitable[bool]] | None = None,
    ) -> None:
        self.keys = keys
        self._lifetime = timedelta(hours=lifetime_hours)
        self._is_signed_out = is_signed_out
        self._sign_out = sign_out
        self._revoked: dict[str, float] = {}

    def issue(self, user: User) -> str:
        """Return a token for a user who has signed in."""
        now = datetime.now(UTC)
        claims = user.to_dict() | {"iat": now, "exp": now + self._lifetime, "jti": uuid.uuid4().hex}
        return jwt.encode(claims, self.keys.signing, ALGORITHM)

    def read(self, token: str) -> Token:
        """Verify and decode a token, without checking for revocation.

        Raises:
            jwt.InvalidTokenError: The signature is wrong, or the token is expired or not valid yet.
        """
        claims = self._claims(token)
        # A shortened lifetime also applies to tokens issued before the change.
        expires = min(claims["exp"], claims["iat"] + self._lifetime.total_seconds())
        if expires + LEEWAY_SECONDS < datetime.now(UTC).timestamp():
            raise jwt.ExpiredSignatureError("the sign-in has expired")
        user = User(
            identifier=claims["identifier"],
            display_name=claims.get("display_name"),
            metadata=claims.get("metadata") or {},
        )
        return Token(str(claims.get("jti") or token[-43:]), user, expires)

    def _claims(self, token: str) -> dict[str, Any]:
        *others, last = self.keys.accepted
        for key in others:
            try:
                return _decode(token, key)
            except jwt.InvalidSignatureError:
                continue
        return _decode(token, last)

    async def holder(self, token: str | None) -> User | None:
        """Return the user of a token; `None` if the token is invalid, expired or revoked."""
        try:
            read = self.read(token or "")
        except (jwt.InvalidTokenError, ValueError, TypeError):
            return None
        if read.id in self._revoked or (self._is_signed_out and await self._is_signed_out(read.id)):
            return None
        return read.user

    async def revoke(self, token: str | None) -> User | None:
        """Revoke a token on all replicas and return its user; `None` if it was not valid."""
        try:
            read = self.read(token or "")
        except (jwt.InvalidTokenError, ValueError, TypeError):
            return None
        now = datetime.now(UTC).timestamp()
        self._revoked = {key: end for key, end in self._revoked.items() if end > now}
        self._revoked[read.id] = read.expires + 2 * LEEWAY_SECONDS
        if self._sign_out:
            await self._sign_out(read.id, self._revoked[read.id])
        return read.user


def _decode(token: str, key: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, key, [ALGORITHM], leeway=LEEWAY_SECONDS, options={"require": NEEDED})
    return claims
