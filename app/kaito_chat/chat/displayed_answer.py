"""One answer on its page: the reasoning, the text, the usage line, and the copy in the history."""

import logging
import time
from typing import Any

import chainlit as cl
from chainlit.context import context
from chainlit.utils import utc_now

from kaito_chat.chat import signals
from kaito_chat.chat.buttons import of_an_end
from kaito_chat.chat.facts import FACTS, facts_of, line
from kaito_chat.chat.services import Services
from kaito_chat.chat.transcript import mark
from kaito_chat.models.progress import Progress
from kaito_chat.models.readiness import Model
from kaito_chat.page.formulas import Formulas, written
from kaito_chat.telemetry import metrics
from kaito_chat.texts import Texts

log = logging.getLogger(__name__)

# Interval at which a streaming answer is saved; the most that is lost when the process is killed.
KEEP_SECONDS = 3.0


def stored(thread: dict[str, Any]) -> dict[str, Any]:
    """Return a stored conversation that the page can render: Markdown nested too deeply would crash it."""
    steps = thread.get("steps") or ()
    return thread | {"steps": [each | {"output": written(each.get("output") or "", rewritten=False)} for each in steps]}


class DisplayedAnswer:
    """Shows an answer while it streams.

    Args:
        services: The shared objects of the application.
        model: The model.
        texts: The texts in the page's language.
    """

    def __init__(self, services: Services, model: Model, texts: Texts) -> None:
        self._services = services
        self._model = model
        self._texts = texts
        self._message: cl.Message | None = None
        self._thought: cl.Step | None = None
        self._said: list[str] = []
        self._formulas = Formulas()
        self._thoughts: list[str] = []
        self._thinking = Formulas(rewritten=False)
        self._dropped_said = False
        self._kept = time.monotonic()

    async def think(self, text: str) -> None:
        """Append to the model's reasoning, which the page expands while it streams and collapses at its end."""
        if self._thought is None:
            self._thought = cl.Step(
                name=self._texts.say("reasoning"), type="llm", show_input=False, default_open=True, auto_collapse=True
            )
            await self._thought.send()
        self._thoughts.append(text)
        await self._thought.stream_token(self._thinking.feed(text))
        if self._must_keep():
            self._keep(self._thought.to_dict())

    async def say(self, text: str, progress: Progress) -> None:
        """Append to the answer."""
        if self._message is None:
            await self.end_thought()
            if progress.dropped and not self._dropped_said:
                self._dropped_said = True
                dropped = self._texts.say("notice.dropped", count=progress.dropped)
                await cl.Message(dropped, type="system_message").send()
            self._message = cl.Message("", created_at=utc_now())
        self._said.append(text)
        await self._message.stream_token(self._formulas.feed(text))
        if self._must_keep():
            self._keep(self._message.to_dict() | {"metadata": self._mark(progress, partial=True)})

    async def reclassify(self, progress: Progress, *, thinking: bool) -> None:
        """Move the text received so far from the answer to the reasoning, or back."""
        if thinking and self._message:
            shown, self._message = self._message, None
            said, self._said, self._formulas = "".join(self._said), [], Formulas()
            await shown.remove()
            await self.think(said)
        elif not thinking and self._thought:
            thought, self._thought = self._thought, None
            said, self._thoughts, self._thinking = "".join(self._thoughts), [], Formulas(rewritten=False)
            await thought.remove()
            await self.say(said, progress)

    async def end_thought(self) -> None:
        """Finish the reasoning."""
        if self._thought:
            await self._thought.stream_token(self._thinking.end())
            await self._thought.update()
            self._thought, self._thoughts, self._thinking = None, [], Formulas(rewritten=False)

    async def close(self, progress: Progress, *, unfinished: bool, offered: bool = True) -> None:
        """Finish the answer's message, with its metadata, usage line and buttons.

        Args:
            progress: The received answer.
            unfinished: Whether the model can continue the answer.
            offered: Whether to show buttons: not under an answer that another question cancelled.
        """
        await self.end_thought()
        message = self._message or cl.Message("")
        usage, text = progress.usage, progress.answer
        if usage:
            metrics.TOKENS.labels(self._model.name, "prompt").inc(usage.prompt_tokens)
            metrics.TOKENS.labels(self._model.name, "completion").inc(usage.completion_tokens)
        backend = self._model.backend
        facts = facts_of(progress, streamed=backend is None or backend.capabilities.streaming)
        message.metadata = self._mark(progress, **({"unfinished": True} if unfinished else {})) | {FACTS: facts}
        message.content = written(text)
        message.actions = of_an_end(self._texts, unfinished=unfinished) if offered else []
        await message.send()
        if self._services.settings.show_usage:
            await signals.facts({message.id: line(facts, self._texts)})
        if self._services.settings.debug:
            log.info("answer", extra={"answer": text})

    async def remove(self) -> None:
        """Remove the answer: it is empty, or its question was edited."""
        await self.end_thought()
        if self._message:
            await self._message.remove()

    def _must_keep(self) -> bool:
        return self._services.history is not None and time.monotonic() - self._kept > KEEP_SECONDS

    def _keep(self, step: dict[str, Any]) -> None:
        """Save the state of the reasoning or of the answer, in case the process is killed."""
        self._kept = time.monotonic()
        session, history = context.session, self._services.history
        if history:
            history.save_step(session.user.identifier, session.thread_id, step | {"streaming": False})

    def _mark(self, progress: Progress, **facts: object) -> dict[str, Any]:
        return mark(progress.answer, model=progress.model or self._model.name, **facts)
