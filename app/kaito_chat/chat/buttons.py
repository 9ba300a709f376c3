"""The buttons under an answer or a notice."""

from typing import Literal
from uuid import uuid4

import chainlit as cl

from kaito_chat.texts import Texts

Name = Literal["continue", "again", "regenerate"]
# Names of lucide, which Chainlit's page has.
ICONS: dict[Name, str] = {"continue": "step-forward", "again": "rotate-ccw", "regenerate": "refresh-cw"}


def go_on(texts: Texts) -> cl.Action:
    """A button that continues the last answer."""
    return _action("continue", texts)


def again(texts: Texts) -> cl.Action:
    """A button that asks the last question again."""
    return _action("again", texts)


def regenerate(texts: Texts) -> cl.Action:
    """A button that has the last question answered once more."""
    return _action("regenerate", texts)


def _action(name: Name, texts: Texts) -> cl.Action:
    return cl.Action(
        name=name,
        label=texts.say(f"action.{name}"),
        tooltip=texts.say(f"action.{name}_tip"),
        icon=ICONS[name],
        id=f"kaito-chat-{name}-{uuid4()}",  # the page's stylesheet knows them by it
        payload={},
    )
