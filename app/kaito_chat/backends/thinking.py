"""Splits reasoning from the answer where a model writes both into one text, as in `<think>…</think>`.

Servers split the text anywhere, also inside a tag. The opening tag may be missing, because the chat template wrote it;
then the closing tag shows late that everything so far was reasoning. Tags in the middle of an answer are text: users
ask models about them.
"""

import re

from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.backends.interface import Event, Finish, Piece, Quirks, Reasoning, Reclassify, Text

ANALYSIS, FINAL = "<|channel|>analysis<|message|>", "<|channel|>final<|message|>"
# The closing tag of each opening one; docs/reference/model-servers.md names the models.
CLOSING = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<seed:think>": "</seed:think>",
    "[THINK]": "[/THINK]",
    "\u25c1think\u25b7": "\u25c1/think\u25b7",
    "<|channel>thought\n": "<channel|>",
    ANALYSIS: FINAL,
}
TAGS = (*CLOSING, *CLOSING.values())
# Around the channels of gpt-oss.
ENVELOPE = ("<|start|>assistant", "<|end|>", "<|return|>")
FIRST = re.compile("[<[\u25c1]")  # the first character of a tag


class Thinking:
    """A parser of one answer's text.

    Args:
        known: The model is known to omit the opening tag: it begins with reasoning.
        strip: White space before the answer is dropped.

    Attributes:
        plain: Whether text without a tag's first character needs no parsing: the usual case, and the fast one.
        unopened: Whether the first closing tag came without an opening one.
        closed: Whether a closing tag came.
        said: The text of the current part.
    """

    def __init__(self, *, known: bool = False, strip: bool = False) -> None:
        self.plain = False
        self.unopened = False
        self.closed = False
        self._known = known
        self._strip = strip
        self._inside = known
        self._opening = ""  # the last opening tag
        self._begun = False  # text of the current part has been returned
        self._nested = 0
        self._held = ""  # perhaps the beginning of a tag
        self._space = ""  # before the first word
        self.said: list[str] = []

    def feed(self, text: str) -> list[Piece]:
        """Parse more text, and return the pieces that are certain now."""
        if self.plain and not FIRST.search(text):
            self.said.append(text)
            return [Text(text)]
        rest, self._held = self._held + text, ""
        pieces: list[Piece] = []
        while rest:
            found = FIRST.search(rest)
            self._say(rest[: found.start()] if found else rest, pieces)
            if not found:
                break
            rest = rest[found.start() :]
            tag = next((tag for tag in self._tags() if rest.startswith(tag)), "")
            if self._uncertain(tag, rest):
                self._held = rest
                break
            if tag:
                rest = rest[len(tag) :]
                self._take(tag, rest, pieces)
            else:
                self._say(rest[0], pieces)
                rest = rest[1:]
        self.plain = self._begun and not self._inside and not self._held
        return pieces

    def end(self, *, stopped: bool) -> list[Piece]:
        """Return the rest at the end of the answer.

        Args:
            stopped: The model ended the answer: without a closing tag, the text was no reasoning.
        """
        pieces: list[Piece] = []
        held, self._held = self._held, ""
        if held in TAGS:
            self._take(held, "\n", pieces)
        else:
            self._say(held, pieces)
        if self._known and self._inside and self._begun and stopped:
            pieces.append(Reclassify(thinking=False))
        return pieces

    def apart(self) -> None:
        """Note that the server splits reasoning itself."""
        self._inside = self._inside and self._begun

    def _tags(self) -> tuple[str, ...]:
        """Return the tags that count now: inside reasoning its own, and the envelope of gpt-oss around its channels."""
        own = (self._opening, CLOSING[self._opening]) if self._inside and self._opening else TAGS
        enveloped = CLOSING.get(self._opening) == FINAL or not (self._begun or self.closed)
        return (*own, *ENVELOPE) if enveloped else own

    def _uncertain(self, tag: str, rest: str) -> bool:
        """Return whether the next text decides: after part of a tag, and after a closing tag without an opening one."""
        if tag:
            return rest in CLOSING.values() and self._begun and not self._inside and not self._nested
        return any(each.startswith(rest) for each in self._tags())

    def _take(self, tag: str, rest: str, pieces: list[Piece]) -> None:
        if tag in ENVELOPE:
            return
        if tag in CLOSING:
            if self._inside:
                self._nested += self._begun and CLOSING[tag] != FINAL
            elif self._begun:
                self._say(tag, pieces)
            else:
                self._inside, self._space, self._opening = True, "", tag
        elif self._inside or not self._begun:
            self._opening = ANALYSIS if tag == FINAL else self._opening
            self._leave()
        elif self._nested or (not self.closed and self._alone(rest)):
            self.unopened = self.unopened or not self.closed
            self._nested = max(0, self._nested - 1)
            pieces.append(Reclassify(thinking=True))
            self._leave()
        else:
            self._say(tag, pieces)

    def _alone(self, rest: str) -> bool:
        """Return whether a closing tag without an opening one is at the edge of a line, outside of a code block."""
        before = "".join(self.said)
        return (before.endswith("\n") or rest.startswith("\n")) and before.count("```") % 2 == 0

    def _leave(self) -> None:
        """Start the answer; any text before it is reasoning."""
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


class ThinkingSplitter:
    """Events of one answer, with reasoning split from the answer.

    Args:
        quirks: The model's; updated from the answer.
        strip: White space before the answer is dropped.

    Attributes:
        reason: The finish reason, once it came.
    """

    def __init__(self, quirks: Quirks, *, strip: bool = False) -> None:
        self.reason: str | None = None
        self._thinking = Thinking(known=quirks.thinks_unopened, strip=strip)
        self._quirks = quirks
        self._ended = False

    def split(self, events: list[Event]) -> list[Event]:
        """Return the server's events with their text split."""
        thinking = self._thinking
        if thinking.plain and len(events) == 1:  # the usual case, a thousand times per answer
            event = events[0]
            if isinstance(event, Text) and not FIRST.search(event.text):
                thinking.said.append(event.text)
                return events
        found: list[Event] = []
        for event in events:
            if isinstance(event, Text):
                found += thinking.feed(event.text)
                continue
            if isinstance(event, Reasoning):
                thinking.apart()
            elif isinstance(event, Finish):
                self.reason = event.reason
                found += self.end()
            found.append(event)
        return found

    def must_be_finished(self) -> None:
        """Check that the server sent a finish reason.

        Raises:
            BackendError: It did not: the stream was cut.
        """
        if self.reason is None:
            raise BackendError(Kind.CUT_OFF, "the stream ended without a reason to finish")

    def end(self) -> list[Event]:
        """Return the rest at the end of the answer."""
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
    """Return an answer without its reasoning, as the model may see it again."""
    if not any(tag in answer for tag in TAGS):
        return answer
    thinking = Thinking()
    text = ""
    for piece in [*thinking.feed(answer), *thinking.end(stopped=True)]:
        text = "" if isinstance(piece, Reclassify) else text + (piece.text if isinstance(piece, Text) else "")
    return text
