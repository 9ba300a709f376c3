"""Says in the page's language that an answer was stopped: Chainlit's own notice is English, and not marked as one."""

from importlib import import_module
from typing import Any

import chainlit as cl
from chainlit.context import context

from kaito_chat.conversation import notice
from kaito_chat.texts import texts_for

CHAINLITS = "Task manually stopped."


class Notice(cl.Message):
    """A message of Chainlit's own, in the page's language where we know it."""

    def __init__(self, content: str = "", **given: Any) -> None:  # noqa: ANN401 - Chainlit's, which has no types
        if content == CHAINLITS:
            content = texts_for(context.session.language).say("notice.stopped")
            given["metadata"] = notice("stopped")
        super().__init__(content, **given)


def translate() -> None:
    """Let Chainlit's handler of Stop say it in our words."""
    import_module("chainlit.socket").Message = Notice  # type: ignore[attr-defined]
