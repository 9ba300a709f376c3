"""The line under an answer, also under one that the history kept."""

import json

import pytest

from kaito_chat.backends import Usage
from kaito_chat.chat.facts import FACTS, facts_of, line, lines
from kaito_chat.models.progress import Progress
from kaito_chat.texts import texts_for

ENGLISH = texts_for("en-US")
FOUND = facts_of(Progress(usage=Usage(12, 4), first_token_seconds=0.31), streamed=True)


def test_a_line_says_tokens_and_time() -> None:
    assert line(FOUND, ENGLISH) == "4 tokens · 12 in the prompt · first token after 0.3 s"
    assert line(facts_of(Progress(), streamed=False), ENGLISH) == "answer after 0.0 s"


@pytest.mark.parametrize("metadata", [{FACTS: FOUND}, json.dumps({FACTS: FOUND})])
def test_a_conversation_that_is_resumed_has_its_lines(metadata: object) -> None:
    steps: list[dict[str, object]] = [
        {"id": "1", "metadata": {}},
        {"id": "2", "metadata": metadata},
        {"id": "3", "metadata": "broken"},
    ]
    assert lines(steps, ENGLISH) == {"2": line(FOUND, ENGLISH)}


@pytest.mark.parametrize("facts", [{"prompt": "x"}, {"first_token_seconds": "soon"}, {"completion": True}])
def test_facts_of_a_strange_form_are_survived(facts: dict[str, object]) -> None:
    assert line(facts, ENGLISH) == "answer after 0.0 s"
