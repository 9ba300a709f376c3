"""Reasoning is split from the answer, in each format, wherever the stream is cut."""

from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaito_chat.backends import Message, Reasoning, Reclassify, Text
from kaito_chat.backends.thinking import Thinking, without_thinking
from kaito_chat.chat.transcript import mark, messages_for_model
from support.chat.backends import QUESTION, SAMPLING, ask, backend_of, events_of
from support.chat.fakes.kaito import VLLM, Answer, delta, finish, sse


def sorted_out(pieces: list[Text | Reasoning | Reclassify]) -> tuple[str, str]:
    """Return the reasoning and the answer that a page shows after all pieces."""
    thought, text = "", ""
    for piece in pieces:
        match piece:
            case Reclassify(True):
                thought, text = thought + text, ""
            case Reclassify(False):
                thought, text = "", thought + text
            case Text(more):
                text += more
            case Reasoning(more):
                thought += more
    return thought, text


def cut(content: str, cuts: list[int]) -> list[str]:
    edges = sorted({0, len(content), *(each % (len(content) + 1) for each in cuts)})
    return [content[start:end] for start, end in pairwise(edges)]


def fed(chunks: list[str], *, known: bool = False, stopped: bool = True) -> tuple[str, str]:
    thinking = Thinking(known=known)
    pieces = [piece for chunk in chunks for piece in thinking.feed(chunk)]
    return sorted_out([*pieces, *thinking.end(stopped=stopped)])


CASES = [
    ("<think>Hm.</think>Hi", "Hm.", "Hi"),
    ("\n<think>\nHm.\n</think>\n\nHi <b>", "Hm.\n", "Hi <b>"),
    ("Hm.\n</think>\n\nHi", "Hm.\n", "Hi"),  # the template wrote the opening tag
    ("Hm.</think>\nHi", "Hm.", "Hi"),
    ("Hm.\n</think>", "Hm.\n", ""),
    ("</think>\n\nHi", "", "Hi"),
    ("<think>\n\n</think>\n\nHi", "", "Hi"),  # reasoning disabled
    ("<think>Hm", "Hm", ""),  # cut off
    ("<think>Hm.</thi", "Hm.</thi", ""),
    ("<think>a<think>b</think>c</think>d", "abc", "d"),
    ("<think>a</think><think>b</think>c", "ab", "c"),
    ("<think>a < b <i></think>x < y", "a < b <i>", "x < y"),
    ("Hi", "", "Hi"),
    ("  indented", "", "  indented"),
    ("a <thin line", "", "a <thin line"),
    ("The `<think>` and `</think>` tags", "", "The `<think>` and `</think>` tags"),
    ("Use this:\n```\nHm\n</think>\n```\n", "", "Use this:\n```\nHm\n</think>\n```\n"),
    ("<think>Hm.</think>It ends with\n</think>\n", "Hm.", "It ends with\n</think>\n"),
    ("", "", ""),
]

ANALYSIS, FINAL = "<|channel|>analysis<|message|>", "<|channel|>final<|message|>"
NEXT = "<|end|><|start|>assistant"
OTHERS = [  # opening and closing tag of other models
    ("<thinking>", "</thinking>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|channel>thought\n", "<channel|>"),
    (ANALYSIS, NEXT + FINAL),
    ("<|start|>assistant" + ANALYSIS, NEXT + FINAL),
]
OTHER_CASES = [
    ("{0}Hm.{1}Hi", "Hm.", "Hi"),
    ("\n{0}\nHm.\n{1}\n\nHi [1]: <b> ◁", "Hm.\n", "Hi [1]: <b> ◁"),
    ("{0}{1}\n\nHi", "", "Hi"),
    ("{0}Hm", "Hm", ""),
    ("{0}`<think>` or </think>?{1}`[THINK]`", "`<think>` or </think>?", "`[THINK]`"),
    ("The `{0}` and `{1}` tags", "", "The `{0}` and `{1}` tags"),
]


@pytest.mark.parametrize(("content", "thought", "text"), CASES)
@settings(max_examples=50)
@given(cuts=st.lists(st.integers(0, 500)))
def test_thinking_is_the_same_however_it_is_cut(content: str, thought: str, text: str, cuts: list[int]) -> None:
    assert fed(cut(content, cuts)) == (thought, text)
    assert fed(list(content)) == (thought, text)


@pytest.mark.parametrize(("content", "thought", "text"), OTHER_CASES)
@pytest.mark.parametrize(("opening", "closing"), OTHERS)
def test_the_tags_of_other_models_are_known(opening: str, closing: str, content: str, thought: str, text: str) -> None:
    content, text = content.format(opening, closing), text.format(opening, closing)
    assert fed([content]) == (thought, text)
    assert fed(list(content)) == (thought, text)


