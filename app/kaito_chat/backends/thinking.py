"""Tells thinking from the answer where a model writes both into one text: `<think>…</think>`.

Servers cut the text anywhere, also inside a tag. The opening tag may be missing, because the chat template wrote it;
then the closing tag says late that everything so far was thinking. Tags in the middle of an answer are text: people
ask models about them.
"""

from kaito_chat.backends.interface import Event, Finish, Quirks, Reasoning, Reclassify, Text
from kaito_chat.trouble import BackendError, Kind

OPEN, CLOSE = "<think>", "</think>"
Piece = Text | Reasoning | Reclassify


class Thinking:
    """The pieces of one answer.

    Args:
        known: The model is known to leave the opening tag out: what it says first is thinking.
        strip: White space before the answer means nothing.

    Attributes:
        plain: Whether text without a `<` may pass untouched: the usual case, and the fast one.
        unopened: Whether the first closing tag came without an opening one.
        closed: Whether a closing tag came.
        said: The text of the part that runs.
    """

    def __init__(self, *, known: bool = False, strip: bool = False) -> None:
        self.plain = False
        self.unopened = False
        self.closed = False
        self._known = known
        self._strip = strip
        self._inside = known
        self._begun = False  # a word of the part that runs has been handed on
        self._nested = 0
        self._held = ""  # what may be the beginning of a tag
        self._space = ""  # before the first word
        self.said: list[str] = []

    def feed(self, text: str) -> list[Piece]:
        """The pieces that are certain now."""
        if self.plain and "<" not in text:
            self.said.append(text)
            return [Text(text)]
        rest, self._held = self._held + text, ""
        pieces: list[Piece] = []
        while rest:
            before, found, after = rest.partition("<")
            self._say(before, pieces)
            if not found:
                break
            rest = found + after
            tag = next((tag for tag in (OPEN, CLOSE) if rest.startswith(tag)), "")
            if self._uncertain(tag, rest):
                self._held = rest
                break
            if tag:
                rest = rest[len(tag) :]
                self._take(tag, rest, pieces)
            else:
                self._say("<", pieces)
                rest = after
        self.plain = self._begun and not self._inside and not self._held
        return pieces

    def end(self, *, stopped: bool) -> list[Piece]:
        """The rest at the end of the answer.

        Args:
            stopped: The model ended by itself: without a closing tag it did not think this time.
        """
        pieces: list[Piece] = []
        held, self._held = self._held, ""
        if held in (OPEN, CLOSE):
            self._take(held, "\n", pieces)
        else:
            self._say(held, pieces)
        if self._known and self._inside and self._begun and stopped:
            pieces.append(Reclassify(thinking=False))
        return pieces

    def apart(self) -> None:
        """The server tells thinking apart itself."""
        self._inside = self._inside and self._begun

    def _uncertain(self, tag: str, rest: str) -> bool:
        """Whether what follows has to be seen first: of a part of a tag, and of a closing tag that nobody opened."""
        if tag:
            return rest == CLOSE and self._begun and not self._inside and not self._nested
        return any(each.startswith(rest) for each in (OPEN, CLOSE))

    def _take(self, tag: str, rest: str, pieces: list[Piece]) -> None:
        if tag == OPEN:
            if self._inside:
                self._nested += self._begun
            elif self._begun:
                self._say(tag, pieces)
            else:
                self._inside, self._space = True, ""
        elif self._inside or not self._begun:
            self._leave()
        elif self._nested or (not self.closed and self._alone(rest)):
            self.unopened = self.unopened or not self.closed
            self._nested = max(0, self._nested - 1)
            pieces.append(Reclassify(thinking=True))
            self._leave()
        else:
            self._say(tag, pieces)

    def _alone(self, rest: str) -> bool:
        """Whether a closing tag that nobody opened stands at the edge of a line, and in no block of code."""
        before = "".join(self.said)
        return (before.endswith("\n") or rest.startswith("\n")) and before.count("```") % 2 == 0

    def _leave(self) -> None:
        """The answer begins, or begins anew."""
        self.closed = True
        self.said.clear()
        self._inside = self._begun = False
        self._space = ""

    def _say(self, text: str, pieces: list[Piece]) -> None:
        if not self._begun:
            text = self._space + text
            if not text.strip():
                self._space = text
                return
            self._begun, self._space = True, ""
            if self._inside or self.closed or self._strip:
                text = text.lstrip()
        if not text:
            return
        self.said.append(text)
        last = pieces[-1] if pieces else None
        if self._inside:
            pieces.append(Reasoning(pieces.pop().text + text if isinstance(last, Reasoning) else text))  # type: ignore[union-attr]
        else:
            pieces.append(Text(pieces.pop().text + text if isinstance(last, Text) else text))  # type: ignore[union-attr]


class ToldApart:
    """The events of one answer, with thinking told from the answer.

    Args:
        quirks: What is known of the model, and is learned.
        strip: White space before the answer means nothing.

    Attributes:
        reason: Why the answer ended, once it did.
    """

    def __init__(self, quirks: Quirks, *, strip: bool = False) -> None:
        self.reason: str | None = None
        self._thinking = Thinking(known=quirks.thinks_unopened, strip=strip)
        self._quirks = quirks
        self._ended = False

    def tell(self, events: list[Event]) -> list[Event]:
        """The events that some events of the server are."""
        thinking = self._thinking
        if thinking.plain and len(events) == 1:  # the usual case, a thousand times an answer
            event = events[0]
            if isinstance(event, Text) and "<" not in event.text:
                thinking.said.append(event.text)
                return events
        told: list[Event] = []
        for event in events:
            if isinstance(event, Text):
                told += thinking.feed(event.text)
                continue
            if isinstance(event, Reasoning):
                thinking.apart()
            elif isinstance(event, Finish):
                self.reason = event.reason
                told += self.end()
            told.append(event)
        return told

    def must_be_finished(self) -> None:
        """Look whether the server said why the answer ended.

        Raises:
            BackendError: It did not: the stream was cut.
        """
        if self.reason is None:
            raise BackendError(Kind.CUT_OFF, "the stream ended without a reason to finish")

    def end(self) -> list[Event]:
        """The rest at the end of the answer."""
        if self._ended:
            return []
        self._ended = True
        pieces = self._thinking.end(stopped=self.reason in (None, "stop"))
        if self._thinking.unopened:
            self._quirks.thinks_unopened = True
        elif Reclassify(thinking=False) in pieces:
            self._quirks.thinks_unopened = False
        return list(pieces)


def without_thinking(answer: str) -> str:
    """An answer as the model may see it again: without what it thought before it."""
    if OPEN not in answer and CLOSE not in answer:
        return answer
    thinking = Thinking()
    text = ""
    for piece in [*thinking.feed(answer), *thinking.end(stopped=True)]:
        text = "" if isinstance(piece, Reclassify) else text + (piece.text if isinstance(piece, Text) else "")
    return text
