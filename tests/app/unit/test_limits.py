"""Limits of use, with a fake clock."""

import pytest

from kaito_chat.chat.limits import Rate, Refusal, UsageLimits


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def limits(clock: Clock, **given: int) -> UsageLimits:
    usual = {"answers": 9, "user_answers": 9, "questions": 9, "user_questions": 9}
    return UsageLimits(**(usual | given), clock=clock)


def test_a_rate_returns_the_wait_until_the_next_event() -> None:
    clock = Clock()
    rate = Rate(2, 60, clock)
    rate.count("ada")
    clock.now += 10
    rate.count("ada")
    assert rate.wait("ada") == pytest.approx(50)
    assert rate.wait("grace") == 0
    clock.now += 50
    assert rate.wait("ada") == 0


def test_a_rate_forgets_inactive_keys() -> None:
    clock = Clock()
    rate = Rate(2, 60, clock)
    for number in range(5000):
        rate.count(str(number))
        clock.now += 1
    assert len(rate._times) < 1100  # noqa: SLF001 - the size of its memory is under test


@pytest.mark.parametrize(
    ("given", "reason"),
    [({"user_answers": 1}, "user_answers"), ({"answers": 1}, "answers"), ({"user_questions": 1}, "user_rate")],
)
def test_a_limit_is_named(given: dict[str, int], reason: str) -> None:
    counted = limits(Clock(), **given)
    assert counted.refusal("ada", "other page") is None
    with counted.answering("ada", "page"):
        refusal = counted.refusal("ada", "other page")
        assert refusal
        assert refusal.reason == reason
        assert refusal.retry_after_seconds > 0


def test_users_share_the_limit_of_the_process_only() -> None:
    counted = limits(Clock(), user_answers=1, questions=2)
    with counted.answering("ada", "page"):
        assert counted.refusal("grace", "other page") is None
        with counted.answering("grace", "page"):
            assert counted.refusal("linus", "other page") == Refusal("rate", 60)


def test_a_failed_answer_is_no_longer_counted() -> None:
    counted = limits(Clock(), user_answers=1)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"), counted.answering("ada", "page"):
            raise ValueError("broken")
    assert counted.refusal("ada", "other page") is None


def test_a_question_that_replaces_an_answer_needs_no_other_place() -> None:
    counted = limits(Clock(), user_answers=1, answers=1)
    with counted.answering("ada", "page"):
        assert counted.refusal("ada", "page") is None
        assert counted.refusal("ada", "other page") == Refusal("user_answers", 10)
        with counted.answering("ada", "page"):
            pass
        assert counted.refusal("grace", "page") == Refusal("answers", 10)
    assert counted.refusal("ada", "other page") is None
