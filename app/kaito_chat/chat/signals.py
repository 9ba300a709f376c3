"""Window messages to our own script on the page, for features that Chainlit's page lacks.

Chainlit posts them to the page's `window`. They are not part of the conversation and not stored, so they are sent again
when a conversation is resumed.
"""

from collections.abc import Mapping

import chainlit as cl

from kaito_chat.models.readiness import Model
from kaito_chat.texts import Texts


async def facts(lines: Mapping[str, str]) -> None:
    """Show usage lines under answers, given by message id."""
    if lines:
        await cl.send_window_message({"kaito_chat": {"facts": dict(lines)}})


async def began(thread_id: str) -> None:
    """Set the page's URL to that of the conversation that starts."""
    await cl.send_window_message({"kaito_chat": {"thread": thread_id}})


async def waiting(notice: str, model: Model, texts: Texts) -> None:
    """Show the text of the notice under a waiting question in the page's status too, until the notice is removed.

    Args:
        notice: The id of the notice's message.
        model: The model that the question waits for.
        texts: The texts in the page's language.
    """
    signal = {"notice": notice, "state": model.state, "text": texts.status(model), "name": model.name}
    await cl.send_window_message({"kaito_chat": {"waiting": signal}})


async def waited() -> None:
    """Show the models' own status again: no question is waiting."""
    await cl.send_window_message({"kaito_chat": {"waiting": None}})
