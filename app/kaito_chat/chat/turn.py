"""One turn of a conversation: wait for the model, ask, show the answer or the trouble."""

import asyncio
import logging
import time
import uuid
from contextlib import aclosing

import chainlit as cl
from chainlit.chat_context import chat_context
from chainlit.context import context

from kaito_chat.backends import Reasoning, Reclassify, Text, Turn
from kaito_chat.chat import signals
from kaito_chat.chat.buttons import again, go_on
from kaito_chat.chat.conversations import DRAINED, LEFT, STOPPED
from kaito_chat.chat.displayed_answer import Shown
from kaito_chat.chat.services import Services
from kaito_chat.chat.settings_panel import sampling_of, system_prompt_of
from kaito_chat.chat.transcript import notice, turns_of
from kaito_chat.models.asking import Asking
from kaito_chat.models.progress import Progress
from kaito_chat.models.readiness import Watch
from kaito_chat.telemetry import metrics
from kaito_chat.telemetry.traces import tracer
from kaito_chat.texts import CONTINUE, texts_for
from kaito_chat.trouble import BackendError, Kind

log = logging.getLogger(__name__)

# How often the notice of a warm-up is written anew.
NOTICE_SECONDS = 5
# A look that answers within this time is not worth a notice.
FIRST_LOOK_SECONDS = 2
WAITED_OUT = (Kind.NOT_READY, Kind.GONE)
# The servers that are asked for their list of models.
LISTING = ("openai", "vllm", "transformers")
# Errors that end an answer that has begun, and are not reported as a cut.
OWN_ENDS = (Kind.CUT_OFF, Kind.FILTERED, Kind.ABORTED)
# The notice under an answer that was ended, by the reason; a question that replaces it needs none.
ENDED = {DRAINED: "notice.drained", LEFT: "notice.interrupted", STOPPED: "notice.stopped"}
ENDED_BEFORE_TEXT = ENDED | {LEFT: "notice.interrupted_question"}


class TurnOfConversation:
    """Answers the last question of the current conversation.

    Args:
        services: What all conversations share.
        watch: The model.
        continuing: Go on with the last answer instead.
    """

    def __init__(self, services: Services, watch: Watch, *, continuing: bool = False) -> None:
        self._services = services
        self._settings = services.settings
        self._watch = watch
        self._continuing = continuing
        self._texts = texts_for(context.session.language)
        self._shown = Shown(services, watch, self._texts)
        self._began = time.monotonic()
        questions = [message for message in chat_context.get() if message.type == "user_message"]
        self._question = questions[-1] if questions else None
        self._asked = self._question.content if self._question else ""

    async def take(self) -> None:
        """Answer. Every trouble with a model's server becomes a message on the page."""
        outcome = "failed"
        with tracer().start_as_current_span("chat") as span:
            try:
                outcome = await self._take()
            except asyncio.CancelledError as cancelled:
                outcome = _reason(cancelled)
                raise
            finally:
                metrics.REQUESTS.labels(self._watch.name, outcome).inc()
                metrics.ANSWER.labels(self._watch.name).observe(time.monotonic() - self._began)
                span.set_attribute("gen_ai.request.model", self._watch.name)
                span.set_attribute("kaito_chat.outcome", outcome)
                log.info(
                    "question",
                    extra={"outcome": outcome, "seconds": round(time.monotonic() - self._began, 3)},
                )

    async def _take(self) -> str:
        progress = Progress()
        try:
            while True:
                await self._wait_until_ready()
                asking = self._ask()
                progress = asking.progress
                try:
                    with metrics.ACTIVE.labels(self._watch.name).track_inprogress():
                        await self._stream(asking)
                except BackendError as error:
                    if error.kind in WAITED_OUT and progress.wordless:
                        await self._watch.doubt()
                        if self._watch.ready is None:
                            continue  # it is gone: wait for it, and send the question then
                    return await self._in_trouble(error, progress)
                return await self._answered(progress)
        except asyncio.CancelledError as cancelled:
            await asyncio.shield(self._ended(progress, _reason(cancelled)))
            raise

    def _ask(self) -> Asking:
        chosen = context.session.chat_settings
        turns = turns_of(chat_context.get(), system_prompt_of(self._settings, self._watch, chosen))
        # Without an answer there is nothing to continue: the question is asked again, with all the room there is.
        roomy = self._continuing and not (turns and turns[-1].role == "assistant")
        if self._continuing and not roomy:
            turns.append(Turn("user", CONTINUE))
        if self._settings.debug:
            log.info("asking", extra={"turns": [turn._asdict() for turn in turns]})
        sampling = sampling_of(self._settings, self._watch, chosen)
        return Asking(self._settings, self._watch, turns, sampling, model=chosen.get("model"), roomy=roomy)

    async def _wait_until_ready(self) -> None:
        if self._watch.ready:
            return
        shown: cl.Message | None = None
        try:
            with metrics.WAITING.labels(self._watch.name).track_inprogress():
                await self._watch.changed(FIRST_LOOK_SECONDS)
                while self._watch.ready is None:
                    text = self._texts.warming_up(self._watch)
                    notified = shown or cl.Message(text, type="system_message", metadata=notice("warming_up"))
                    await signals.waiting(notified.id, self._watch, self._texts)  # before the notice is seen
                    if shown is None:
                        shown = await notified.send()
                    elif shown.content != text:
                        shown.content = text
                        await shown.update()
                    await self._watch.changed(NOTICE_SECONDS)
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
        """Say once in a conversation what is unusual about its model."""
        ready, told = self._watch.ready, self._services.conversations.of(context.session.id).told
        kinds = {"base_model": self._watch.base_model}
        if ready and ready.backend.name in LISTING and not ready.served.listed and not ready.served.choices:
            kinds["not_listed"] = bool(ready.served.model)
        for kind in [kind for kind, holds in kinds.items() if holds and kind not in told]:
            told.add(kind)
            await notify(self._texts.say(f"notice.{kind}", model=ready.served.model if ready else ""), kind)

    async def _in_trouble(self, error: BackendError, progress: Progress) -> str:
        """Say what went wrong; the log has the rest, under a reference that the page names."""
        wordless = progress.wordless
        if error.kind is Kind.CUT_OFF and wordless:
            error = BackendError(Kind.FAILED, error.detail, said=error.said)
        metrics.ERRORS.labels(self._watch.name, error.kind).inc()
        reference = uuid.uuid4().hex[:8]
        log.warning("no whole answer", extra={"kind": error.kind, "detail": error.detail, "reference": reference})
        buttons: list[cl.Action] = []
        if wordless:
            await self._shown.remove()
            thought_out = error.kind is Kind.THOUGHT_OUT
            buttons = [go_on(self._texts) if thought_out else again(self._texts)]
        else:
            await self._shown.close(progress, unfinished=error.kind is not Kind.FILTERED)
            error = error if error.kind in OWN_ENDS else BackendError(Kind.CUT_OFF, error.detail, said=error.said)
        await notify(self._texts.trouble(error, reference), error.kind, buttons)
        return str(error.kind)

    async def _ended(self, progress: Progress, reason: str) -> None:
        """Keep what arrived of an answer that ends before its end, and say why it does."""
        if self._question and self._question.content != self._asked:  # edited: this answers nothing any more
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
    """Say something that is no part of the conversation, and no answer to copy or to rate."""
    await cl.Message(text, type="system_message", metadata=notice(str(kind)), actions=actions or []).send()


def _reason(cancelled: asyncio.CancelledError) -> str:
    """Why an answer was ended; without a reason, nobody waits for it any more."""
    return str(cancelled.args[0]) if cancelled.args else LEFT
