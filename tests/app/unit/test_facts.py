"""The line under an answer, also under one from the history."""

import json

import pytest

from kaito_chat.backends import Usage
from kaito_chat.chat.facts import FACTS, facts_of, line, lines
from kaito_chat.models.progress import Progress
from kaito_chat.texts import texts_for

ENGLISH = texts_for("en-US")
FOUND = facts_of(Progress(usage=Usage(12, 4), first_token_seconds=0.31), streamed=True)


def test_a_usage_line_has_tokens_and_time() -> None:
    assert line(FOUND, ENGLISH) == "4 tokens · 12 in the prompt · first token after 0.3 s"
    assert line(facts_of(Progress(), streamed=False), ENGLISH) == "answer after 0.0 s"


@pytest.mark.parametrize("metadata", [{FACTS: FOUND}, json.dumps({FACTS: FOUND})])
def test_a_resumed_conversation_has_its_usage_lines(metadata: object) -> None:
    steps: list[dict[str, object]] = [
        {"id": "1", "metadata": {}},
        {"id": "2", "metadata": metadata},
        {"id": "3", "metadata": "broken"},
    ]
    assert lines(steps, ENGLISH) == {"2": line(FOUND, ENGLISH)}


@pytest.mark.parametrize("facts", [{"prompt": "x"}, {"first_token_seconds": "soon"}, {"completion": True}])
def test_malformed_facts_are_tolerated(facts: dict[str, object]) -> None:
    assert line(facts, ENGLISH) == "answer after 0.0 s"
