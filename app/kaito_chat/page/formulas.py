r"""Writes an answer's formulas as the page's Markdown reads them, while the answer streams.

Models write `\(x\)`, `\[x\]`, `$x$` and `$$x$$`, in one line and in several. The page reads `$$x$$` within a line, and
a block between two lines `$$`; a single dollar is text there, so that prices stay what they are. The text is rewritten
here and not on the page: Markdown takes the backslashes away before a script could see them, and what is copied and
kept in the history is then a formula that every editor with Markdown understands.

A formula is held back until it is whole, other text is passed on at once. The outcome does not depend on how the
text is cut into pieces.
"""

import re

from kaito_chat.page.delimiters import DELIMITERS, PREFIX, Search

# As much of a line's beginning as is looked at for a list, a quotation or a fence.
LINE_START = 64

_SPECIAL = re.compile(r"[\n`\\$]")
_STARTING = re.compile(r"[ \t>*+\-\d.)`~]*")
_FENCE = re.compile(r"`{3,}|~{3,}")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_LIST = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]")
_REST_OF_LINE = re.compile(r"[ \t]*(?:\n|\Z)")


def written(answer: str) -> str:
    """A whole answer, as the page shows it."""
    formulas = Formulas()
    return formulas.feed(answer) + formulas.end()


class Formulas:
    """Rewrites one answer. Its pieces go through `feed`, and `end` gives what was held back."""

    def __init__(self) -> None:
        self._held = ""
        self._line = ""
        self._fence = ""
        self._ticks = 0
        self._after_blank = True
        self._after_code = False
        self._code = False
        self._in_list = False
        self._final = False

    def feed(self, text: str) -> str:
        """The part of the answer that can be shown now."""
        self._held += text
        passed = []
        while self._held and (piece := self._next()) is not None:
            passed.append(piece)
        return "".join(passed)

    def end(self) -> str:
        """The rest: nothing follows any more."""
        self._final = True
        return self.feed("")

    def _next(self) -> str | None:
        """Take the next piece off the held text; `None` if it depends on what follows."""
        if not self._line and (started := self._begin_line()) != "":
            return started
        if self._fence or self._code:
            newline = self._held.find("\n")
            return self._pass(1 if newline == 0 else len(self._held) if newline < 0 else newline)
        if self._ticks:
            return self._inside_ticks()
        special = _SPECIAL.search(self._held)
        if special is None or special.start():
            return self._pass(special.start() if special else len(self._held))
        if self._held[0] == "\n":
            return self._pass(1)
        return self._open_ticks() if self._held[0] == "`" else self._maybe_formula()

    def _begin_line(self) -> str | None:
        """Notice fences, lists and code; empty if the line is to be passed on like any other text."""
        if self._fence:
            return self._maybe_close_fence()
        start = self._held[:LINE_START]
        if len(start) < LINE_START and not self._final and _STARTING.fullmatch(start):
            return None
        opened = self._maybe_open_fence(start)
        if opened != "":
            return opened
        if _LIST.match(start):
            self._in_list = True
        elif self._after_blank and start[0] not in " \t\n":
            self._in_list = False
        indented = start.startswith(("    ", "\t")) and not self._in_list
        self._code = indented and (self._after_blank or self._after_code)
        return ""

    def _maybe_open_fence(self, start: str) -> str | None:
        prefix = PREFIX.match(start)
        begin = prefix.end() if prefix else 0
        fence = _FENCE.match(start, begin)
        if fence is None:
            return ""
        line, newline, _ = self._held[fence.end() :].partition("\n")
        marked = line[:LINE_START]
        if fence[0][0] == "`" and "`" in marked:
            return ""  # code within a line
        if fence[0][0] == "`" and not newline and not self._final and len(line) < LINE_START:
            return None
        self._fence, self._ticks = fence[0], 0
        return self._pass(fence.end() + (len(line) if newline else len(marked)))

    def _maybe_close_fence(self) -> str | None:
        line, newline, _ = self._held.partition("\n")
        bare = line.strip(" \t>")
        if not newline and not self._final and set(bare) <= {self._fence[0]} and len(line) < LINE_START:
            return None
        if len(bare) >= len(self._fence) and set(bare) == {self._fence[0]} and len(line) < LINE_START:
            self._fence = ""
            return self._pass(len(line))
        return ""

    def _inside_ticks(self) -> str | None:
        """Code within a line, which a blank line ends at the latest."""
        special = re.search(r"`+|\n[ \t]*", self._held)
        if special is None or special.start():
            return self._pass(special.start() if special else len(self._held))
        if special.end() == len(self._held) and not self._final:
            return None
        if special[0][0] == "\n":
            if _BLANK_LINE.match(self._held):
                self._ticks = 0
            return self._pass(1)
        if len(special[0]) == self._ticks:
            self._ticks = 0
        return self._pass(special.end())

    def _open_ticks(self) -> str | None:
        run = len(self._held) - len(self._held.lstrip("`"))
        if run == len(self._held) and not self._final:
            return None
        self._ticks = run
        return self._pass(run)

    def _maybe_formula(self) -> str | None:
        """A formula, an escaped character, or dollars that mean money."""
        run = len(self._held) - len(self._held.lstrip("$"))
        length = run or 2
        if len(self._held) < length + bool(run) and not self._final:
            return None
        opening = self._held[:length]
        if opening not in DELIMITERS:
            return self._pass(1 if opening[-1] == "\n" else length)
        end = Search(opening, self._held, self._line, final=self._final).run()
        if end is None:
            return None
        if not end:
            # Two dollars without an end would make a block of all that follows.
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
        """A formula on lines of its own, within the list or the quotation in which it stands."""
        prefix = PREFIX.match(self._line)
        inside = re.sub(r"[^ \t>]", " ", prefix[0] if prefix else "")
        unwanted = " \t>" if ">" in inside else " \t"
        lines = [line.strip().lstrip(unwanted) for line in content.splitlines()]
        text = f"\n{inside}".join(("$$", *(line for line in lines if line), "$$"))
        return ("" if starts else f"\n{inside}") + text + ("" if ends else f"\n{inside}")

    def _pass(self, length: int, written: str | None = None) -> str:
        """Take some of the held text off, as it is or as it is written instead."""
        taken, self._held = self._held[:length], self._held[length:]
        for line in re.findall(r"[^\n]*\n|[^\n]+", taken):
            if line.endswith("\n"):
                self._after_blank = not (self._line + line).strip()
                self._after_code = self._code
                self._line = ""
            else:
                self._line += line
        return taken if written is None else written
