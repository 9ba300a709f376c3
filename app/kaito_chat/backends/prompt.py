"""Other forms of a conversation, for servers and models that do not accept chat messages as they are."""

from collections.abc import Sequence

from kaito_chat.backends.interface import Message

SPEAKERS = {"system": "", "user": "User: ", "assistant": "Assistant: "}
# Without it, a model that only continues texts would go on with the user's next question.
STOP = ("\nUser:",)


def prompt_of(messages: Sequence[Message]) -> str:
    """Return the conversation as one text that ends where the model has to continue."""
    return "\n\n".join(f"{SPEAKERS[each.role]}{each.content}" for each in messages) + "\n\nAssistant:"


def folded(messages: Sequence[Message]) -> list[Message]:
    """Return the conversation with its system prompt at the head of the first question."""
    if not messages or messages[0].role != "system":
        return list(messages)
    system, *rest = messages
    place = next((index for index, each in enumerate(rest) if each.role == "user"), None)
    if place is None:
        return [Message("user", system.content), *rest]
    rest[place] = Message("user", f"{system.content}\n\n{rest[place].content}")
    return rest
