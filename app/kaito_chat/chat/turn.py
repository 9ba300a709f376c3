"""One turn of a conversation: a question, and its answer or an error message."""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import chainlit as cl
from chainlit.chat_context import chat_context
from chainlit.context import context

from kaito_chat.backends import Message, Reasoning, Reclassify, Text
from kaito_chat.backends.errors import FAULTS, BackendError, Kind
from kaito_chat.chat import signals
from kaito_chat.chat.buttons import again, go_on
from kaito_chat.chat.conversations import DRAINED, LEFT, STOPPED
from kaito_chat.chat.displayed_answer import DisplayedAnswer
from kaito_chat.chat.services import Services
from kaito_chat.chat.settings_panel import sampling_of, system_prompt_of
from kaito_chat.chat.transcript import messages_for_model, notice
from kaito_chat.chat.waking import offers_wake
from kaito_chat.models.asking import GONE, Asking, Question
from kaito_chat.models.progress import Progress
from kaito_chat.models.readiness import Model
from kaito_chat.telemetry import metrics
from kaito_chat.telemetry.traces import tracer
from kaito_chat.texts import CONTINUE, texts_for

log = logging.getLogger(__name__)

# How often the notice of a warm-up is updated.
NOTICE_SECONDS = 5
# A model that becomes ready within this time needs no notice.
FIRST_LOOK_SECONDS = 2
# The backends that read the server's list of models.
LISTING = ("openai", "vllm", "transformers")
# Errors that keep their own notice under an answer that has begun; the others are shown as a cut.
OWN_ENDS = (Kind.CUT_OFF, Kind.FILTERED, Kind.ABORTED)
# The notice under an answer that was ended, by reason; a question that replaces it needs none.
ENDED = {DRAINED: "notice.drained", LEFT: "notice.interrupted", STOPPED: "notice.stopped"}
ENDED_BEFORE_TEXT = ENDED | {LEFT: "notice.interrupted_question"}


