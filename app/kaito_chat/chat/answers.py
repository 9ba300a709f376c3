"""Answering of a page's questions: one at a time, within the limits, until the page is closed."""

import asyncio
import logging
import math

import chainlit as cl
from chainlit.chat_context import chat_context
from chainlit.context import context
from chainlit.session import WebsocketSession
from chainlit.utils import utc_now

from kaito_chat.chat.buttons import again, is_offered, of_an_end, withdraw
from kaito_chat.chat.conversations import DRAINED, LEFT, REPLACED, Conversation
from kaito_chat.chat.limits import Refusal
from kaito_chat.chat.runs import run_of
from kaito_chat.chat.services import Services
from kaito_chat.chat.settings_panel import panel
from kaito_chat.chat.transcript import answer_of, is_partial, is_unfinished, notice
from kaito_chat.chat.turn import Turn, notify
from kaito_chat.telemetry import metrics
from kaito_chat.telemetry.audit import record
from kaito_chat.texts import Texts, texts_for

log = logging.getLogger(__name__)

# After so many refused questions in a row, further ones are dropped without a notice.
MOST_REFUSED_IN_A_ROW = 5
NOTICES = {
    "user_answers": "notice.busy_own",
    "answers": "notice.busy_server",
    "user_rate": "notice.too_many_questions",
    "rate": "notice.busy_server",
}
NOT_SENT = NOTICES | {
    "answers": "notice.busy_server_not_sent",
    "user_rate": "notice.too_many_questions_not_sent",
    "rate": "notice.busy_server_not_sent",
}


