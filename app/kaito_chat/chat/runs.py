"""The step around the messages of one turn, which Chainlit calls a run.

The page shows the buttons to copy and to rate an answer on the run's last assistant message, and feedback refers to
the run.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import chainlit as cl
from chainlit.context import local_steps
from chainlit.utils import utc_now

NAME = "on_message"  # the page recognizes a run by this name


@asynccontextmanager
async def run_of(question: cl.Message | None) -> AsyncIterator[cl.Step]:
    """Open the run that answers a question; messages created within the context belong to it."""
    run = cl.Step(name=NAME, type="run", parent_id=question.id if question else None)
    run.input = question.content if question else ""
    run.start = utc_now()
    before = local_steps.set([run])
    await run.send()
    try:
        yield run
    finally:
        local_steps.reset(before)
        run.end = utc_now()
        await asyncio.shield(run.update())
