"""Formulas are converted for the page and other text stays unchanged, however the stream is split."""

import itertools
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kaito_chat.page.formulas import Formulas, written

PIECES = st.lists(
    st.sampled_from(
        [
            "$", "$$", r"\(", r"\)", r"\[", r"\]", "\\", "`", "```", "~~~", "\n", "\n\n", " ", "    ", "- ", "1. ",
            "> ", "|", "x", "5", "^2", "and", "5 per", "**", "python", "a" * 70, "é", "3.50",
        ]
    ),
    max_size=40,
).map("".join)  # fmt: skip


def in_pieces(text: str, cuts: list[int]) -> str:
    formulas = Formulas()
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    shown = "".join(formulas.feed(text[begin:end]) for begin, end in itertools.pairwise(places))
    return shown + formulas.end()


@settings(max_examples=400)
@given(PIECES, st.lists(st.integers(0, 200), max_size=30))
@example("```py\n$x$\n```\n", [1, 2, 3, 4, 5, 6])
def test_the_result_is_independent_of_the_pieces(text: str, cuts: list[int]) -> None:
    assert in_pieces(text, cuts) == written(text)
    assert in_pieces(text, list(range(len(text)))) == written(text)


@given(st.text(alphabet=st.characters(exclude_characters="$\\"), max_size=200))
def test_text_without_formulas_is_unchanged(text: str) -> None:
    assert written(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 today and $3 tomorrow.",
        "$5-$3, $5/$3, US$5 to US$10, $5, $10 or $15",
        "from $100K to $200K",
        "A range of $5 to 10 dollars ($)",
        "$HOME/bin:$PATH and $USER",
        "Use `$x$` and ``\\(a`b\\)`` here",
        "```tex\n\\[x\\] $y$ $$z$$\n```\nafter",
        "~~~\n$x$\n```\n$y$\n~~~",
        "Text:\n\n    $x$ \\(y\\)\n    $z$\n",
        "- item\n\n  ```\n  $x$\n  ```",
        r"\$5 and \$6$",
        r"\\(not a formula\\)",
        r"A footnote \[1\], and \[citation needed\]",
        "a lone \\( and no end",
        "a lone $",
        "between $a\n\nand$ paragraphs",
        "",
    ],
)
def test_text_and_code_are_unchanged(text: str) -> None:
    assert written(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"Euler: \(e^{i\pi}+1=0\).", r"Euler: $$e^{i\pi}+1=0$$."),
        ("Mass $E=mc^2$ and $x$.", "Mass $$E=mc^2$$ and $$x$$."),
        ("Inline $$a+b$$ stays.", "Inline $$a+b$$ stays."),
        ("$5x = 10$ dollars", "$$5x = 10$$ dollars"),
        ("cost $5, so $x = 5$.", "cost $5, so $$x = 5$$."),
        (r"\[x = 1\]", "$$\nx = 1\n$$"),
        ("\\[\nx = 1 \\\\\ny = 2\n\\]\n", "$$\nx = 1 \\\\\ny = 2\n$$\n"),
        (r"So \[x = 1\] holds.", "So \n$$\nx = 1\n$$\n holds."),
        ("$$x = 1$$\n", "$$\nx = 1\n$$\n"),
        ("$$ x = 1\n+ 2 $$\n", "$$\nx = 1\n+ 2\n$$\n"),
        ("$$\n\nx\n\n$$\n", "$$\nx\n$$\n"),
        ("\\(a\n+ b\\)", "$$a + b$$"),
        ("$a\n+ b$", "$$a + b$$"),
        ("- \\[x\\]\n- y", "- $$\n  x\n  $$\n- y"),
        ("1. So \\[x\\]\n2. y", "1. So \n   $$\n   x\n   $$\n2. y"),
        ("> \\[a\n> + b\\]\n", "> $$\n> a\n> + b\n> $$\n"),
        ("| \\[x\\] | $y$ |", "| $$x$$ | $$y$$ |"),
        ("5 $$ and no end", r"5 \$\$ and no end"),
        ("```\n$x$\n```\n$y$", "```\n$x$\n```\n$$y$$"),
        ("`a` $x$ `b`", "`a` $$x$$ `b`"),
    ],
)
def test_formulas_are_converted_for_the_page(text: str, expected: str) -> None:
    assert written(text) == expected


def test_text_is_passed_on_at_once_and_a_formula_when_complete() -> None:
    formulas = Formulas()
    assert formulas.feed("1 2 3") == "1 2 3"
    assert formulas.feed("It costs $5 per ") == "It costs $5 per "
    assert formulas.feed(r"month. \(x") == "month. "
    assert formulas.feed("^2") == ""
    assert formulas.feed(r"\) is") == "$$x^2$$ is"


def test_an_unclosed_formula_is_not_held_back_indefinitely() -> None:
    formulas = Formulas()
    assert len(formulas.feed("\\(x" + "y" * 500)) > 500


@pytest.mark.parametrize("text", ["\\[ \n", "\\[", "\\(", "\\(a ", "$a ", "$$", "> ", "- ", ">", " ", "~~~ x"])
def test_the_time_is_linear_in_the_length(text: str) -> None:
    began = time.process_time()
    written(text * (100_000 // len(text)) + "$$x$$")
    assert time.process_time() - began < 1
