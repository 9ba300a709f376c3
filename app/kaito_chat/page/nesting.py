"""Bounds how deep a text's Markdown nests: the page cannot draw some thousands of quotations within each other.

Such a text would take the place of its whole conversation with an error, each time that it is opened.
"""

import itertools
import re

# Of blanks, quotation marks and list marks at the beginning of a line.
MOST_LEADING = 100
# Marks of emphasis and of images in one paragraph: so many may be open at once.
MOST_OPENINGS = 400

_LEADING = re.compile(r"[ \t>*+\-.)\d]*")
_LEADING_MARK = re.compile(r">|(?<![^ \t>])[*+-]|(?<=[ \t>]\d)[.)]|(?<=\d\d)[.)]")
_OPENING = re.compile(r"(?<=!)\[|[*_~]")
# Emphasis does not go on into such a line.
_BEGINS_ANEW = re.compile(r"[ \t>]*(?:[-*+][ \t]|\d{1,9}[.)][ \t]|\||#)")


class Nesting:
    """Escapes the marks beyond the bounds in one text, which arrives piece by piece."""

    def __init__(self) -> None:
        self._before = 0
        self._in_line = 0
        self._escaped = False
        self._last = ""

    def bounded(self, piece: str, line: str) -> str:
        """A piece that is no code and has no line break, with the marks escaped that nest too deep.

        Args:
            piece: The piece.
            line: The line before it; a long one's beginning is enough.
        """
        last, self._last = self._last, piece[-1:]
        if piece.startswith("\\"):
            return piece
        places = sorted({*self._leading_marks(piece, line), *self._openings(last, piece, line)})
        ends = [0, *places, len(piece)]
        return "\\".join(piece[start:end] for start, end in itertools.pairwise(ends))

    def end_line(self, line: str) -> None:
        """A line is over."""
        if not line.strip(" \t>"):
            self._before = 0
        elif _BEGINS_ANEW.match(line):
            self._before = self._in_line
        else:
            self._before += self._in_line
        self._in_line, self._escaped, self._last = 0, False, ""

    def _leading_marks(self, piece: str, line: str) -> list[int]:
        """The place of the mark that nests too deep, if it is in this piece: those behind it are text then."""
        if self._escaped or len(line) + len(piece) <= MOST_LEADING:
            return []
        whole = line + piece
        leading = _LEADING.match(whole)
        mark = _LEADING_MARK.search(whole, max(MOST_LEADING, len(line)))
        if leading is None or mark is None or mark.start() >= leading.end():
            return []
        self._escaped = True
        return [mark.start() - len(line)]

    def _openings(self, last: str, piece: str, line: str) -> list[int]:
        """The places of the openings that are too many in their paragraph."""
        places = []
        for mark in _OPENING.finditer(last + piece, len(last)):
            at = mark.start() - len(last)
            self._in_line += 1
            if self._before + self._in_line <= MOST_OPENINGS:
                continue
            if self._in_line > MOST_OPENINGS or not _BEGINS_ANEW.match((line + piece[:at])[:MOST_LEADING]):
                places.append(at)
        return places
