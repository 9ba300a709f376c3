"""The state of each open conversation: its running answer, and whether its page is connected."""

import asyncio
import logging
from collections.abc import Collection
from typing import Any

from kaito_chat.chat.mirror import Mirror

log = logging.getLogger(__name__)

# Reasons for cancelling an answer.
DRAINED = "drained"  # the process is shutting down
STOPPED = "stopped"  # the user pressed Stop
LEFT = "left"  # the page was closed, signed out, or reopened in another session
REPLACED = "replaced"  # a new question arrived, or this one was edited
DELETED = "deleted"  # the conversation was deleted


class Conversation:
    """The state of one open page; lives as long as Chainlit's session.

    Attributes:
        mirror: The events sent to the page since its last question.
        lock: Held by the task that answers.
        turn: The task of the running answer.
        run: Chainlit's step around the last answer.
        connected: Whether the page is connected.
        over: Whether the page was disconnected for longer than the grace period; no further question is answered.
        forgotten: Whether the page shows a conversation that this process does not know.
        refused_in_a_row: Questions since the last answer that a limit refused or a newer question replaced.
        told: The notices about the model that the page has been shown.
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
        """Return the sequence number of a new question; only the newest question is answered."""
        self._newest += 1
        return self._newest

    def is_newest(self, ticket: int) -> bool:
        """Return whether no question arrived after the one with this ticket."""
        return ticket == self._newest

    @property
    def answering(self) -> bool:
        """Whether an answer is running."""
        return self.lock.locked()

    def interrupt(self, reason: str) -> None:
        """Cancel the running answer; the text received so far is kept."""
        if self.turn and not self.turn.done():
            self.turn.cancel(reason)

    def come(self) -> None:
        """Note that the page has connected or reconnected."""
        self.connected, self.over = True, False
        self._stop_timer()

    def leave(self, grace_seconds: float) -> None:
        """Note a lost connection: cancel the answer after the grace period unless the page reconnects."""
        self.connected = False
        self._stop_timer()
        if grace_seconds > 0:
            self._timer = asyncio.get_running_loop().call_later(grace_seconds, self.end)
        else:
            self.end()

    def end(self) -> None:
        """Close the conversation: cancel the running answer and the questions that wait for it."""
        self.over = True
        self.ticket()
        self.interrupt(LEFT)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


class Conversations:
    """The open conversations by session id."""

    def __init__(self) -> None:
        self._by_session: dict[str, Conversation] = {}

    def of(self, session_id: str) -> Conversation:
        """Return the conversation of a session; create it if there is none."""
        if session_id not in self._by_session:
            self._by_session[session_id] = Conversation()
        return self._by_session[session_id]

    def forget(self, session_id: str) -> None:
        """Drop the conversation of a closed session: another user may connect with the same id."""
        self._by_session.pop(session_id, None)

    def keep(self, sessions: Collection[str]) -> None:
        """Close and drop the conversations of all other sessions."""
        for session_id in set(self._by_session) - set(sessions):
            conversation = self._by_session.pop(session_id)
            conversation.leave(0)
