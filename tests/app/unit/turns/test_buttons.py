"""The buttons under an answer: continue, again and regenerate."""

import asyncio

import pytest

from kaito_chat.texts import CONTINUE
from support.chat.fakes.kaito import VLLM, Answer, broken, delta, finish, sse
from support.chat.in_process import (
    COMPLETIONS,
    ENGLISH,
    HELLO,
    Open,
    asked,
    chainlit,
    half,
)


async def test_thinking_that_uses_up_the_length_can_be_continued_with_more_room(page: Open) -> None:
    server = VLLM(window_tokens=4096)
    server.refusals = [sse(delta(reasoning="Hm, "), delta(reasoning="well."), finish("length"))]
    chat = await page(server, max_tokens=128)
    await chat.ask()
    assert chat.marks() == [{"notice": "thought_out"}]
    assert chat.steps("llm")[0]["output"] == "Hm, well."
    assert chat.buttons() == ["continue"]
    await chat.press("continue")
    assert chat.answers() == [HELLO]
    assert asked(server) == [[("user", "Hello?")]] * 2, "thinking is not sent back, and no order to continue it"
    first, second = (body["max_tokens"] for body in server.bodies(COMPLETIONS))
    assert first == 128
    assert second > 3000


async def test_an_answer_at_its_longest_can_be_continued(page: Open) -> None:
    server = VLLM()
    server.refusals = [sse(delta(content="One, "), finish("length")), sse(delta(content="two."), finish())]
    chat = await page(server)
    await chat.ask("Count.")
    assert [message["output"] for message in chat.steps()][1:] == [ENGLISH.say("notice.length")]
    assert chat.buttons() == ["continue", "regenerate"]
    await chat.press("continue")
    assert chat.answers() == ["One, ", "two."]
    assert chat.buttons() == ["regenerate"]
    assert asked(server)[-1] == [("user", "Count."), ("assistant", "One, "), ("user", CONTINUE)]
    await chat.ask("More.")
    assert asked(server)[-1] == [("user", "Count."), ("assistant", "One, two."), ("user", "More.")]


async def test_a_stopped_answer_is_continued(page: Open) -> None:
    server, _ = half()
    chat = await page(server)
    asking = asyncio.create_task(chat.ask())
    await chat.sees("Half")
    await chat.stop()
    await asking
    assert ENGLISH.say("notice.stopped") in [message["output"] for message in chat.steps()]
    assert {"notice": "stopped"} in chat.marks()
    await chat.press("continue")
    assert chat.answers() == ["Half", HELLO]
    assert asked(server)[-1] == [("user", "Hello?"), ("assistant", "Half"), ("user", CONTINUE)]


async def test_an_answer_is_regenerated_in_its_place(page: Open) -> None:
    server = VLLM()
    server.refusals = [sse(delta(content="One, "), finish("length")), sse(delta(content="two."), finish())]
    chat = await page(server)
    await chat.ask("Count.")
    await chat.press("continue")
    await chat.press("regenerate")
    assert chat.answers() == [HELLO]
    assert [message["output"] for message in chat.steps()] == [HELLO]
    assert asked(server)[-1] == [("user", "Count.")]
    assert chat.buttons() == ["regenerate"]


@pytest.mark.parametrize(
    ("button", "refusals"),
    [("continue", [sse(delta(content="One, "), finish("length")), broken()]), ("again", [broken()])],
)
async def test_an_old_button_asks_no_broken_conversation(page: Open, button: str, refusals: list[Answer]) -> None:
    server = VLLM()
    server.refusals = list(refusals)
    chat = await page(server)
    await chat.ask("One?")
    await chat.ask("Two?")
    await chat.press(button)
    for turns in asked(server):
        assert [role for role, _ in turns] == (["user", "assistant"] * len(turns))[: len(turns) // 2 * 2 + 1]


async def test_a_button_works_in_a_conversation_that_was_resumed(page: Open) -> None:
    server = VLLM()
    server.refusals = [broken()]
    chat = await page(server)
    await chat.ask("One?")
    for message in chainlit("chat_context").chat_contexts[chat.session.id]:
        message.actions = []  # the history keeps none
    await chat.press("again")
    assert asked(server)[-1] == [("user", "One?")]
    assert len(asked(server)) == 2
    await chat.press("again")  # it is gone: nothing more is asked
    assert len(asked(server)) == 2
