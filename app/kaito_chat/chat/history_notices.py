"""Notices on open pages about the storage of their conversation: delayed, recovered, incomplete or deleted."""

import chainlit as cl
from chainlit.context import init_ws_context
from chainlit.session import WebsocketSession, ws_sessions_id
from chainlit.utils import utc_now

from kaito_chat.chat.services import Services
from kaito_chat.chat.transcript import notice
from kaito_chat.history.waiting import Change
from kaito_chat.texts import texts_for

NOTICES = {
    "late": "notice.not_stored",
    "dropped": "notice.incomplete",
    "deleted": "notice.deleted",
    "foreign": "notice.deleted",
}


class HistoryNotices:
    """Shows notices on the pages of a conversation; they are not part of the conversation and not stored.

    Args:
        services: The shared objects of the application.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._shown: dict[str, str] = {}

    def changed(self, change: Change) -> None:
        """Notify the open pages of a conversation about a change of its storage."""
        for session in list(ws_sessions_id.values()):
            if session.thread_id == change.thread_id and session.user and session.user.identifier == change.owner:
                self._services.background(self._tell(session, change.kind))

    async def _tell(self, session: WebsocketSession, kind: str) -> None:
        emitter = init_ws_context(session).emitter
        shown = self._shown.pop(session.id, "")
        if shown:
            await emitter.delete_step({"id": shown})
        if kind not in NOTICES:
            return
        text = texts_for(session.language).say(NOTICES[kind])
        message = cl.Message(text, type="system_message", metadata=notice(f"history_{kind}"), created_at=utc_now())
        if kind == "late":
            self._shown = {each: shown for each, shown in self._shown.items() if each in ws_sessions_id}
            self._shown[session.id] = message.id
        await emitter.send_step(message.to_dict())
