r"""Conversion of formulas in a streaming answer to the delimiters that the page's Markdown supports.

Models write `\(x\)`, `\[x\]`, `$x$` and `$$x$$`, on one line or several. The page renders `$$x$$` within a line, and
a block between two lines `$$`; a single dollar is plain text, so that prices are not mistaken for formulas. The server
does the conversion because the page's Markdown parser drops the backslashes before a script could see them; this way
the copied and the stored text use delimiters that other Markdown editors support too.

A formula is held back until it is complete; other text is passed on at once. The result does not depend on how the
stream is split into pieces.
"""

import re

from kaito_chat.page.delimiters import DELIMITERS, PREFIX, Reached, Search
from kaito_chat.page.nesting import Nesting

# The longest info string after a code fence, such as the name of a language.
LONGEST_INFO = 64
PIECE = 1000
# The part of a line that is inspected; bounds the time for very long lines, which are inspected at each delimiter.
LONGEST_PREFIX = 1000

_SPECIAL = re.compile(r"[\n`~\\$]")
_IN_FENCE = {"`": re.compile(r"[\n`]"), "~": re.compile(r"[\n~]")}
_LIST = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]")
_REST_OF_LINE = re.compile(r"[ \t]*(?:\n|\Z)")


def written(answer: str, *, rewritten: bool = True) -> str:
    """Convert a complete text; questions and reasoning are not `rewritten`, only bounded in their nesting."""
    formulas = Formulas(rewritten=rewritten)
    # In pieces, because the held text is copied whenever a part of it is passed on.
    pieces = [formulas.feed(answer[at : at + PIECE]) for at in range(0, len(answer), PIECE)]
    return "".join(pieces) + formulas.end()