@pytest.mark.parametrize("closing", [closing for _, closing in OTHERS if not closing.endswith(FINAL)])
def test_the_opening_tags_of_other_models_may_be_missing(closing: str) -> None:
    content = f"Hm.\n{closing}\n\nHi"
    assert fed([content]) == ("Hm.\n", "Hi")
    assert fed(list(content)) == ("Hm.\n", "Hi")
    assert fed(list(content), known=True) == ("Hm.\n", "Hi")
    assert without_thinking(content) == "Hi"


@pytest.mark.parametrize(
    ("content", "thought", "text"),
    [
        (f"{ANALYSIS}Hm. {NEXT}{ANALYSIS}So.{NEXT}{FINAL}Hi<|return|>", "Hm. So.", "Hi"),
        (f"{FINAL}Hi<|return|>", "", "Hi"),
        (f"Hm.\n{FINAL}Hi", "Hm.\n", "Hi"),
        (f"{ANALYSIS}Hm.{NEXT}", "Hm.", ""),
    ],
)
def test_the_channels_of_gpt_oss_are_told_apart(content: str, thought: str, text: str) -> None:
    assert fed([content]) == (thought, text)
    assert fed(list(content)) == (thought, text)


@settings(max_examples=100)
@given(st.text("ab<>/think \n`", max_size=60), st.lists(st.integers(0, 500)))
def test_no_word_is_lost(content: str, cuts: list[int]) -> None:
    thought, text = fed(cut(content, cuts))
    kept = "".join((thought + text).split())
    assert set(kept) <= set(content)
    if "<think>" not in content and "</think>" not in content and content.strip():
        assert (thought, text) == ("", content)


def test_ordinary_text_passes_at_once_and_a_tag_is_waited_for_no_longer_than_it_may_be_one() -> None:
    thinking = Thinking()
    assert thinking.feed("Hi") == [Text("Hi")]
    assert thinking.plain
    assert thinking.feed(" there <") == [Text(" there ")]
    assert thinking.feed("th") == []
    assert thinking.feed("ere>") == [Text("<there>")]


def test_a_model_that_is_known_to_leave_the_tag_out_thinks_from_the_start() -> None:
    thinking = Thinking(known=True)
    assert thinking.feed("Hm. ") == [Reasoning("Hm. ")]
    assert thinking.feed("</think>\n\nHi") == [Text("Hi")]
    assert fed(["<think>Hm.</think>", "Hi"], known=True) == ("Hm.", "Hi")
    assert fed(["Just an answer."], known=True) == ("", "Just an answer.")
    assert fed(["Hm"], known=True, stopped=False) == ("Hm", "")


async def test_a_model_that_leaves_the_tag_out_is_remembered() -> None:
    server = VLLM()
    server.pieces = [delta(content=piece) for piece in ("Hm", ".\n", "</think>", "\n\n", "42")]
    backend = await backend_of(server)
    served = await backend.describe()
    asked = [await events_of(backend, served, QUESTION, SAMPLING) for _ in range(2)]
    first, second = ([each for each in events if isinstance(each, Text | Reasoning | Reclassify)] for events in asked)
    assert first == [Text("Hm"), Text(".\n"), Reclassify(thinking=True), Text("42")]
    assert second == [Reasoning("Hm"), Reasoning(".\n"), Text("42")]


async def test_thinking_that_the_server_tells_apart_needs_no_tags() -> None:
    server = VLLM()
    server.refusals = [sse(delta(content="Hm.\n</think>\n\n4"), finish())]
    backend = await backend_of(server)
    served = await backend.describe()
    assert await events_of(backend, served, QUESTION, SAMPLING)
    server.pieces = [delta(reasoning="Hm."), delta(content="42")]
    events = await events_of(backend, served, QUESTION, SAMPLING)
    assert [event for event in events if isinstance(event, Text | Reasoning)] == [Reasoning("Hm."), Text("42")]


async def test_thinking_in_the_text_is_told_from_the_answer() -> None:
    server = VLLM()
    server.refusals = [
        Answer(200, text=sse(*(delta(content=each) for each in "<think>Hm.</think>\n\n42"), finish()).text)
    ]
    events = await ask(server)
    assert sorted_out([each for each in events if isinstance(each, Text | Reasoning | Reclassify)]) == ("Hm.", "42")


@pytest.mark.parametrize(
    ("stored", "sent"), [("<think>Hm.</think>\n\n42", "42"), ("Hm.\n</think>\n42", "42"), ("42", "42")]
)
def test_thinking_is_not_sent_back_also_where_it_was_stored(stored: str, sent: str) -> None:
    def said(kind: str, content: str, metadata: object = None) -> SimpleNamespace:
        return SimpleNamespace(type=kind, content=content, metadata=metadata, created_at=None)

    messages = [
        said("user_message", "6 x 7?"),
        said("assistant_message", stored, mark(stored)),
        said("user_message", "Why?"),
    ]
    assert messages_for_model(messages, "") == [
        Message("user", "6 x 7?"),
        Message("assistant", sent),
        Message("user", "Why?"),
    ]


def test_an_answer_that_is_only_thinking_is_none() -> None:
    assert without_thinking("<think>Hm, and then") == ""
