"""Event handlers for questions, edits, Stop and settings, which replace Chainlit's.

Chainlit's handlers accept any field of a message from the browser, including its type, its metadata and its
conversation.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chainlit.chat_context import chat_context
from chainlit.context import context, init_ws_context
from chainlit.session import WebsocketSession
from chainlit.utils import utc_now

from kaito_chat.chat import signals
from kaito_chat.chat.answers import Answers, user_of
from kaito_chat.chat.conversations import REPLACED, STOPPED
from kaito_chat.chat.services import Services
from kaito_chat.chat.settings_panel import accepted
from kaito_chat.chat.turn import notify
from kaito_chat.sockets.events import Question, Said, read
from kaito_chat.telemetry import metrics
from kaito_chat.telemetry.audit import record
from kaito_chat.telemetry.logs import session_id
from kaito_chat.texts import texts_for

log = logging.getLogger(__name__)

TITLE_CHARACTERS = 200


class Messages:
    """Handles the messages of pages.

    Args:
        services: The shared objects of the application.
        answers: Answers the questions of pages.
    """

    def __init__(self, services: Services, answers: Answers) -> None:
        self._services = services
        self._answers = answers

    def handlers(self) -> dict[str, Callable[..., Awaitable[Any]]]:
        """Return the handlers by event name."""
        return {
            "client_message": self.ask,
            "edit_message": self.edit,
            "stop": self.stop,
            "chat_settings_change": self.choose,
        }

    async def ask(self, sid: str, data: object = None, *_: object) -> None:
        """Add a new question to the conversation and answer it."""
        session = _session(sid)
        said = await self._taken_in(session, data) if session else None
        if session is None or said is None:
            return
        if any(message.id == said.id for message in chat_context.get()):
            log.warning("a duplicate message was ignored", extra={"message_id": said.id})
            return
        # During an answer a refused question is not kept: its message would end the conversation, without an answer.
        if self._services.conversations.of(session.id).answering and await self._answers.refuses(session):
            return
        # The title is the truncated first question; Chainlit would use all of it.
        begins = not session.has_first_interaction
        session.has_first_interaction = True
        message = {
            "id": said.id,
            "name": session.user.identifier if session.user else "User",
            "type": "user_message",
            "output": said.output,
            "createdAt": utc_now(),
            "metadata": {},
        }
        await context.emitter.process_message({"message": message, "fileReferences": None})
        if begins:
            await context.emitter.init_thread(said.output[:TITLE_CHARACTERS])
            if self._services.history:
                await signals.began(session.thread_id)
        await self._answers.take()

    async def edit(self, sid: str, data: object = None, *_: object) -> None:
        """Edit an earlier question: remove the messages after it and answer it again."""
        session = _session(sid)
        said = await self._taken_in(session, data) if session else None
        if session is None or said is None:
            return
        messages = chat_context.get()
        places = [at for at, each in enumerate(messages) if each.id == said.id and each.type == "user_message"]
        if not places:
            log.warning("an edit of an unknown message was ignored", extra={"message_id": said.id})
            return
        if await self._answers.refuses(session):
            return
        question = messages[places[0]]
        question.content = said.output
        self._services.conversations.of(session.id).interrupt(REPLACED)
        for message in messages[places[0] + 1 :]:
            await message.remove()
        await question.update()
        await self._answers.take()

    async def stop(self, sid: str, *_: object) -> None:
        """Cancel the running answer; the text received so far is kept."""
        session = _session(sid)
        if session:
            self._services.conversations.of(session.id).interrupt(STOPPED)

    async def choose(self, sid: str, data: object = None, *_: object) -> None:
        """Apply the page's settings to the questions that follow."""
        session = _session(sid)
        if session and isinstance(data, Mapping):
            session.chat_settings |= accepted(data)

    async def _taken_in(self, session: WebsocketSession, data: object) -> Said | None:
        """Return the message of an event; `None` if it is refused, with a notice unless the page floods the server."""
        question = read(Question, data)
        if question is None:
            log.warning("a malformed message was refused")
            self._refused(session, "malformed")
            return None
        if not await self._answers.signed_in(session):
            self._refused(session, "signed_out")
            return None
        if not self._answers.may_ask(session):
            self._refused(session, "flood")
            return None
        length, limit = len(question.message.output), self._services.settings.max_question_characters
        if length > limit:
            self._services.conversations.of(session.id).refused_in_a_row += 1
            self._services.limits.count(user_of(session))
            words = texts_for(session.language).say("notice.question_too_long", count=length, limit=limit)
            await notify(words, "question_too_long")
            self._refused(session, "question")
            return None
        return question.message

    def _refused(self, session: WebsocketSession, reason: str) -> None:
        metrics.REFUSED.labels(reason).inc()
        user = session.user.identifier if session.user else None
        record("question", user, reason, thread_id=session.thread_id)


def _session(sid: str) -> WebsocketSession | None:
    """Return the session of a connection, and make it the current one."""
    session = WebsocketSession.get(sid)
    if session is not None:
        session_id.set(session.id)
        init_ws_context(session)
    return session
