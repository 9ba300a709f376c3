"""Tokens of people who signed in: signed, with an end that no use puts off, and revoked by signing out.

They take the place of Chainlit's, which have no id, allow no difference between clocks, and outlive a sign-out.
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

log = logging.getLogger(__name__)

LEEWAY_SECONDS = 60
ALGORITHM = "HS256"
NEEDED = ["exp", "iat", "identifier"]


@dataclass(frozen=True)
class Token:
    """A token that was read.

    Attributes:
        id: Its own.
        user: Who signed in.
        expires: Its end, in seconds since 1970.
    """

    id: str
    user: User
    expires: float


class Tokens:
    """Makes and reads tokens.

    Args:
        secret: Signs them; the same on every replica.
        lifetime_hours: How long a sign-in lasts.
        is_signed_out: Asks whether a token was revoked at another replica.
        sign_out: Tells the other replicas that a token is revoked.
    """

    def __init__(
        self,
        secret: str,
        lifetime_hours: float,
        is_signed_out: Callable[[str], Awaitable[bool]] | None = None,
        sign_out: Callable[[str, float], Awaitable[bool]] | None = None,
    ) -> None:
        self._secret = secret
        self._lifetime = timedelta(hours=lifetime_hours)
        self._is_signed_out = is_signed_out
        self._sign_out = sign_out
        self._revoked: dict[str, float] = {}

    def issue(self, user: User) -> str:
        """A token for somebody who signed in."""
        now = datetime.now(UTC)
        claims = user.to_dict() | {"iat": now, "exp": now + self._lifetime, "jti": uuid.uuid4().hex}
        return jwt.encode(claims, self._secret, ALGORITHM)

    def read(self, token: str) -> Token:
        """A token's content, whether or not it was revoked.

        Raises:
            jwt.InvalidTokenError: It is not ours, not valid yet, or over.
        """
        claims: dict[str, Any] = jwt.decode(
            token, self._secret, [ALGORITHM], leeway=LEEWAY_SECONDS, options={"require": NEEDED}
        )
        # A shorter lifetime holds for tokens that were made before it was set.
        expires = min(claims["exp"], claims["iat"] + self._lifetime.total_seconds())
        if expires + LEEWAY_SECONDS < datetime.now(UTC).timestamp():
            raise jwt.ExpiredSignatureError("the sign-in is over")
        user = User(
            identifier=claims["identifier"],
            display_name=claims.get("display_name"),
            metadata=claims.get("metadata") or {},
        )
        return Token(str(claims.get("jti") or token[-43:]), user, expires)

    async def holder(self, token: str | None) -> User | None:
        """Who a token signs in; `None` if it does so no more, or never did."""
        try:
            read = self.read(token or "")
        except (jwt.InvalidTokenError, ValueError, TypeError):
            return None
        if read.id in self._revoked or (self._is_signed_out and await self._is_signed_out(read.id)):
            return None
        return read.user

    async def revoke(self, token: str | None) -> User | None:
        """End a token, here and at the other replicas; who it was, if it was valid."""
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
