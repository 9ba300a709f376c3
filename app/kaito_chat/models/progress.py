"""The state of an answer while it streams."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from kaito_chat.backends import Event, Finish, Reasoning, Reclassify, Text, Usage
from kaito_chat.trouble import BackendError, Kind

# Finish reasons that are errors.
ENDED_BADLY = {"content_filter": Kind.FILTERED, "abort": Kind.ABORTED}
Shown = Text | Reasoning | Reclassify


@dataclass
class Progress:
    """The state of an answer while it streams.

    Attributes:
        dropped: The number of oldest messages that did not fit into the context window.
        first_token_seconds: From the question to the first token.
        usage: The server's token counts, if it sends them.
        finish: The finish reason, once the answer is complete: `stop`, `length`, `content_filter`, `abort`.
        text: The pieces of the answer.
        thought: The pieces of the reasoning before it; never sent back to the model.
        model: The id of the model in the request.
        characters: The number of characters received.
    """

    dropped: int = 0
    first_token_seconds: float | None = None
    usage: Usage | None = None
    finish: str | None = None
    text: list[str] = field(default_factory=list)
    thought: list[str] = field(default_factory=list)
    model: str = ""
    characters: int = 0

    @property
    def answer(self) -> str:
        """The answer so far."""
        return "".join(self.text)

    @property
    def wordless(self) -> bool:
        """Whether the answer so far is empty or only white space."""
        return not any(piece.strip() for piece in self.text)

    def note(self, event: Event) -> bool:
        """Apply an event; return whether the page shows it."""
        match event:
            case Text(text):  # first, because it is by far the most frequent
                self.text.append(text)
                self.characters += len(text)
            case Usage():
                self.usage = event
                return False
            case Finish(reason):
                self.finish = reason
                return False
            case Reclassify(thinking):
                said, became = (self.text, self.thought) if thinking else (self.thought, self.text)
                became += said
                said.clear()
            case Reasoning(text):
                self.thought.append(text)
                self.characters += len(text)
        return True

    def judge(self) -> None:
        """Check a finished answer.

        Raises:
            BackendError: The answer is empty, or the server filtered or aborted it.
        """
        reason = self.finish or "stop"
        if kind := ENDED_BADLY.get(reason):
            nothing_to_go_on_with = kind is Kind.ABORTED and self.wordless
            raise BackendError(Kind.FAILED if nothing_to_go_on_with else kind, f"the server ended the answer: {reason}")
        if self.wordless:
            thought_out = reason == "length" and bool(self.thought)
            raise BackendError(Kind.THOUGHT_OUT if thought_out else Kind.EMPTY, f"the answer is empty: {reason}")


def joined(events: Iterable[Event]) -> list[Shown]:
    """Return the events that the page shows, with consecutive events of one type joined."""
    shown: list[Shown] = []
    for kind, group in groupby(events, type):
        if kind is Text:
            shown.append(Text("".join(event.text for event in group if isinstance(event, Text))))
        elif kind is Reasoning:
            shown.append(Reasoning("".join(event.text for event in group if isinstance(event, Reasoning))))
        else:
            shown += [event for event in group if isinstance(event, Reclassify)]
    return shown
