"""State of an answer while it arrives."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from kaito_chat.backends import Event, Finish, Reasoning, Reclassify, Text, Usage
from kaito_chat.trouble import BackendError, Kind

# The reasons to finish that are troubles.
ENDED_BADLY = {"content_filter": Kind.FILTERED, "abort": Kind.ABORTED}
Shown = Text | Reasoning | Reclassify


@dataclass
class Progress:
    """State of an answer while it arrives.

    Attributes:
        dropped: How many of the oldest messages the window left out.
        first_token_seconds: From the question to the first token.
        usage: The server's count of tokens, if it says so.
        finish: Why the answer ended, if it did by itself: `stop`, `length`, `content_filter`, `abort`.
        text: What arrived of the answer.
        thought: What arrived of the thinking before it; never sent back to the model.
        model: The id that was asked.
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
        """Whether nothing arrived that a person could read as an answer."""
        return not any(piece.strip() for piece in self.text)

    def note(self, event: Event) -> bool:
        """Remember what an event says; whether the page shows it."""
        match event:
            case Text(text):  # first, because there are thousands
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
        """Say what is wrong with an answer that ended by itself.

        Raises:
            BackendError: It holds no word, or the server withheld or ended it.
        """
        reason = self.finish or "stop"
        if kind := ENDED_BADLY.get(reason):
            nothing_to_go_on_with = kind is Kind.ABORTED and self.wordless
            raise BackendError(Kind.FAILED if nothing_to_go_on_with else kind, f"the server ended the answer: {reason}")
        if self.wordless:
            thought_out = reason == "length" and bool(self.thought)
            raise BackendError(Kind.THOUGHT_OUT if thought_out else Kind.EMPTY, f"the answer is empty: {reason}")


def joined(events: Iterable[Event]) -> list[Shown]:
    """The events that the page shows, with neighbours of one kind in one."""
    shown: list[Shown] = []
    for kind, group in groupby(events, type):
        if kind is Text:
            shown.append(Text("".join(event.text for event in group if isinstance(event, Text))))
        elif kind is Reasoning:
            shown.append(Reasoning("".join(event.text for event in group if isinstance(event, Reasoning))))
        else:
            shown += [event for event in group if isinstance(event, Reclassify)]
    return shown
