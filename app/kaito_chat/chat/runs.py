"""The step around the messages of one turn, which Chainlit calls a run.

The page puts the buttons to copy an answer and to rate it on the last message of a run that the assistant said, and
feedback is about the run.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import chainlit as cl
from chainlit.context import local_steps
from chainlit.utils import utc_now

NAME = "on_message"  # the page knows a run by it


@asynccontextmanager
async def run_of(question: cl.Message | None) -> AsyncIterator[cl.Step]:
    """A run that answers a question; messages that are made within it belong to it."""
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
