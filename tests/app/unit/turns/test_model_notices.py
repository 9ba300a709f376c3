"""Notices about a model, once in a conversation."""

from typing import Any

from support.chat.fakes.kaito import VLLM, Answer
from support.chat.fakes.neighbours import BaseOnVLLM, Unlisted
from support.chat.in_process import COMPLETIONS, ENGLISH, HELLO, Open


async def test_a_base_model_is_called_one_once(page: Open) -> None:
    chat = await page(BaseOnVLLM())
    await chat.ask()
    await chat.ask()
    assert chat.answers() == [HELLO] * 2
    told = [step["output"] for step in chat.steps("system_message")]
    assert told == [ENGLISH.say("notice.base_model")]


async def test_a_notice_says_that_an_unlisted_model_is_used_as_configured(page: Open) -> None:
    class Unlisted(VLLM):
        def get_v1_models(self, _: Any) -> Answer:
            return Answer(200, json={"object": "list", "data": []})

    server = Unlisted("mine")
    chat = await page(server, model="mine")
    await chat.ask()
    await chat.ask()
    told = [step["output"] for step in chat.steps("system_message")]
    assert told == [ENGLISH.say("notice.not_listed", model="mine")]
    assert [body["model"] for body in server.bodies(COMPLETIONS)] == ["mine", "mine"]


async def test_a_server_that_lists_other_models_is_not_said_to_list_none(page: Open) -> None:
    chat = await page(Unlisted(Answer(200, json={"data": [{"id": "shown"}]})), model="Qwen/Qwen3-8B")
    await chat.ask()
    assert chat.answers() == [HELLO]
    assert "lists no models" not in str(chat.sent)
