"""Ends of an answer before its end: Stop, another question, an edit, a lost page, a shutdown."""

import asyncio
import uuid
from typing import Any

import pytest

from support.chat.fakes.kaito import VLLM, broken, delta
from support.chat.in_process import (
    ENGLISH,
    HELLO,
    Hanging,
    Open,
    asked,
    half,
)


async def test_while_the_server_drains_a_question_is_kept_for_the_next_one(page: Open) -> None:
    server = VLLM()
    chat = await page(server)
    chat.services.draining = True
    await chat.ask()
    assert chat.marks() == [{"notice": "drained"}]
    assert chat.steps()[0]["output"] == ENGLISH.say("notice.drained")
    assert chat.buttons() == ["again"]
    assert asked(server) == []
    chat.services.draining = False
    await chat.press("again")
    assert asked(server) == [[("user", "Hello?")]]


@pytest.mark.parametrize(
    ("pieces", "buttons"), [([delta(content="Half")], ["continue", "regenerate"]), ([], ["again"])]
)
async def test_an_answer_that_draining_ends_is_kept(page: Open, pieces: list[object], buttons: list[str]) -> None:
    server, hanging = VLLM(), Hanging(*pieces)
    server.refusals = [hanging.answer()]
    chat = await page(server, drain_seconds=0)
    asking = asyncio.create_task(chat.ask())
    async with asyncio.timeout(5):
        while not asked(server) or (pieces and "Half" not in str(chat.sent)):
            await asyncio.sleep(0.01)
    await chat.services.drain()
    await asking
    assert chat.answers() == ["Half"][: len(pieces)]
    assert chat.marks()[-1] == {"notice": "drained"}
    assert chat.buttons() == buttons
    assert hanging.closed


async def test_a_second_question_ends_the_answer_to_the_first(page: Open) -> None:
    server, hanging = half()
    chat = await page(server)
    first = asyncio.create_task(chat.ask("One?"))
    await chat.sees("Half")
    await chat.ask("Two?")
    assert first.done()
    assert hanging.closed
    assert chat.answers() == ["Half", HELLO]


async def test_an_edited_question_ends_the_answer_to_the_old_one(page: Open) -> None:
    server, hanging = half()
    chat = await page(server)
    identifier = str(uuid.uuid4())
    first = asyncio.create_task(chat.ask("One?", identifier))
    await chat.sees("Half")
    await chat.edit(identifier, "Two?")
    await first
    assert hanging.closed
    assert chat.answers()[-1] == HELLO
    assert asked(server)[-1][0] == ("user", "Two?")


async def test_stop_ends_an_answer_and_keeps_what_arrived(page: Open) -> None:
    server, hanging = half()
    chat = await page(server)
    asking = asyncio.create_task(chat.ask())
    await chat.sees("Half")
    await chat.stop()
    await asking
    assert hanging.closed
    assert chat.answers() == ["Half"]
    assert chat.buttons() == ["continue", "regenerate"]
    assert chat.services.turns == set()


async def test_stop_ends_an_answer_that_a_button_asked_for(page: Open) -> None:
    server, hanging = VLLM(), Hanging(delta(content="Half"))
    server.refusals = [broken(), hanging.answer()]
    chat = await page(server)
    await chat.ask()
    pressing = asyncio.create_task(chat.press("again"))
    await chat.sees("Half")
    await chat.stop()
    await pressing
    assert hanging.closed
    assert chat.answers() == ["Half"]
    assert chat.buttons() == ["continue", "regenerate"]
    assert chat.events("task_start", "task_end") == ["task_start", "task_end"] * 2


async def test_the_model_sees_a_second_question_after_what_arrived_for_the_first(page: Open) -> None:
    server, _ = half()
    chat = await page(server)
    first = asyncio.create_task(chat.ask("One?"))
    await chat.sees("Half")
    await chat.ask("Two?")
    await first
    assert asked(server)[-1] == [("user", "One?"), ("assistant", "Half"), ("user", "Two?")]


async def test_the_model_sees_nothing_of_the_answer_to_a_question_that_was_edited(page: Open) -> None:
    server, _ = half()
    chat = await page(server)
    identifier = str(uuid.uuid4())
    first = asyncio.create_task(chat.ask("One?", identifier))
    await chat.sees("Half")
    await chat.edit(identifier, "Two?")
    await first
    assert asked(server)[-1] == [("user", "Two?")]


async def test_stop_ends_a_step_of_reasoning(page: Open) -> None:
    server, hanging = VLLM(), Hanging(delta(reasoning="Hm."))
    server.refusals = [hanging.answer()]
    chat = await page(server)
    asking = asyncio.create_task(chat.ask())
    await chat.sees("Hm.")
    await chat.stop()
    await asking
    assert [step["streaming"] for step in chat.steps("llm")] == [False]


@pytest.mark.parametrize(("goodbye", "grace"), [(True, 60), (False, 0)], ids=["closed", "lost"])
async def test_an_answer_that_nobody_can_see_ends(page: Open, grace: float, *, goodbye: bool) -> None:
    server, hanging = half()
    chat = await page(server, disconnect_grace_seconds=grace)
    asking = asyncio.create_task(chat.ask())
    await chat.sees("Half")
    chat.session.to_clear = goodbye
    await chat.leave()
    await asyncio.wait((asking,), timeout=3)
    assert asking.done()
    assert hanging.closed
    assert chat.buttons() == ["continue", "regenerate"]
    assert chat.answers() == ["Half"]


async def test_an_answer_continues_when_its_page_reconnects(page: Open) -> None:
    server, hanging = half()
    chat = await page(server, disconnect_grace_seconds=0.01)
    asking = asyncio.create_task(chat.ask())
    await chat.sees("Half")
    await chat.leave()
    chat.services.conversations.of(chat.session.id).come()
    await asyncio.sleep(0.05)
    (turn,) = chat.services.turns
    assert not turn.cancelling()
    assert not hanging.closed
    await chat.stop()
    await asking


async def test_an_answer_that_stops_while_its_beginning_is_sent_has_a_whole_beginning(page: Open) -> None:
    server, _ = half()
    chat = await page(server)

    async def emit(event: str, data: Any) -> None:
        await asyncio.sleep(0)
        await chat.emit(event, data)

    chat.session.emit = emit
    asking = asyncio.create_task(chat.ask())
    async with asyncio.timeout(5):
        while not chat.events("task_start"):
            await asyncio.sleep(0)
    await chat.stop()
    await asking
    assert [event for event, data in chat.sent if data.get("type") == "run"] == ["new_message", "update_message"]
    assert chat.events("task_start", "task_end") == ["task_start", "task_end"]
    assert chat.marks() == [{"notice": "stopped"}]
