"""Tells the page's own script what Chainlit's page has no place for.

Chainlit hands these messages to the page's window. They are no messages of the conversation: nothing of them is kept or
copied, and after a conversation is resumed they are sent once more.
"""

from collections.abc import Mapping

import chainlit as cl

from kaito_chat.models.readiness import Model
from kaito_chat.texts import Texts


async def facts(lines: Mapping[str, str]) -> None:
    """Show a line under each of some answers, by the ids of their messages."""
    if lines:
        await cl.send_window_message({"kaito_chat": {"facts": dict(lines)}})


async def began(thread_id: str) -> None:
    """Give the page the address of the conversation that begins."""
    await cl.send_window_message({"kaito_chat": {"thread": thread_id}})


async def waiting(notice: str, model: Model, texts: Texts) -> None:
    """Say in the page's status the same as the notice under the question that waits, until that is gone.

    Args:
        notice: The id of the notice's message.
        model: The model that the question waits for.
        texts: In the page's language.
    """
    signal = {"notice": notice, "state": model.state, "text": texts.state(model.state), "name": model.name}
    await cl.send_window_message({"kaito_chat": {"waiting": signal}})


async def waited() -> None:
    """No question waits any more: the status is the models' own again."""
    await cl.send_window_message({"kaito_chat": {"waiting": None}})
