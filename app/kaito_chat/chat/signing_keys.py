"""Keys that sign session tokens, while the signing secret rotates.

Replicas receive a new secret at different times. Each accepts a new secret at once and signs with the former one until
every replica has had the time to receive it, so no replica meets a token that it does not accept.
"""

import time
from collections.abc import Callable


class SigningKeys:
    """The key that signs, and all keys that are accepted.

    Args:
        newest: The signing secret.
        former: The secret before it, if it is known.
        delay_seconds: The time that a new secret needs to reach every replica.
        now: The clock.
    """

    def __init__(
        self, newest: str, former: str | None, delay_seconds: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._newest, self._former, self._older = newest, former, frozenset[str]()
        self._delay, self._now = delay_seconds, now
        # A process that starts during a rotation cannot tell how long the newest secret has existed.
        self._signing = former or newest
        self._due = now() + delay_seconds

    @property
    def signing(self) -> str:
        """The key of new tokens."""
        self._settle()
        return self._signing

    @property
    def accepted(self) -> tuple[str, ...]:
        """The keys of valid tokens, the most frequent first."""
        self._settle()
        return tuple(dict.fromkeys((self._signing, self._newest, *filter(None, (self._former,)), *self._older)))

    def change(self, newest: str, former: str | None) -> bool:
        """Replace the secrets; return whether the newest one is new.

        A former secret that is removed without a new one is revoked at once.
        """
        added = newest != self._newest
        if added:
            self._older = frozenset(self.accepted)
            self._due = self._now() + self._delay
        elif former != self._former:
            self._older = frozenset()
            self._signing = self._signing if self._signing == former else newest
        self._newest, self._former = newest, former
        return added

    def _settle(self) -> None:
        """Sign with the newest key from its time on, and accept what the secrets say alone."""
        if self._now() >= self._due:
            self._signing, self._older = self._newest, frozenset()
