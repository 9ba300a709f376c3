"""One turn of a conversation: wait for the model, ask, show the answer or the trouble."""

import asyncio
import logging
import time
from contextlib import aclosing

import chainlit as cl
from chainlit.chat_context import chat_context
from chainlit.context import context
from chainlit.utils import utc_now

from kaito_chat import metrics
from kaito_chat.asking import Asking, Progress
from kaito_chat.backends import Reasoning, Text, Turn
from kaito_chat.chat import signals
from kaito_chat.chat.buttons import again, go_on, regenerate
from kaito_chat.chat.facts import FACTS, facts_of, line
from kaito_chat.chat.panel import sampling_of, system_prompt_of
from kaito_chat.chat.services import DRAINED, Services
from kaito_chat.conversation import mark, notice, turns_of
from kaito_chat.page.formulas import Formulas, written
from kaito_chat.readiness import Watch
from kaito_chat.texts import CONTINUE, texts_for
from kaito_chat.traces import tracer
from kaito_chat.trouble import BackendError, Kind

log = logging.getLogger(__name__)

# How often the notice of a warm-up is written anew.
NOTICE_SECONDS = 5
# A look that answers within this time is not worth a notice.
FIRST_LOOK_SECONDS = 2
WAITED_OUT = (Kind.NOT_READY, Kind.GONE)


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
        self._began = time.monotonic()
        self._message: cl.Message | None = None
        self._thought: cl.Step | None = None
        self._formulas = Formulas()
        questions = [message for message in chat_context.get() if message.type == "user_message"]
        self._question = questions[-1] if questions else None
        self._asked = self._question.content if self._question else ""

    async def take(self) -> None:
        """Answer. Nothing that a model's server does escapes from here but as words on the page."""
        outcome = "failed"
        with tracer().start_as_current_span("chat") as span:
            try:
                outcome = await self._take()
            except asyncio.CancelledError as cancelled:
                outcome = "drained" if DRAINED in cancelled.args else "stopped"
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
        while True:
            await self._wait_until_ready()
            asking = self._ask()
            metrics.ACTIVE.labels(self._watch.name).inc()
            try:
                await self._stream(asking)
            except BackendError as error:
                if error.kind in WAITED_OUT and not asking.progress.text:
                    await self._watch.doubt()
                    if self._watch.ready is None:
                        continue  # it is gone: wait for it, and send the question then
                return await self._in_trouble(error, asking.progress)
            except asyncio.CancelledError as cancelled:
                await asyncio.shield(self._stopped(asking.progress, drained=DRAINED in cancelled.args))
                raise
            finally:
                metrics.ACTIVE.labels(self._watch.name).dec()
            return await self._answered(asking.progress)

    def _ask(self) -> Asking:
        chosen = context.session.chat_settings
        turns = turns_of(chat_context.get(), system_prompt_of(self._settings, self._watch, chosen))
        if self._continuing:
            turns.append(Turn("user", CONTINUE))
        if self._settings.debug:
            log.info("asking", extra={"turns": [turn._asdict() for turn in turns]})
        return Asking(self._settings, self._watch, turns, sampling_of(self._settings, self._watch, chosen))

    async def _wait_until_ready(self) -> None:
        if self._watch.ready:
            return
        waiting = metrics.WAITING.labels(self._watch.name)
        waiting.inc()
        shown: cl.Message | None = None
        try:
            await self._watch.changed(FIRST_LOOK_SECONDS)
            while self._watch.ready is None:
                text = self._texts.warming_up(self._watch)
                notified = shown or cl.Message(text, metadata=notice("warming_up"))
                await signals.waiting(notified.id, self._watch, self._texts)  # before the notice is seen
                if shown is None:
                    shown = await notified.send()
                elif shown.content != text:
                    shown.content = text
                    await shown.update()
                await self._watch.changed(NOTICE_SECONDS)
        finally:
            waiting.dec()
            if shown:
                await asyncio.shield(shown.remove())
                await asyncio.shield(signals.waited())

    async def _stream(self, asking: Asking) -> None:
        async with aclosing(asking.answer()) as batches:
            async for batch in batches:
                if thought := "".join(event.text for event in batch if isinstance(event, Reasoning)):
                    await self._think(thought)
                if text := "".join(event.text for event in batch if isinstance(event, Text)):
                    await self._say(text, asking.progress)

    async def _think(self, text: str) -> None:
        if self._thought is None:
            self._thought = cl.Step(name=self._texts.say("reasoning"), type="llm", show_input=False)
            await self._thought.send()
        await self._thought.stream_token(text)

    async def _say(self, text: str, progress: Progress) -> None:
        if self._message is None:
            await self._end_thought()
            if progress.dropped:
                await cl.Message(self._texts.say("notice.dropped", count=progress.dropped)).send()
            self._message = cl.Message("", created_at=utc_now())
        await self._message.stream_token(self._formulas.feed(text))

    async def _end_thought(self) -> None:
        if self._thought:
            await self._thought.update()
            self._thought = None

    async def _close(self, progress: Progress, actions: list[cl.Action]) -> None:
        """Finish the answer's message, with its mark and the line under it."""
        await self._end_thought()
        message = self._message or cl.Message("")
        usage, text = progress.usage, "".join(progress.text)
        if usage:
            metrics.TOKENS.labels(self._watch.name, "prompt").inc(usage.prompt_tokens)
            metrics.TOKENS.labels(self._watch.name, "completion").inc(usage.completion_tokens)
        ready = self._watch.ready
        facts = facts_of(progress, streamed=ready is None or ready.backend.limits.streaming)
        model = ready.served.model if ready else self._watch.name
        message.metadata = mark(text, model=model) | {FACTS: facts}
        message.content = written(text)
        message.actions = actions
        await message.send()
        if self._settings.show_usage:
            await signals.facts({message.id: line(facts, self._texts)})
        if self._settings.debug:
            log.info("answer", extra={"answer": text})

    def _offers(self, *, cut: bool) -> list[cl.Action]:
        """The buttons of an answer."""
        return [go_on(self._texts), regenerate(self._texts)] if cut else [regenerate(self._texts)]

    async def _answered(self, progress: Progress) -> str:
        if not progress.text:
            return await self._in_trouble(BackendError(Kind.FAILED, "the answer is empty"), progress)
        cut = progress.finish == "length"
        await self._close(progress, self._offers(cut=cut))
        if cut:
            await cl.Message(self._texts.say("notice.length")).send()
        return "length" if cut else "answered"

    async def _in_trouble(self, error: BackendError, progress: Progress) -> str:
        if error.kind is Kind.CUT_OFF and not progress.text:
            error = BackendError(Kind.FAILED, error.detail)
        metrics.ERRORS.labels(self._watch.name, error.kind).inc()
        log.warning("no whole answer", extra={"kind": error.kind, "detail": error.detail})
        if progress.text:
            await self._close(progress, [])
            error = error if error.kind is Kind.CUT_OFF else BackendError(Kind.CUT_OFF, error.detail)
        else:
            await self._end_thought()
        actions = [go_on(self._texts) if progress.text else again(self._texts)]
        await notify(self._texts.trouble(error), error.kind, actions)
        return str(error.kind)

    async def _stopped(self, progress: Progress, *, drained: bool) -> None:
        """Keep what arrived of an answer that nobody waits for any more."""
        if self._question and self._question.content != self._asked:  # edited: this answers nothing any more
            await self._end_thought()
            if self._message:
                await self._message.remove()
        elif progress.text:
            await self._close(progress, [] if drained else self._offers(cut=True))
        else:
            await self._end_thought()
        if drained:
            button = go_on(self._texts) if progress.text else again(self._texts)
            await notify(self._texts.say("notice.drained"), "drained", [button])


async def notify(text: str, kind: str, actions: list[cl.Action] | None = None) -> None:
    """Say something that is no part of the conversation."""
    await cl.Message(text, metadata=notice(str(kind)), actions=actions or []).send()
