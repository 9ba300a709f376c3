"""Choices from a server's list of models, without the models that cannot chat."""

from typing import Any

import httpx
import pytest

from kaito_chat.backends import Choice, Message
from kaito_chat.backends.choices import can_chat, choices_of, served_by
from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.models.states import State
from kaito_chat.settings import Settings
from support.chat.backends import SAMPLING, asking_of, watching
from support.chat.fakes.kaito import VLLM, Answer
from support.chat.fakes.neighbours import Adapters


async def test_adapters_have_their_parents_window_and_embeddings_are_left_out() -> None:
    model = await watching(Adapters())
    assert model.choices == (Choice("base", 2048), Choice("tuned", 2048, "base"), Choice("terse", 2048, "base"))
    assert [choice.kind for choice in model.choices] == ["model", "adapter", "adapter"]
    assert model.default
    assert model.default.id == "base"
    assert model.window_tokens("tuned") == 2048


async def test_the_chosen_adapter_is_asked() -> None:
    server = Adapters()
    model = await watching(server)
    asking = asking_of(
        Settings(endpoint_url="http://model"), model, [Message("user", "Hi")], SAMPLING, model_id="terse"
    )
    assert [batch async for batch in asking.answer()]
    assert server.bodies("/v1/chat/completions")[-1]["model"] == "terse"
    assert asking.progress.model == "terse"


async def test_a_configured_model_goes_before_the_first_one() -> None:
    model = await watching(Adapters(), model="tuned")
    served = model.default
    assert served
    assert (served.id, served.max_model_len_tokens, served.listed) == ("tuned", 2048, True)


async def test_a_configured_model_that_is_not_listed_is_said() -> None:
    model = await watching(Adapters(), model="other")
    assert model.default
    assert (model.default.id, model.default.listed) == ("other", False)


@pytest.mark.parametrize(
    ("entry", "chats"),
    [
        ({"id": "text-embedding-3-small"}, False),
        ({"id": "BAAI/bge-reranker-v2-m3"}, False),
        ({"id": "intfloat/multilingual-e5-large"}, False),
        ({"id": "Qwen3-Embedding-0.6B"}, False),
        ({"id": "nomic-embed-text:latest"}, False),
        ({"id": "phi-4-mini-instruct"}, True),
        ({"id": "gpt-5"}, True),
        ({"id": "embeddinggemma-chat", "type": "chat"}, True),
        ({"id": "plain", "type": "embedding"}, False),
        ({"id": "plain", "task": "rerank"}, False),
        ({"id": "plain", "task": "text-generation"}, True),
        ({"id": "llava", "pipeline_tag": "image-text-to-text"}, True),
        ({"id": "plain", "type": "model"}, True),
        ({"id": "plain", "capabilities": ["embed"]}, False),
        ({"id": "bge-talks", "capabilities": ["completion"]}, True),
        ({"id": "plain", "capabilities": {"chat_completion": False, "embeddings": True}}, False),
        ({"id": "plain", "capabilities": {"completion_chat": True}}, True),
    ],
)
def test_what_cannot_chat_is_told_by_what_the_server_says_and_then_by_its_name(
    entry: dict[str, Any],
    chats: bool,  # noqa: FBT001
) -> None:
    assert can_chat(entry) is chats


@pytest.mark.parametrize(
    "entries",
    [
        [{"id": 7}, {"id": ""}, {"id": "x" * 300}, {"id": "a\nb"}, {}],
        [{"id": "a", "parent": "b"}, {"id": "b", "parent": "a"}],
        [{"id": "a", "parent": "a", "max_model_len": True}],
        [{"id": "a", "parent": 7, "max_model_len": "8192"}],
    ],
)
def test_an_odd_list_is_survived(entries: list[dict[str, Any]]) -> None:
    assert all(choice.window_tokens is None for choice in choices_of(entries))


async def test_only_embeddings_are_no_model_to_chat_with() -> None:
    with pytest.raises(BackendError) as raised:
        served_by(httpx.Response(200, json={"data": [{"id": "bge-m3"}]}), None)
    assert raised.value.kind is Kind.NO_CHAT

    class Embeddings(VLLM):
        def get_v1_models(self, _: Any) -> Answer:
            return Answer(200, json={"data": [{"id": "bge-m3", "owned_by": "vllm"}]})

    model = await watching(Embeddings())
    assert model.state is State.NO_CHAT
    assert model.choices == ()


async def test_a_chosen_model_that_is_gone_is_no_longer_asked() -> None:
    server = Adapters()
    model = await watching(server)
    assert model.served("terse") != model.served()
    server.get_v1_models = VLLM("base").get_v1_models  # type: ignore[method-assign]
    await model.check()
    assert model.served("terse") == model.served()
