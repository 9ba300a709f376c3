"""The conversations that pages have open: who answers in each, and whether anybody is there to see it."""

import asyncio
import logging
from collections.abc import Collection
from typing import Any

from kaito_chat.chat.mirror import Mirror

log = logging.getLogger(__name__)

# Why an answer ends before its end.
DRAINED = "drained"  # this process ends
STOPPED = "stopped"  # the user pressed Stop
LEFT = "left"  # the page is gone, or it was opened anew elsewhere
REPLACED = "replaced"  # another question came, or this one was edited
DELETED = "deleted"  # the conversation was deleted


class Conversation:
    """The state of one open page, for as long as Chainlit keeps its session.

    Attributes:
        mirror: What the page was told since its last question.
        lock: Held by the one task that answers.
        turn: The answer that runs.
        run: Chainlit's step around the last answer.
        connected: Whether the page has a connection.
        over: Whether the page has been gone for longer than the grace: nothing more is answered.
        forgotten: Whether the page shows a conversation that this process does not know.
        refused_in_a_row: Questions since the last answer that a limit refused, or that a newer one replaced.
        told: The notices about the model that the page was shown.
    """

    def __init__(self) -> None:
        self.mirror = Mirror()
        self.lock = asyncio.Lock()
        self.turn: asyncio.Task[None] | None = None
        self.run: Any = None
        self.connected = True
        self.over = False
        self.forgotten = False
        self.refused_in_a_row = 0
        self.told: set[str] = set()
        self._newest = 0
        self._timer: asyncio.TimerHandle | None = None

    def ticket(self) -> int:
        """The place of a new question: only the newest one is answered."""
        self._newest += 1
        return self._newest

    def is_newest(self, ticket: int) -> bool:
        """Whether no other question came after the one with this ticket."""
        return ticket == self._newest

    def interrupt(self, reason: str) -> None:
        """End the running answer, which keeps what arrived."""
        if self.turn and not self.turn.done():
            self.turn.cancel(reason)

    def come(self) -> None:
        """The page is connected, for the first time or again."""
        self.connected, self.over = True, False
        self._stop_timer()

    def leave(self, grace_seconds: float) -> None:
        """The connection is lost: end the answer after the grace, unless the page comes back."""
        self.connected = False
        self._stop_timer()
        if grace_seconds > 0:
            self._timer = asyncio.get_running_loop().call_later(grace_seconds, self.end)
        else:
            self.end()

    def end(self) -> None:
        """Nobody is there any more: end the running answer, and those that wait for their place."""
        self.over = True
        self.ticket()
        self.interrupt(LEFT)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


class Conversations:
    """The open conversations, by the id of their session."""

    def __init__(self) -> None:
        self._by_session: dict[str, Conversation] = {}

    def of(self, session_id: str) -> Conversation:
        """The conversation of a session."""
        if session_id not in self._by_session:
            self._by_session[session_id] = Conversation()
        return self._by_session[session_id]

    def forget(self, session_id: str) -> None:
        """Forget the conversation of a session that is over: somebody else may come with its id."""
        self._by_session.pop(session_id, None)

    def keep(self, sessions: Collection[str]) -> None:
        """Forget those whose session is not among these."""
        for session_id in set(self._by_session) - set(sessions):
            conversation = self._by_session.pop(session_id)
            conversation.leave(0)