class Answers:
    """Answers the questions that pages send.

    Args:
        services: The shared objects of the application.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    async def take(self, action: cl.Action | None = None) -> None:
        """Answer the last question of the current page; a page has at most one running answer.

        A running answer is cancelled, unless the question is refused. Of questions that arrive at the same time the
        newest is answered; the model receives the others as well, in front of it.

        Args:
            action: The button that was pressed; `None` for a new or edited question.
        """
        session: WebsocketSession = context.session
        if WebsocketSession.get_by_id(session.id) is not session:  # closed while its question waited for the history
            return
        conversation = self._services.conversations.of(session.id)
        if not await self._accepted(session, conversation, action):
            return
        with self._services.limits.answering(user_of(session), session.id):
            ticket = conversation.ticket()
            conversation.interrupt(REPLACED)
            async with conversation.lock:
                if conversation.over:
                    return
                if not conversation.is_newest(ticket):
                    conversation.refused_in_a_row += 1
                    return
                with self._services.until_ended():
                    try:
                        await self._answer(session, conversation, action)
                    finally:
                        if conversation.is_newest(ticket):
                            await context.emitter.task_end()

    async def refuses(self, session: WebsocketSession) -> bool:
        """Return whether a limit refuses a question now, with a notice: before anything of the conversation changes."""
        conversation = self._services.conversations.of(session.id)
        refusal = self._services.limits.refusal(user_of(session), session.id)
        if refusal is None:
            return False
        conversation.refused_in_a_row += 1
        metrics.REFUSED.labels(refusal.reason).inc()
        await notify(busy(texts_for(session.language), refusal, kept=False), "busy")
        self._record(session, refusal.reason)
        await self._end_unanswered(session)
        return True

    async def signed_in(self, session: WebsocketSession) -> bool:
        """Return whether the session is still signed in; notify the page if not. Chainlit checks on connect only."""
        tokens = self._services.tokens
        if tokens is None or await tokens.holder(session.token) is not None:
            return True
        login = f"{self._services.settings.root_path}/login"
        text = texts_for(session.language).say("notice.signed_out", login=login)
        # Not by `notify`, which stores its messages: nothing is stored for a page that is signed out.
        message = cl.Message(text, type="system_message", metadata=notice("signed_out"), created_at=utc_now())
        await context.emitter.send_step(message.to_dict())
        await self._end_unanswered(session)
        return False

    def may_ask(self, session: WebsocketSession) -> bool:
        """Return whether to accept another question: not after many refused ones, until the limits allow it again."""
        conversation = self._services.conversations.of(session.id)
        if conversation.refused_in_a_row < MOST_REFUSED_IN_A_ROW:
            return True
        return self._services.limits.refusal(user_of(session), session.id) is None

    async def show_settings(self, session: WebsocketSession) -> None:
        """Show the settings panel for the page's model."""
        chosen = dict(session.chat_settings or {})
        model = self._services.model(session.chat_profile)
        await panel(self._services.settings, model, chosen, texts_for(session.language)).send()

    async def offer_end(self, session: WebsocketSession) -> None:
        """Show the buttons under the last message of a resumed conversation; the history does not store buttons."""
        texts = texts_for(session.language)
        messages = [message for message in chat_context.get() if message.type == "user_message" or answer_of(message)]
        if not messages:
            return
        last = messages[-1]
        if last.type == "user_message":
            await notify(texts.say("notice.interrupted_question"), "interrupted", [again(texts)])
            return
        if is_partial(last):
            await notify(texts.say("notice.interrupted"), "interrupted")
        last.actions = of_an_end(texts, unfinished=is_unfinished(last))
        for button in last.actions:
            await button.send(for_id=last.id)

    async def notify(self, text: str, kind: str) -> None:
        """Show a notice, which is not part of the conversation."""
        await notify(text, kind)

    async def _answer(self, session: WebsocketSession, conversation: Conversation, action: cl.Action | None) -> None:
        if self._services.draining:  # since the question was accepted
            self._record(session, DRAINED)
            await context.emitter.task_start()
            await self._say_drained(session)
            return
        self._record(session, "ok")
        if not session.restored:  # otherwise the page has yet to receive the previous exchange
            conversation.mirror.begin()
        await withdraw(action)
        if action and action.name == "regenerate" and conversation.run:
            await conversation.run.remove()
        model = self._services.model(session.chat_profile)
        waits = not model.ready
        questions = [message for message in chat_context.get() if message.type == "user_message"]
        async with run_of(questions[-1] if questions else None) as run:
            conversation.run = run.step
            continuing = action is not None and action.name == "continue"
            await self._turn(conversation, Turn(self._services, model, run.show, continuing=continuing))
        if waits and model.choices:
            await self.show_settings(session)  # the list of models is known only now

    async def _turn(self, conversation: Conversation, answer: Turn) -> None:
        turn = asyncio.create_task(answer.take())
        conversation.turn = turn
        self._services.turns.add(turn)
        turn.add_done_callback(self._services.turns.discard)
        try:
            await turn
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current and current.cancelling():  # this task is cancelled, not only the answer
                turn.cancel(LEFT)
                raise
        finally:
            conversation.turn = None

    async def _accepted(self, session: WebsocketSession, conversation: Conversation, action: cl.Action | None) -> bool:
        """Return whether the question is accepted; notify the page if not, and leave its running answer alone."""
        if not await self.signed_in(session):
            self._record(session, "signed_out")
            return False
        outcome = await self._refused(session, conversation, action)
        if not outcome:
            return True
        self._record(session, outcome)
        await self._end_unanswered(session)
        return False

    async def _refused(self, session: WebsocketSession, conversation: Conversation, action: cl.Action | None) -> str:
        """Notify the page if the question is refused; return the reason, or an empty string if it is accepted."""
        if self._services.draining:
            await self._say_drained(session)
            return DRAINED
        # An answer that begins withdraws all buttons, so one that is pressed later is outdated.
        if action and (conversation.answering or not is_offered(action)):
            conversation.refused_in_a_row += 1
            self._services.limits.count(user_of(session))
            await action.remove()
            return "withdrawn"
        refusal = self._services.limits.refusal(user_of(session), session.id)
        if refusal is None:
            conversation.refused_in_a_row = 0
            return ""
        texts = texts_for(session.language)
        if action and action.name == "again":
            await withdraw(action)
        # The other buttons stay, as the answer does, and can be pressed again.
        kept = conversation.answering or (action and action.name != "again")
        conversation.refused_in_a_row += 1
        metrics.REFUSED.labels(refusal.reason).inc()
        await notify(busy(texts, refusal), "busy", [] if kept else [again(texts)])
        return refusal.reason

    async def _say_drained(self, session: WebsocketSession) -> None:
        texts = texts_for(session.language)
        await notify(texts.say("notice.drained"), DRAINED, [again(texts)])

    async def _end_unanswered(self, session: WebsocketSession) -> None:
        """Tell the page that its question gets no answer, unless an earlier one is being answered: Stop stays then."""
        if not self._services.conversations.of(session.id).answering:
            await context.emitter.task_start()
            await context.emitter.task_end()

    def _record(self, session: WebsocketSession, outcome: str) -> None:
        user = user_of(session) if session.user else None
        record("question", user, outcome, thread_id=session.thread_id)


def busy(texts: Texts, refusal: Refusal, *, kept: bool = True) -> str:
    """Return the notice that names the limit that was reached and when to retry.

    Args:
        texts: The texts in the page's language.
        refusal: The refusal.
        kept: Whether the question became part of the conversation.
    """
    notices = NOTICES if kept else NOT_SENT
    return texts.say(notices[refusal.reason], seconds=math.ceil(refusal.retry_after_seconds))


def user_of(session: WebsocketSession) -> str:
    """Return the key that limits count by: the user, or the session without sign-in."""
    return str(session.user.identifier if session.user else session.id)
