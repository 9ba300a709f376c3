"""Search for the end of a formula in text that is still streaming."""

import re
from typing import NamedTuple

LONGEST_INLINE = 400
LONGEST_BLOCK = 4000

# The list and block quote markers at the start of a line.
PREFIX = re.compile(r"(?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t])))*[ \t]*")
# A sum of money followed by a word: no formula, even if another dollar follows.
_MONEY = re.compile(r"\d[\d.,]*[ \t]+[A-Za-z]{2,}")
# The content of escaped brackets that is a number or words, such as a footnote.
_BRACKETED = re.compile(r"\s*(?:\d[\d ,.;-]*|[^\W\d_]{3,}(?:[ ,.;:'-]+\w+)*)\s*")


class Delimiter(NamedTuple):
    """The end of a formula, given its opening delimiter.

    Attributes:
        closing: The closing delimiter.
        block: Whether the formula may be a block on lines of its own.
    """

    closing: str
    block: bool


DELIMITERS = {
    r"\(": Delimiter(r"\)", block=False),
    r"\[": Delimiter(r"\]", block=True),
    "$": Delimiter("$", block=False),
    "$$": Delimiter("$$", block=True),
}


# Positions by opening delimiter and whether the formula may be a block.
Reached = dict[tuple[str, bool], int]


class Search:
    """Searches for the end of one formula.

    Args:
        opening: The opening delimiter.
        text: The text that starts with it.
        line: The part of its line before it.
        final: Whether the text is complete.
        reached: The positions up to which earlier searches of the same kind found no decisive character. It keeps the
            time linear: without it, each of many openings in a row would scan all of the following text.
    """

    def __init__(self, opening: str, text: str, line: str, *, final: bool, reached: Reached | None = None) -> None:
        self._opening = opening
        self._closing, block = DELIMITERS[opening]
        self._text = text
        self._final = final
        self._is_block = block and PREFIX.fullmatch(line) is not None
        self._begin = len(opening)
        self._limit = self._begin + (LONGEST_BLOCK if self._is_block else LONGEST_INLINE)
        self._reached = {} if reached is None else reached

    def run(self) -> int | None:
        """Return the index after the formula; 0 if it is none, `None` if that depends on the text that follows."""
        text, begin = self._text, self._begin
        if self._opening == "$" and (len(text) == begin or text[begin].isspace()):
            return 0
        found = self._walk()
        if found is None or found >= 0:
            return found
        is_money = self._opening == "$" and _MONEY.match(text, begin) is not None
        return 0 if is_money or self._final or len(text) >= self._limit else None

    def _walk(self) -> int | None:
        """Return the same by scanning special characters; -1 if none of them is decisive."""
        kind = self._opening, self._is_block
        at = max(self._begin, self._reached.get(kind, 0))
        while 0 <= (found := self._next_mark(at)) < self._limit:
            at = self._reached[kind] = found
            mark = self._text[at]
            if self._text.startswith(self._closing, at):
                return self._closed(at)
            if at + 1 == len(self._text) and mark == self._closing[0] and not self._final:
                return None  # half of the closing delimiter
            if mark in "`$":
                return 0  # code, or another formula
            if mark == "\n" and (blank := self._is_blank_line(at + 1)) is not False:
                return 0 if blank else None
            at += 2 if mark == "\\" else 1
        return -1

    def _next_mark(self, at: int) -> int:
        marks = (self._text.find(mark, at, self._limit) for mark in "\n`\\$")
        return min((found for found in marks if found >= 0), default=-1)

    def _is_blank_line(self, at: int) -> bool | None:
        """Return whether a blank line ends the formula; `None` if that depends on the text that follows."""
        if self._is_block:
            return False
        rest = self._text[at:].lstrip(" \t")
        return rest[0] == "\n" if rest else (self._final or None)

    def _closed(self, at: int) -> int | None:
        end = at + len(self._closing)
        content = self._text[self._begin : at]
        if not content.strip() or (self._opening == r"\[" and _BRACKETED.fullmatch(content)):
            return 0
        rest = self._text[end:].lstrip(" \t") if self._closing != "$" else self._text[end:]
        if not rest and not self._final:
            return None
        if self._opening == "$" and (content[-1].isspace() or rest[:1] == "$" or _MONEY.match(content)):
            return 0
        return 0 if self._opening == "$" and rest[:1].isalnum() else end
