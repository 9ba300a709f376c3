"""Questions that wait for their model."""

import asyncio

import httpx
import pytest

from support.chat.fakes.kaito import VLLM, Answer
from support.chat.in_process import (
    HELLO,
    Open,
    asked,
)


class Absent:
    """A server that refuses connections until a test starts it."""

    def __init__(self) -> None:
        self.server: VLLM | None = None

    def __call__(self, request: httpx.Request) -> Answer:
        if self.server is None:
            raise httpx.ConnectError("refused", request=request)
        return self.server(request)


async def test_a_question_waits_for_its_model_under_a_notice_that_goes(
    page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kaito_chat.chat.turn.FIRST_LOOK_SECONDS", 0.01)
    monkeypatch.setattr("kaito_chat.chat.turn.NOTICE_SECONDS", 0.01)
    absent = Absent()
    chat = await page(absent)
    asking = asyncio.create_task(chat.ask())
    await chat.sees("warming up")
    assert chat.marks() == [{"notice": "warming_up"}]
    await chat.sees("no response for 1 s")
    assert len(chat.marks()) == 1
    absent.server = VLLM()
    await chat.services.models[0].check()
    await asking
    assert [message["output"].split("\n")[0] for message in chat.steps()] == [HELLO]


async def test_a_question_that_finds_its_model_gone_is_sent_when_it_is_back(
    page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kaito_chat.chat.turn.FIRST_LOOK_SECONDS", 0.01)
    absent = Absent()
    absent.server = VLLM()
    chat = await page(absent)
    absent.server = None
    asking = asyncio.create_task(chat.ask())
    await chat.sees("stopped answering")
    absent.server = VLLM("renamed")
    await chat.services.models[0].check()
    await asking
    assert chat.marks() == [{"answer": HELLO, "model": "renamed"}]
    assert asked(absent.server) == [[("user", "Hello?")]]
