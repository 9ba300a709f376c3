"""HTTP routes that take precedence over Chainlit's: they validate every id and check its owner.

Chainlit's routes answer 500 for an unknown id, store feedback on other users' messages, and report a conversation as
deleted when the database failed.
"""

from kaito_chat.routes.conversations import ConversationRoutes
from kaito_chat.routes.page import PageRoutes

__all__ = ["ConversationRoutes", "PageRoutes"]
