"""Writes a conversation in other forms, for servers and models that do not take it as it is."""

from collections.abc import Sequence

from kaito_chat.backends.interface import Turn

SPEAKERS = {"system": "", "user": "User: ", "assistant": "Assistant: "}
# A model that only continues texts would go on with the user's next question.
STOP = ("\nUser:",)


def prompt_of(turns: Sequence[Turn]) -> str:
    """The conversation as one text, which ends where the model has to go on."""
    return "\n\n".join(f"{SPEAKERS[turn.role]}{turn.content}" for turn in turns) + "\n\nAssistant:"


def folded(turns: Sequence[Turn]) -> list[Turn]:
    """The conversation with its system prompt at the head of the first question."""
    if not turns or turns[0].role != "system":
        return list(turns)
    system, *rest = turns
    place = next((index for index, turn in enumerate(rest) if turn.role == "user"), None)
    if place is None:
        return [Turn("user", system.content), *rest]
    rest[place] = Turn("user", f"{system.content}\n\n{rest[place].content}")
    return rest
