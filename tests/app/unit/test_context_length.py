"""Refusals for length: the numbers that servers send, and the smaller question that follows."""

import itertools
import logging
from collections.abc import Callable
from typing import Any

import pytest

from kaito_chat.backends import Message, Reasoning, Reclassify, Sampling, Text
from kaito_chat.backends.context_length import context_length_of
from kaito_chat.backends.errors import BackendError, ContextLength, Kind
from kaito_chat.models.asking import Asking
from kaito_chat.models.readiness import Model
from kaito_chat.settings import Settings
from support.chat.backends import SAMPLING, asking_of, watching
from support.chat.fakes.kaito import VLLM, Answer, delta, finish, sse
from support.chat.fakes.neighbours import (
    TGI,
    LlamaCpp,
    Small,
    at_least,
    greater,
    requested,
    sglang,
    tensorrt,
    too_large,
)

COMPLETIONS = "/v1/chat/completions"
HELLO = "Hello there, friend."
LONG = Sampling(temperature=0.5, top_p=0.9, max_tokens=1024)
TALK = [Message("user", "a"), Message("assistant", "b"), Message("user", "c")]


async def asked(model: Model, *messages: Message, sampling: Sampling = LONG, **more: Any) -> tuple[str, Asking]:
    settings = Settings(endpoint_url="http://model", coalesce_milliseconds=0)
    asking = asking_of(settings, model, messages or (Message("user", "Hello?"),), sampling, **more)
    batches = [batch async for batch in asking.answer()]
    return "".join(event.text for batch in batches for event in batch if isinstance(event, Text)), asking


@pytest.mark.parametrize(
    ("words", "room"),
    [
        (too_large(2048, 1504, 1024), ContextLength(2048, 1504)),
        (requested(2048, 1504, 1024), ContextLength(2048, 1504)),
        (at_least(2048, 1504, 1024), ContextLength(2048, 1025, exact=False)),
        (greater(2048, 1504, 4096), ContextLength(2048)),
        (sglang(2048, 1504, 1024), ContextLength(2048, 1504)),
        ("The input (3000 tokens) is longer than the model's context length (2048 tokens).", ContextLength(2048, 3000)),
        (tensorrt(2048, 1504, 1024), ContextLength(2048, 1504)),
        (
            "The sum of prompt length (3000.0), query length (0) should not exceed max_num_tokens (2048)",
            ContextLength(2048, 3000),
        ),
        (
            "max_completion_tokens=9999 cannot be greater than max_model_len=max_total_tokens=4096. Please",
            ContextLength(4096),
        ),
        (
            (
                "This model's maximum context length is 2048 tokens. However, your request has 8 input tokens plus "
                "2045 'max_tokens'. Please reduce one or the other."
            ),
            ContextLength(2048, 8),
        ),
        (
            "This model's maximum context length is 2048 tokens. However, your request has 5000 input tokens.",
            ContextLength(2048, 5000),
        ),
        (
            "max_tokens is too large: 99999. This model supports at most 16384 completion tokens.",
            ContextLength(None, None, answer_tokens=16384),
        ),
        ("Input validation error: `inputs` must have less than 1024 tokens. Given: 2000", ContextLength(1024, 2000)),
        ("the request exceeds the available context size, try increasing it", None),
        ("This model's maximum context length is 9 tokens.", None),
    ],
)
def test_the_numbers_in_a_servers_words_are_read(words: str, room: ContextLength | None) -> None:
    assert context_length_of(words, {}) == room


@pytest.mark.parametrize(
    ("server", "sent"),
    [
        (Small(too_large), [1024, 544]),
        (Small(requested), [1024, 544]),
        (Small(at_least), [1024, 256]),
        (Small(sglang), [1024, 544]),
        (Small(tensorrt), [1024, 544]),
        (TGI(), [1024, 596]),
        (TGI(streamed=True), [1024, 596]),
    ],
    ids=["too-large", "requested", "at-least", "sglang", "tensorrt", "tgi", "tgi-in-the-stream"],
)
async def test_less_room_is_less_room_and_not_too_long(server: Small, sent: list[int]) -> None:
    model = await watching(server)
    text, asking = await asked(model, *TALK)
    assert (text, asking.progress.dropped) == (HELLO, 0)
    assert [body["max_tokens"] for body in server.bodies(COMPLETIONS)] == sent
    assert model.window_tokens() == server.small_window, "the window is learned"


