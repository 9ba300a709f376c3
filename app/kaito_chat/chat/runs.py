"""The step around the messages of one turn, which Chainlit calls a run.

The page shows the buttons to copy and to rate an answer on the run's last assistant message, and feedback refers to
the run.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import chainlit as cl
from chainlit.context import context, local_steps
from chainlit.utils import utc_now

NAME = "on_message"  # the page recognizes a run by this name


class Run:
    """The run of one answer.

    Attributes:
        step: Chainlit's step.
    """

    def __init__(self, step: cl.Step) -> None:
        self.step = step
        self._shown = False

    async def show(self) -> None:
        """Show, once, that the answer begins: before anything else of it, and after its request is sent."""
        if not self._shown:
            self._shown = True
            await context.emitter.task_start()
            await self.step.send()


@asynccontextmanager
async def run_of(question: cl.Message | None) -> AsyncIterator[Run]:
    """Open the run that answers a question; messages created within the context belong to it."""
    step = cl.Step(name=NAME, type="run", parent_id=question.id if question else None)
    step.input = question.content if question else ""
    step.start = utc_now()
    run = Run(step)
    before = local_steps.set([step])
    try:
        yield run
    finally:
        local_steps.reset(before)
        step.end = utc_now()
        await asyncio.shield(_end(run))


async def _end(run: Run) -> None:
    await run.show()
    await run.step.update()