class Turn:
    """The last question of the current conversation, and its answer.

    Args:
        services: The services that all conversations share.
        model: The model that the user chose.
        begin: Shows that the answer begins; is called before anything else of it is shown, and does so once.
        continuing: Continue the last answer instead.
    """

    def __init__(
        self, services: Services, model: Model, begin: Callable[[], Awaitable[None]], *, continuing: bool = False
    ) -> None:
        self._services = services
        self._settings = services.settings
        self._model = model
        self._begin = begin
        self._continuing = continuing
        self._texts = texts_for(context.session.language)
        self._shown = DisplayedAnswer(services, model, self._texts)
        self._began = time.monotonic()
        questions = [message for message in chat_context.get() if message.type == "user_message"]
        self._question = questions[-1] if questions else None
        self._asked = self._question.content if self._question else ""

    async def take(self) -> None:
        """Answer the question. Every backend error becomes a message on the page."""
        outcome = "failed"
        with tracer().start_as_current_span("chat") as span:
            try:
                outcome = await self._take()
            except asyncio.CancelledError as cancelled:
                outcome = _reason(cancelled)
                raise
            finally:
                metrics.REQUESTS.labels(self._model.name, outcome).inc()
                metrics.ANSWER.labels(self._model.name).observe(time.monotonic() - self._began)
                span.set_attribute("gen_ai.request.model", self._model.name)
                span.set_attribute("kaito_chat.outcome", outcome)
                log.info(
                    "question",
                    extra={"outcome": outcome, "seconds": round(time.monotonic() - self._began, 3)},
                )

    async def _take(self) -> str:
        asking = Asking(self._settings, self._model, self._ask, self._wait_until_ready, meanwhile=self._begin)
        try:
            try:
                await self._stream(asking)
            except BackendError as error:
                await self._begin()
                return await self._failed(error, asking.progress)
            return await self._answered(asking.progress)
        except asyncio.CancelledError as cancelled:
            await asyncio.shield(self._ended(asking.progress, _reason(cancelled)))
            raise

    def _ask(self) -> Question:
        metrics.LAST_USE.labels(self._model.name).set_to_current_time()
        chosen = context.session.chat_settings
        messages = messages_for_model(chat_context.get(), system_prompt_of(self._settings, self._model, chosen))
        # Without an answer there is nothing to continue: the question is sent again, with all the room there is.
        roomy = self._continuing and not (messages and messages[-1].role == "assistant")
        if self._continuing and not roomy:
            messages.append(Message("user", CONTINUE))
        if self._settings.debug:
            log.info("asking", extra={"turns": [each._asdict() for each in messages]})
        return Question(
            messages,
            sampling_of(self._settings, self._model, chosen),
            model_id=chosen.get("model"),
            roomy=roomy,
            conversation=context.session.thread_id or context.session.id,
        )

    async def _wait_until_ready(self) -> None:
        if self._model.ready:
            return
        await self._begin()
        shown: cl.Message | None = None
        try:
            with metrics.WAITING.labels(self._model.name).track_inprogress():
                await self._model.changed(FIRST_LOOK_SECONDS)
                while not self._model.ready:
                    metrics.LAST_USE.labels(self._model.name).set_to_current_time()
                    text = self._texts.warming_up(self._model)
                    if offers_wake(self._settings, self._model, context.session.user):
                        text += f" {self._texts.say('warming.wake')}"
                    notified = shown or cl.Message(text, type="system_message", metadata=notice("warming_up"))
                    await signals.waiting(notified.id, self._model, self._texts)  # before the notice is shown
                    if shown is None:
                        shown = await notified.send()
                    elif shown.content != text:
                        shown.content = text
                        await shown.update()
                    await self._model.changed(NOTICE_SECONDS)
        finally:
            if shown:
                await asyncio.shield(shown.remove())
                await asyncio.shield(signals.waited())

    async def _stream(self, asking: Asking) -> None:
        async with aclosing(asking.answer()) as batches:
            async for batch in batches:
                for event in batch:
                    match event:
                        case Reasoning(text):
                            await self._shown.think(text)
                        case Text(text):
                            await self._shown.say(text, asking.progress)
                        case Reclassify(thinking):
                            await self._shown.reclassify(asking.progress, thinking=thinking)

    async def _answered(self, progress: Progress) -> str:
        cut = progress.finish == "length"
        await self._shown.close(progress, unfinished=cut)
        if cut:
            await cl.Message(self._texts.say("notice.length"), type="system_message").send()
        await self._explain()
        return "length" if cut else "answered"

    async def _explain(self) -> None:
        """Show, once in a conversation, the notices about its model."""
        backend, served = self._model.backend, self._model.default
        told = self._services.conversations.of(context.session.id).told
        kinds = {"base_model": self._model.base_model}
        if backend and served and backend.name in LISTING and not served.listed and not served.choices:
            kinds["not_listed"] = bool(served.id)
        for kind in [kind for kind, holds in kinds.items() if holds and kind not in told]:
            told.add(kind)
            await notify(self._texts.say(f"notice.{kind}", model=served.id if served else ""), kind)

    async def _failed(self, error: BackendError, progress: Progress) -> str:
        """Show the error; the log has its detail, under a reference that the page shows."""
        wordless = progress.wordless
        if error.kind is Kind.CUT_OFF and wordless:
            error = BackendError(Kind.FAILED, error.detail, said=error.said)
        if error.kind in FAULTS:
            metrics.ERRORS.labels(self._model.name, error.kind).inc()
        reference = uuid.uuid4().hex[:8]
        log.warning("incomplete answer", extra={"kind": error.kind, "detail": error.detail, "reference": reference})
        buttons: list[cl.Action] = []
        if wordless:
            await self._shown.remove()
            thought_out = error.kind is Kind.THOUGHT_OUT
            buttons = [go_on(self._texts) if thought_out else again(self._texts)]
        else:
            await self._shown.close(progress, unfinished=error.kind is not Kind.FILTERED)
            error = error if error.kind in OWN_ENDS else BackendError(Kind.CUT_OFF, error.detail, said=error.said)
        # Its checks succeed, so the page's status says that it is ready.
        told = BackendError(Kind.FAILED, error.detail) if error.kind in GONE and self._model.ready else error
        await notify(self._texts.error(told, reference), error.kind, buttons)
        return str(error.kind)

    async def _ended(self, progress: Progress, reason: str) -> None:
        """Keep the part of an interrupted answer that arrived, and show the reason."""
        await self._begin()
        if self._question and self._question.content != self._asked:  # the question was edited
            await self._shown.remove()
            return
        wanted = reason in ENDED
        if progress.wordless:
            await self._shown.remove()
        else:
            await self._shown.close(progress, unfinished=True, offered=wanted)
        if wanted:
            key = (ENDED_BEFORE_TEXT if progress.wordless else ENDED)[reason]
            await notify(self._texts.say(key), reason, [again(self._texts)] if progress.wordless else [])


async def notify(text: str, kind: str, actions: list[cl.Action] | None = None) -> None:
    """Show a notice, which is not part of the conversation and cannot be copied or rated."""
    await cl.Message(text, type="system_message", metadata=notice(str(kind)), actions=actions or []).send()


def _reason(cancelled: asyncio.CancelledError) -> str:
    """Return the reason why an answer was ended; without one, its page is gone."""
    return str(cancelled.args[0]) if cancelled.args else LEFT
