"""Our own routes, in front of Chainlit's: each checks the form and the owner of every id before anything is done.

Chainlit's answer 500 where an id is unknown, write feedback on anybody's messages, and say that a conversation was
deleted when the database could not do it.
"""

from kaito_chat.routes.conversations import ConversationRoutes
from kaito_chat.routes.page import PageRoutes

__all__ = ["ConversationRoutes", "PageRoutes"]
