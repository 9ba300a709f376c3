"""Limit on the nesting of a text's Markdown: thousands of nested block quotes crash the page's renderer.

Without it, such a text would replace its whole conversation by an error each time that it is opened.
"""

import itertools
import re

# Characters of the block quote and list markers at the start of a line.
MOST_LEADING = 100
# Emphasis and image markers in one paragraph, all of which could be open at once.
MOST_OPENINGS = 400

_LEADING = re.compile(r"[ \t>*+\-.)\d]*")
_LEADING_MARK = re.compile(r">|(?<![^ \t>])[*+-]|(?<=[ \t>]\d)[.)]|(?<=\d\d)[.)]")
_OPENING = re.compile(r"(?<=!)\[|[*_~]")
# Emphasis does not continue into such a line.
_BEGINS_ANEW = re.compile(r"[ \t>]*(?:[-*+][ \t]|\d{1,9}[.)][ \t]|\||#)")


class Nesting:
    """Escapes the markers beyond the limits in one streaming text."""

    def __init__(self) -> None:
        self._before = 0
        self._in_line = 0
        self._escaped = False
        self._last = ""

    def bounded(self, piece: str, line: str) -> str:
        """Return a piece with the markers escaped that nest too deeply.

        Args:
            piece: The piece; not code, and without a line break.
            line: The part of its line before it; the start of a long line is enough.
        """
        last, self._last = self._last, piece[-1:]
        if piece.startswith("\\"):
            return piece
        places = sorted({*self._leading_marks(piece, line), *self._openings(last, piece, line)})
        ends = [0, *places, len(piece)]
        return "\\".join(piece[start:end] for start, end in itertools.pairwise(ends))

    def end_line(self, line: str) -> None:
        """Note the end of a line."""
        if not line.strip(" \t>"):
            self._before = 0
        elif _BEGINS_ANEW.match(line):
            self._before = self._in_line
        else:
            self._before += self._in_line
        self._in_line, self._escaped, self._last = 0, False, ""

    def _leading_marks(self, piece: str, line: str) -> list[int]:
        """Return the index of the first marker that nests too deeply, if it is in this piece; the rest is text."""
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
        """Return the indices of the opening markers that exceed the paragraph's limit."""
        places = []
        for mark in _OPENING.finditer(last + piece, len(last)):
            at = mark.start() - len(last)
            self._in_line += 1
            if self._before + self._in_line <= MOST_OPENINGS:
                continue
            if self._in_line > MOST_OPENINGS or not _BEGINS_ANEW.match((line + piece[:at])[:MOST_LEADING]):
                places.append(at)
        return places
