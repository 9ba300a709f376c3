from types import SimpleNamespace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaito_chat.backends import Message
from kaito_chat.backends.interface import Role
from kaito_chat.chat.transcript import mark, messages_for_model, notice
from kaito_chat.models.context_window import estimate, fit, shorten

SYSTEM = Message("system", "Be brief.")
messages = st.lists(
    st.builds(Message, st.sampled_from(get_args(Role)[1:]), st.text(max_size=400)), min_size=1, max_size=12
)


@given(messages, st.integers(64, 4096), st.integers(1, 8192), st.floats(0.3, 3))
def test_system_prompt_and_question_always_stay(
    rest: list[Message], window: int, max_tokens: int, scale: float
) -> None:
    fitted = fit([SYSTEM, *rest], window, max_tokens, scale=scale)
    assert fitted.messages[0] == SYSTEM
    assert fitted.messages[-1] == rest[-1]
    assert fitted.messages[1:] == rest[fitted.dropped :]
    assert 1 <= fitted.max_tokens <= max_tokens


@given(messages, st.integers(256, 4096), st.integers(1, 100))
def test_what_is_sent_fits_unless_the_question_alone_does_not(
    rest: list[Message], window: int, max_tokens: int
) -> None:
    fitted = fit([SYSTEM, *rest], window, max_tokens)
    alone = estimate([SYSTEM, rest[-1]]) + max_tokens > window
    assert alone or estimate(fitted.messages) + fitted.max_tokens <= window


def test_a_conversation_that_fits_is_left_alone() -> None:
    rest = [Message("user", "a"), Message("assistant", "b"), Message("user", "c")]
    assert fit([SYSTEM, *rest], 2048, 1024) == ([SYSTEM, *rest], 0, 1024)


def test_whole_exchanges_are_dropped() -> None:
    rest = [Message("user", "x" * 3000), Message("assistant", "y"), Message("user", "c")]
    assert fit([SYSTEM, *rest], 1024, 512).messages == [SYSTEM, rest[-1]]
    assert shorten([SYSTEM, *rest]) == ([SYSTEM, rest[-1]], 2)
    assert shorten([SYSTEM, rest[-1]]) == ([SYSTEM, rest[-1]], 0)


def test_the_servers_count_takes_precedence_over_the_estimate() -> None:
    rest = [Message("user", "x" * 3000), Message("assistant", "y"), Message("user", "c")]
    assert fit(rest, 1024, 512, scale=0.3).dropped == 0


def said(kind: str, content: str, metadata: object = None, created_at: str | None = None) -> SimpleNamespace:
    return SimpleNamespace(type=kind, content=content, metadata=metadata, created_at=created_at)


def test_the_model_sees_questions_and_answers_and_no_notices() -> None:
    messages = [
        said("user_message", "one"),
        said("assistant_message", "warming up", {"kaito_chat": {"notice": "warming_up"}}),
        said("assistant_message", "first\n\n*3 tokens*", mark("first")),
        said("assistant_message", "Task manually stopped."),
        said("user_message", "never answered"),
        said("assistant_message", "busy", '{"kaito_chat": {"notice": "busy"}}'),
        said("user_message", "two"),
        said("assistant_message", "sec", '{"kaito_chat": {"answer": "sec"}}'),
        said("assistant_message", "ond", mark("ond")),
    ]
    assert messages_for_model(messages, "Be brief.") == [
        SYSTEM,
        Message("user", "one"),
        Message("assistant", "first"),
        Message("user", "never answered\n\ntwo"),
        Message("assistant", "second"),
    ]


@pytest.mark.parametrize("kind", ["too_long", "refused"])
def test_a_question_that_cannot_be_answered_is_not_asked_again_with_the_next_one(kind: str) -> None:
    messages = [
        said("user_message", "never answered"),
        said("user_message", "words " * 1000),
        said("assistant_message", "error", notice(kind)),
        said("user_message", "two"),
    ]
    assert messages_for_model(messages, "") == [Message("user", "never answered\n\ntwo")]


def test_what_arrived_for_a_question_stands_before_the_next_one() -> None:
    messages = [
        said("user_message", "one", None, "2026-11-24T10:00:00.000001Z"),
        said("user_message", "two", None, "2026-11-24T10:00:02.000001Z"),
        said("assistant_message", "half", mark("half"), "2026-11-24T10:00:01.000001Z"),
    ]
    assert messages_for_model(messages, "") == [
        Message("user", "one"),
        Message("assistant", "half"),
        Message("user", "two"),
    ]