async def test_more_than_the_whole_window_is_asked_for_once() -> None:
    server = Small(greater, window_tokens=512, prompt_tokens=10)
    model = await watching(server)
    for _ in range(2):
        assert (await asked(model, *TALK))[0] == HELLO
    assert next(body["max_tokens"] for body in server.bodies(COMPLETIONS)) == 1024
    assert len(server.bodies(COMPLETIONS)) == 3
    assert all(body["max_tokens"] < 512 for body in server.bodies(COMPLETIONS)[1:])


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_conversation_beyond_the_window_is_shortened_by_the_servers_count(streamed: bool) -> None:  # noqa: FBT001
    server = LlamaCpp(streamed=streamed)
    text, asking = await asked(await watching(server), *TALK)
    assert (text, asking.progress.dropped) == (HELLO, 2)
    assert server.bodies(COMPLETIONS)[-1]["messages"] == [{"role": "user", "content": "c"}]


@pytest.mark.parametrize("words", [too_large, requested, at_least])
async def test_a_question_for_which_there_is_no_room_at_all_is_too_long(words: Callable[..., str]) -> None:
    server = Small(words, window_tokens=2048, prompt_tokens=2040)
    with pytest.raises(BackendError) as raised:
        await asked(await watching(server))
    assert raised.value.kind is Kind.TOO_LONG
    assert len(server.bodies(COMPLETIONS)) <= 6


async def test_an_answer_may_be_limited_without_the_window() -> None:
    server = VLLM(window_tokens=100_000)
    words = "max_tokens is too large: 1024. This model supports at most 512 completion tokens."
    server.refusals = [VLLM.error(400, words, "invalid_request_error")]
    text, asking = await asked(await watching(server), *TALK)
    assert (text, asking.progress.dropped) == (HELLO, 0)
    assert server.bodies(COMPLETIONS)[-1]["max_tokens"] == 512


async def test_a_roomy_answer_may_have_all_that_the_question_leaves() -> None:
    server = VLLM(window_tokens=4096)
    await asked(await watching(server), roomy=True)
    assert server.bodies(COMPLETIONS)[0]["max_tokens"] > 4000


@pytest.mark.parametrize(
    ("pieces", "kind"),
    [
        ([finish()], Kind.EMPTY),
        ([delta(content=" \n\t"), finish()], Kind.EMPTY),
        ([delta(reasoning="Hm."), finish("stop")], Kind.EMPTY),
        ([delta(reasoning="Hm."), finish("length")], Kind.THOUGHT_OUT),
        ([delta(content="<think>Hm."), finish("length")], Kind.THOUGHT_OUT),
        ([delta(content="Half"), finish("content_filter")], Kind.FILTERED),
        ([finish("content_filter")], Kind.FILTERED),
        ([delta(content="Half"), finish("abort")], Kind.ABORTED),
        ([finish("abort")], Kind.FAILED),
    ],
)
async def test_an_answer_without_text_is_an_error(pieces: list[object], kind: Kind) -> None:
    server = VLLM()
    server.refusals = [sse(*pieces)]
    with pytest.raises(BackendError) as raised:
        await asked(await watching(server))
    assert raised.value.kind is kind
    assert len(server.bodies(COMPLETIONS)) == 1


async def test_progress_knows_thinking_from_the_answer() -> None:
    server = VLLM()
    server.refusals = [sse(delta(content="Hm.\n"), delta(content="</think>\n\n42"), finish())]
    settings = Settings(endpoint_url="http://model", coalesce_milliseconds=0)
    asking = asking_of(settings, await watching(server), TALK, SAMPLING)
    shown = [event async for batch in asking.answer() for event in batch]
    assert shown == [Text("Hm.\n"), Reclassify(thinking=True), Text("42")]
    assert (asking.progress.answer, "".join(asking.progress.thought)) == ("42", "Hm.\n")


async def test_consecutive_events_of_one_type_are_joined() -> None:
    server = VLLM()
    server.refusals = [
        sse(delta(reasoning="H"), delta(reasoning="m"), delta(content="4"), delta(content="2"), finish())
    ]
    settings = Settings(endpoint_url="http://model", coalesce_milliseconds=100)
    asking = asking_of(settings, await watching(server), TALK, SAMPLING)
    batches = [batch async for batch in asking.answer()]
    for batch in batches:
        kinds = [type(event) for event in batch]
        assert all(one is not other for one, other in itertools.pairwise(kinds))
    joined = [event for batch in batches for event in batch]
    assert "".join(event.text for event in joined if isinstance(event, Reasoning)) == "Hm"


async def test_a_model_is_only_asked_for_if_the_server_offers_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    server = VLLM()
    model = await watching(server)
    for chosen in ("../../etc", "", None, 7, ["x"]):
        _, asking = await asked(model, model_id=chosen)
        assert asking.progress.model == "phi-4-mini-instruct"
    assert {body["model"] for body in server.bodies(COMPLETIONS)} == {"phi-4-mini-instruct"}


async def test_a_refusal_without_numbers_shortens() -> None:
    server = VLLM()
    server.refusals = [Answer(400, json={"error": {"message": "too many tokens"}})]
    _, asking = await asked(await watching(server), *TALK)
    assert asking.progress.dropped == 2
