"""The buttons under the last message of a conversation."""

from typing import Literal
from uuid import uuid4

import chainlit as cl
from chainlit.chat_context import chat_context

from kaito_chat.chat.transcript import answer_of
from kaito_chat.texts import Texts

Name = Literal["continue", "again", "regenerate"]
NAMES: tuple[Name, ...] = ("continue", "again", "regenerate")
# Names of lucide icons, which Chainlit's page includes.
ICONS: dict[Name, str] = {"continue": "step-forward", "again": "rotate-ccw", "regenerate": "refresh-cw"}


def of_an_end(texts: Texts, *, unfinished: bool) -> list[cl.Action]:
    """Return the buttons under the last answer.

    Args:
        texts: The texts in the page's language.
        unfinished: Whether the model can continue the answer.
    """
    return [_button(name, texts) for name in ("continue", "regenerate") if unfinished or name == "regenerate"]


def again(texts: Texts) -> cl.Action:
    """Return a button that asks the last question again."""
    return _button("again", texts)


def go_on(texts: Texts) -> cl.Action:
    """Return a button that makes the model continue its answer."""
    return _button("continue", texts)


def _button(name: Name, texts: Texts) -> cl.Action:
    return cl.Action(
        name=name,
        label=texts.say(f"action.{name}"),
        tooltip=texts.say(f"action.{name}_tip"),
        icon=ICONS[name],
        id=f"kaito-chat-{name}-{uuid4()}",  # the page's stylesheet selects buttons by this prefix
        payload={},
    )


def is_offered(action: cl.Action) -> bool:
    """Return whether a button still belongs to the end of the conversation; a page can press an outdated one.

    Decided by the messages after it: a conversation resumed on another replica has no record of its buttons.
    """
    messages = chat_context.get()
    places = [place for place, message in enumerate(messages) if message.id == action.forId]
    after = messages[places[0] + 1 :] if places else []
    return bool(places) and not any(message.type == "user_message" or answer_of(message) for message in after)


async def withdraw(pressed: cl.Action | None) -> None:
    """Remove all buttons, and the message that the pressed one replaces: a notice, or the last answer."""
    if pressed:
        await pressed.remove()
    messages = chat_context.get()
    for message in messages:
        offered, message.actions = message.actions, []
        for each in offered:
            await each.remove()
    if pressed is None or pressed.name == "continue":
        return
    for message in reversed(messages):
        if message.type == "user_message":
            break
        if pressed.name == "regenerate" or message.id == pressed.forId:
            await message.remove()
