"""One turn of a conversation: wait for the model, ask, show the answer or the trouble."""

import asyncio
import logging
import time
from contextlib import aclosing
from typing import Literal

import chainlit as cl
from chainlit.chat_context import chat_context
from chainlit.context import context
from chainlit.utils import utc_now

from kaito_chat import metrics, words
from kaito_chat.asking import Asking
from kaito_chat.backends import Reasoning, Reclassify, Text, Turn
from kaito_chat.chat.panel import sampling_of, system_prompt_of
from kaito_chat.chat.services import DRAINED, Services
from kaito_chat.conversation import mark, notice, turns_of
from kaito_chat.progress import Progress
from kaito_chat.readiness import Watch
from kaito_chat.traces import tracer
from kaito_chat.trouble import BackendError, Kind

log = logging.getLogger(__name__)

# How often the notice of a warm-up is written anew.
NOTICE_SECONDS = 5
# A look that answers within this time is not worth a notice.
FIRST_LOOK_SECONDS = 2
WAITED_OUT = (Kind.NOT_READY, Kind.GONE)
# What ends an answer that has begun, and is not said as a cut.
ENDED = (Kind.CUT_OFF, Kind.FILTERED, Kind.ABORTED)


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
        self._began = time.monotonic()
        self._message: cl.Message | None = None
        self._thought: cl.Step | None = None
        self._dropped_said = False
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
                if error.kind in WAITED_OUT and asking.progress.wordless:
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
        # Without an answer there is nothing to continue: the question is asked again, with all the room there is.
        roomy = self._continuing and not (turns and turns[-1].role == "assistant")
        if self._continuing and not roomy:
            turns.append(Turn("user", words.CONTINUE))
        if self._settings.debug:
            log.info("asking", extra={"turns": [turn._asdict() for turn in turns]})
        sampling = sampling_of(self._settings, self._watch, chosen)
        return Asking(self._settings, self._watch, turns, sampling, model=chosen.get("model"), roomy=roomy)

    async def _wait_until_ready(self) -> None:
        if self._watch.ready:
            return
        waiting = metrics.WAITING.labels(self._watch.name)
        waiting.inc()
        shown: cl.Message | None = None
        try:
            await self._watch.changed(FIRST_LOOK_SECONDS)
            while self._watch.ready is None:
                text = words.warming_up(self._watch)
                if shown is None:
                    shown = await cl.Message(text, metadata=notice("warming_up")).send()
                elif shown.content != text:
                    shown.content = text
                    await shown.update()
                await self._watch.changed(NOTICE_SECONDS)
        finally:
            waiting.dec()
            if shown:
                await asyncio.shield(shown.remove())

    async def _stream(self, asking: Asking) -> None:
        async with aclosing(asking.answer()) as batches:
            async for batch in batches:
                for event in batch:
                    match event:
                        case Reasoning(text):
                            await self._think(text)
                        case Text(text):
                            await self._say(text, asking.progress)
                        case Reclassify(thinking):
                            await self._reclassify(asking.progress, thinking=thinking)

    async def _think(self, text: str) -> None:
        if self._thought is None:
            self._thought = cl.Step(name="Reasoning", type="llm", show_input=False)
            await self._thought.send()
        await self._thought.stream_token(text)

    async def _reclassify(self, progress: Progress, *, thinking: bool) -> None:
        """Move what was shown as the answer to the thinking, or back."""
        if thinking and self._message:
            shown, self._message = self._message, None
            await shown.remove()
            await self._think(shown.content)
        elif not thinking and self._thought:
            thought, self._thought = self._thought, None
            await thought.remove()
            await self._say(thought.output, progress)

    async def _say(self, text: str, progress: Progress) -> None:
        if self._message is None:
            await self._end_thought()
            if progress.dropped and not self._dropped_said:
                self._dropped_said = True
                await cl.Message(words.DROPPED.format(count=progress.dropped)).send()
            self._message = cl.Message("", created_at=utc_now())
        await self._message.stream_token(text)

    async def _end_thought(self) -> None:
        if self._thought:
            await self._thought.update()
            self._thought = None

    async def _close(self, progress: Progress, actions: list[cl.Action]) -> None:
        """Finish the answer's message, with its mark and the line under it."""
        await self._end_thought()
        message = self._message or cl.Message("")
        usage, text = progress.usage, progress.answer
        first = progress.first_token_seconds or 0.0
        if usage:
            metrics.TOKENS.labels(self._watch.name, "prompt").inc(usage.prompt_tokens)
            metrics.TOKENS.labels(self._watch.name, "completion").inc(usage.completion_tokens)
        ready = self._watch.ready
        message.metadata = mark(text, model=progress.model or self._watch.name)
        if self._settings.show_usage:
            line = words.usage(
                usage.prompt_tokens if usage else None,
                usage.completion_tokens if usage else None,
                first,
                streamed=ready is None or ready.backend.limits.streaming,
            )
            message.content = f"{text}\n\n{line}"
        message.actions = actions
        await message.send()
        if self._settings.debug:
            log.info("answer", extra={"answer": text})

    async def _answered(self, progress: Progress) -> str:
        cut = progress.finish == "length"
        await self._close(progress, [go_on()] if cut else [])
        if cut:
            await cl.Message(words.LENGTH).send()
        return "length" if cut else "answered"

    async def _in_trouble(self, error: BackendError, progress: Progress) -> str:
        wordless = progress.wordless
        if error.kind is Kind.CUT_OFF and wordless:
            error = BackendError(Kind.FAILED, error.detail, said=error.said)
        metrics.ERRORS.labels(self._watch.name, error.kind).inc()
        log.warning("no whole answer", extra={"kind": error.kind, "detail": error.detail})
        if wordless:
            await self._end_thought()
            if self._message:
                await self._message.remove()
        else:
            await self._close(progress, [])
            error = error if error.kind in ENDED else BackendError(Kind.CUT_OFF, error.detail, said=error.said)
        goes_on = error.kind is Kind.THOUGHT_OUT or (not wordless and error.kind is not Kind.FILTERED)
        actions = [go_on() if goes_on else again()]
        await notify(words.trouble(error), error.kind, actions)
        return str(error.kind)

    async def _stopped(self, progress: Progress, *, drained: bool) -> None:
        """Keep what arrived of an answer that nobody waits for any more."""
        if self._question and self._question.content != self._asked:  # edited: this answers nothing any more
            await self._end_thought()
            if self._message:
                await self._message.remove()
        elif progress.text:
            await self._close(progress, [])
        else:
            await self._end_thought()
        if drained:
            await notify(words.DRAINED, "drained", [go_on() if progress.text else again()])


async def notify(text: str, kind: str, actions: list[cl.Action] | None = None) -> None:
    """Say something that is no part of the conversation."""
    await cl.Message(text, metadata=notice(str(kind)), actions=actions or []).send()


def go_on() -> cl.Action:
    """A button that continues the last answer."""
    return _action("continue", "Continue", "Have the model go on from there")


def again() -> cl.Action:
    """A button that asks the last question again."""
    return _action("again", "Try again", "Ask the same question again")


def _action(name: Literal["continue", "again"], label: str, tooltip: str) -> cl.Action:
    return cl.Action(name=name, label=label, tooltip=tooltip, payload={})
