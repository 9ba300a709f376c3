"""The state of an answer while it streams."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from kaito_chat.backends import Event, Finish, Piece, Reasoning, Reclassify, Text, Usage
from kaito_chat.backends.errors import BackendError, Kind

# Finish reasons that are errors.
ENDED_BADLY = {"content_filter": Kind.FILTERED, "abort": Kind.ABORTED, "error": Kind.ABORTED}


@dataclass
class Progress:
    """The state of an answer while it streams.

    Attributes:
        dropped: The number of oldest messages that did not fit into the context window.
        first_token_seconds: From the question to the first token.
        usage: The server's count of tokens, if it sends one.
        finish: The server's finish reason: `stop`, `length`, `content_filter`, `abort`, `error`.
        text: The answer so far, in pieces.
        thought: The reasoning so far, in pieces; never sent back to the model.
        model: The id of the model.
        characters: The length of the answer and the reasoning.
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
    def begun(self) -> bool:
        """Whether text or reasoning arrived."""
        return bool(self.text or self.thought)

    @property
    def wordless(self) -> bool:
        """Whether the answer so far holds no visible text."""
        return not any(piece.strip() for piece in self.text)

    def note(self, event: Event) -> bool:
        """Update the state with an event, and return whether the page shows it."""
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
        """Check an answer that the server ended.

        Raises:
            BackendError: It holds no text, or the server withheld or aborted it.
        """
        reason = self.finish or "stop"
        if kind := ENDED_BADLY.get(reason):
            nothing_to_go_on_with = kind is Kind.ABORTED and self.wordless
            raise BackendError(Kind.FAILED if nothing_to_go_on_with else kind, f"the server ended the answer: {reason}")
        if self.wordless:
            thought_out = reason == "length" and bool(self.thought)
            raise BackendError(Kind.THOUGHT_OUT if thought_out else Kind.EMPTY, f"the answer is empty: {reason}")


def joined(events: Iterable[Event]) -> list[Piece]:
    """Return the events that the page shows, with neighbours of one type joined."""
    pieces: list[Piece] = []
    for kind, group in groupby(events, type):
        if kind is Text:
            pieces.append(Text("".join(event.text for event in group if isinstance(event, Text))))
        elif kind is Reasoning:
            pieces.append(Reasoning("".join(event.text for event in group if isinstance(event, Reasoning))))
        else:
            pieces += [event for event in group if isinstance(event, Reclassify)]
    return pieces