class Formulas:
    """Converts one answer: pass its pieces to `feed`, then call `end` for the text still held back.

    Args:
        rewritten: Whether to convert formulas; otherwise only the nesting is bounded.
    """

    def __init__(self, *, rewritten: bool = True) -> None:
        self._rewritten = rewritten
        self._nesting = Nesting()
        self._held = ""
        self._line = ""
        self._fence = ""
        self._ticks = 0
        self._after_blank = True
        self._after_code = False
        self._in_list = False
        self._final = False
        self._reached: Reached = {}

    def feed(self, text: str) -> str:
        """Add a piece and return the text that can be shown now."""
        self._held += text
        passed = []
        while self._held and (piece := self._next()) is not None:
            passed.append(piece)
        return "".join(passed)

    def end(self) -> str:
        """Return the remaining text at the end of the answer."""
        self._final = True
        return self.feed("")

    def _next(self) -> str | None:
        """Take the next piece off the held text; return `None` if it depends on the text that follows."""
        special = (_IN_FENCE[self._fence[0]] if self._fence else _SPECIAL).search(self._held)
        if special is None or special.start():
            return self._pass(special.start() if special else len(self._held))
        mark = special[0]
        if mark == "\n":
            return self._pass(1)
        if mark in "`~":
            run = len(self._held) - len(self._held.lstrip(mark))
            return None if run == len(self._held) and not self._final else self._ticks_or_fence(run)
        if self._ticks or self._is_code():
            return self._pass(1)
        return self._maybe_formula() if self._rewritten else self._escape()

    def _ticks_or_fence(self, run: int) -> str | None:
        """Take a run of backticks or tildes, which opens or closes code."""
        if self._fence:
            return self._maybe_close_fence(run)
        if run >= len("```") and PREFIX.fullmatch(self._line) and not self._is_code():
            opened = self._maybe_open_fence(run)
            if opened != "":
                return opened
        if self._held[0] == "`" and not self._is_code() and self._ticks in (0, run):
            self._ticks = run - self._ticks
        return self._pass(run)

    def _maybe_open_fence(self, run: int) -> str | None:
        """Take an opening code fence; return an empty string if it is none."""
        info, newline, _ = self._held[run:].partition("\n")
        if self._held[0] == "`":
            if "`" in info[:LONGEST_INFO]:
                return ""  # inline code
            if not newline and not self._final and len(info) < LONGEST_INFO:
                return None
        self._fence, self._ticks = self._held[:run], 0
        return self._pass(run)

    def _maybe_close_fence(self, run: int) -> str | None:
        if run < len(self._fence) or self._line.strip(" \t>"):
            return self._pass(run)
        rest = self._held[run:].lstrip(" \t")
        if not rest and not self._final:
            return None
        if not rest or rest[0] == "\n":
            self._fence = ""
        return self._pass(run)

    def _is_code(self, more: str = "") -> bool:
        """Return whether the line, continued by `more`, is an indented code block."""
        line = self._line + more[: len("    ")]
        indented = line.startswith(("    ", "\t")) and (self._after_blank or self._after_code)
        return indented and not self._is_in_list(line)

    def _is_in_list(self, line: str) -> bool:
        if _LIST.match(line):
            return True
        return self._in_list and not (self._after_blank and line.strip() and line[0] not in " \t")

    def _escape(self) -> str | None:
        """Take a dollar, or a backslash with the character that it escapes."""
        if self._held == "\\" and not self._final:
            return None
        return self._pass(2 if self._held[0] == "\\" and self._held[1:2] not in ("", "\n") else 1)

    def _maybe_formula(self) -> str | None:
        """Take a formula, an escaped character, or dollars that mean money."""
        dollars = len(self._held) - len(self._held.lstrip("$"))
        length = dollars or 2
        if len(self._held) < length + bool(dollars) and not self._final:
            return None
        opening = self._held[:length]
        if opening not in DELIMITERS:
            return self._pass(1 if opening[-1] == "\n" else length)
        end = Search(opening, self._held, self._line, final=self._final, reached=self._reached).run()
        if end is None:
            return None
        if not end:
            # Escaped: the page would render everything after two unclosed dollars as a formula.
            return self._pass(length, r"\$\$" if opening == "$$" else None)
        content = self._held[length : end - len(DELIMITERS[opening].closing)]
        return self._formula(opening, content, end)

    def _formula(self, opening: str, content: str, end: int) -> str:
        starts = PREFIX.fullmatch(self._line) is not None
        ends = _REST_OF_LINE.match(self._held, end) is not None
        in_table = self._line.lstrip().startswith("|")
        if not in_table and (opening == r"\[" or (opening == "$$" and starts and ends)):
            return self._pass(end, self._block(content, starts=starts, ends=ends))
        return self._pass(end, f"$${' '.join(content.split())}$$")

    def _block(self, content: str, *, starts: bool, ends: bool) -> str:
        """Return a formula on lines of its own, with the prefix of the list or block quote around it."""
        prefix = PREFIX.match(self._line)
        inside = re.sub(r"[^ \t>]", " ", prefix[0] if prefix else "")
        unwanted = " \t>" if ">" in inside else " \t"
        lines = [line.strip().lstrip(unwanted) for line in content.splitlines()]
        text = f"\n{inside}".join(("$$", *(line for line in lines if line), "$$"))
        return ("" if starts else f"\n{inside}") + text + ("" if ends else f"\n{inside}")

    def _pass(self, length: int, written: str | None = None) -> str:
        """Take some of the held text off and return it, or its replacement."""
        taken, self._held = self._held[:length], self._held[length:]
        if written is None and taken[0] not in "\n`" and not (self._fence or self._ticks or self._is_code(taken)):
            written = self._nesting.bounded(taken, self._line)
        self._reached = {kind: at - length for kind, at in self._reached.items() if at > length}
        *lines, rest = taken.split("\n")
        for line in lines:
            self._line += line
            self._end_line()
        self._line = (self._line + rest)[:LONGEST_PREFIX]
        return taken if written is None else written

    def _end_line(self) -> None:
        blank = not self._line.strip()
        self._nesting.end_line(self._line)
        self._in_list, self._after_code = self._is_in_list(self._line), self._is_code() or (blank and self._after_code)
        if blank:
            self._ticks = 0
        self._after_blank, self._line = blank, ""
