"""Markdown that nests too deeply for the page's renderer is escaped; other text is unchanged."""

import re
import time

import pytest

from kaito_chat.page.formulas import Formulas, written
from kaito_chat.page.nesting import MOST_LEADING, MOST_OPENINGS

DEEP = {
    "quotations": "> " * 2500 + "x",
    "quotations without blanks": ">" * 5000 + "x",
    "lists": "- " * 1500 + "x",
    "numbers": "1. " * 1500 + "x",
    "tasks in quotations": "> - " * 900 + "x",
    "after a line": "hello\n\n" + "> " * 2500 + "x",
    "wide": "> " + " " * 90 + "> " * 2000 + "x",
    "emphasis": "*" * 5000 + "x" + "*" * 5000,
    "emphasis with words": "*a **b " * 3000,
    "underlined": "_a " * 3000,
    "over lines": "*a\n" * 3000,
    "struck": "~~a ~b " * 2000,
    "images": "![" * 3000 + "x" + "](u)" * 3000,
}


def unescaped_leading(line: str) -> int:
    return len(line) - len(line.lstrip(" \t>*+-.)0123456789"))


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
@pytest.mark.parametrize("rewritten", [True, False])
def test_the_number_of_nesting_markers_is_bounded(text: str, *, rewritten: bool) -> None:
    began = time.monotonic()
    shown = written(text, rewritten=rewritten)
    assert time.monotonic() - began < 2
    if re.search(r"[>\d-]", text):
        assert max(unescaped_leading(line) for line in shown.splitlines()) <= MOST_LEADING + 3
    bare = re.sub(r"\\.", "", shown)
    if len(re.findall(r"!\[|[*_~]", text)) > MOST_OPENINGS:
        assert len(re.findall(r"!\[|[*_~]", bare)) <= MOST_OPENINGS
    assert re.sub(r"\\([>*+\-.)_~\[])", r"\1", shown) == text, "only backslashes were added"


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_the_result_is_independent_of_the_pieces_and_idempotent(text: str) -> None:
    for size in (1, 7, 64):
        formulas = Formulas(rewritten=False)
        pieces = [formulas.feed(text[at : at + size]) for at in range(0, len(text), size)]
        assert "".join(pieces) + formulas.end() == written(text, rewritten=False)
    assert written(written(text), rewritten=False) == written(text)


@pytest.mark.parametrize(
    "text",
    [
        "> " * 40 + "x",
        "- **a**: b *c*\n" * 2000,
        "| *a* | _b_ |\n" * 2000,
        "para *a* **b**\n\n" * 2000,
        "```python\n" + "a_b_c = x * y ** z\n" * 2000 + "```\n",
        "~~~\n" + "> " * 400 + "\n~~~\n",
        "`" + "*" * 900 + "`",
        "# *a* _b_\n" * 1000,
        "-" * 300,
        " " * 300 + "> " * 2000 + "x",
        "1." * 200,
        "I pay $5 and \\(x\\) and \\* and \\",
    ],
    ids=range(12),
)
def test_other_text_is_unchanged(text: str) -> None:
    assert written(text, rewritten=False) == text
