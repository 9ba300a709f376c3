"""Servers with other response formats and requirements: each costs at most one more request, once."""

from typing import Any

import httpx
import pytest

from kaito_chat.backends import Backend, Event, Finish, Message, Reasoning, ServedModel, Text, Usage
from kaito_chat.backends.errors import BackendError, Kind
from support.chat.backends import QUESTION, ask, backend_of, events_of, text_of
from support.chat.fakes.kaito import VLLM, Answer, Fake, Transformers, broken, delta, sse
from support.chat.fakes.neighbours import (
    RAG,
    BaseAlone,
    BaseOnVLLM,
    GemmaOnTransformers,
    GemmaOnVLLM,
    GemmaWithReason,
    LoginPage,
    MistralOnVLLM,
    Unlisted,
    Whole,
)

COMPLETIONS = "/v1/chat/completions"
HELLO = "Hello there, friend."


async def answer(backend: Backend, messages: list[Message] = QUESTION) -> list[Event]:
    served = await backend.describe()
    return await events_of(backend, served, messages)


@pytest.mark.parametrize(
    "fake",
    [GemmaOnVLLM(), MistralOnVLLM(), GemmaOnTransformers(), GemmaWithReason()],
    ids=lambda fake: type(fake).__name__,
)
async def test_a_template_without_a_system_role_gets_the_system_prompt_in_the_first_question(fake: Fake) -> None:
    backend = await backend_of(fake)
    assert text_of(await answer(backend)) == HELLO
    later = [*QUESTION, Message("assistant", "Hi"), Message("user", "And now?")]
    assert text_of(await answer(backend, later)) == HELLO
    asked = [[(each["role"], each["content"]) for each in body["messages"]] for body in fake.bodies(COMPLETIONS)]
    assert [messages[0][0] for messages in asked] == ["system", "user", "user"], "the requirement is learned once"
    assert asked[1] == [("user", "Be brief.\n\nHello?")]
    assert asked[2] == [("user", "Be brief.\n\nHello?"), ("assistant", "Hi"), ("user", "And now?")]


async def test_a_server_that_breaks_for_another_reason_is_asked_in_another_form_once_in_a_while() -> None:
    class Broken(Transformers):
        def post_v1_chat_completions(self, body: dict[str, Any]) -> Answer:
            del body
            return broken()

    fake = Broken()
    backend = await backend_of(fake)
    details = []
    for _ in range(3):
        with pytest.raises(BackendError) as raised:
            await answer(backend)
        assert raised.value.kind is Kind.FAILED
        details.append(raised.value.detail)
    assert len(fake.bodies(COMPLETIONS)) == 4
    assert ["may have no chat template" in detail for detail in details] == [True, False, False]
    assert not backend.quirks("phi-4-mini-instruct").no_system_role


async def test_vllm_which_gives_reasons_is_not_asked_again_for_a_500() -> None:
    fake = VLLM()
    fake.refusals = [broken()]
    with pytest.raises(BackendError):
        await ask(fake)
    assert len(fake.bodies(COMPLETIONS)) == 1


async def test_roles_that_do_not_alternate_are_no_missing_system_role() -> None:
    fake = VLLM()
    words = "After the optional system message, conversation roles must alternate user/assistant/user/assistant/..."
    fake.refusals = [VLLM.error(400, words, "BadRequestError")]
    with pytest.raises(BackendError) as raised:
        await ask(fake)
    assert (raised.value.kind, raised.value.said) == (Kind.REFUSED, words)
    assert len(fake.bodies(COMPLETIONS)) == 1


async def test_a_base_model_continues_a_text_and_is_known_as_one() -> None:
    fake = BaseOnVLLM()
    backend = await backend_of(fake)
    assert not backend.quirks("phi-4-mini-instruct").no_chat_template
    for _ in range(2):
        assert text_of(await answer(backend)) == HELLO
    assert backend.quirks("phi-4-mini-instruct").no_chat_template
    assert len(fake.bodies(COMPLETIONS)) == 1, "the requirement is learned once"
    body = fake.bodies("/v1/completions")[-1]
    assert (body["prompt"], body["stop"]) == ("Be brief.\n\nUser: Hello?\n\nAssistant:", ["\nUser:"])


async def test_a_base_model_whose_server_continues_no_texts_cannot_chat() -> None:
    backend = await backend_of(BaseAlone())
    for _ in range(2):
        with pytest.raises(BackendError) as raised:
            await answer(backend)
        assert raised.value.kind is Kind.NO_CHAT


@pytest.mark.parametrize("listing", [Answer(200, json={"data": []}), Answer(404, json={"detail": "Not Found"})])
async def test_a_server_that_lists_no_models_is_asked_for_the_configured_one(listing: Answer) -> None:
    backend = await backend_of(Unlisted(listing), model="Qwen/Qwen3-8B")
    served = await backend.describe()
    assert (served.id, served.listed, served.choices) == ("Qwen/Qwen3-8B", False, ())
    assert text_of(await answer(backend)) == HELLO


@pytest.mark.parametrize("listing", [Answer(200, json={"data": []}), Answer(404, json={"detail": "Not Found"})])
async def test_without_a_configured_name_such_a_server_serves_nothing(listing: Answer) -> None:
    with pytest.raises(BackendError) as raised:
        await backend_of(Unlisted(listing))
    assert raised.value.kind is Kind.NOT_READY


async def test_a_ragengine_is_no_legacy_runtime_and_answers_from_its_index() -> None:
    fake = RAG()
    backend = await backend_of(fake, index_name="handbook")
    assert (backend.name, backend.capabilities.streaming) == ("rag", False)
    assert await backend.describe() == ServedModel("")
    events = await answer(backend)
    assert events == [Text("It stands in the handbook."), Usage(56, 31), Finish("stop")]
    (body,) = fake.bodies(COMPLETIONS)
    assert (body["index_name"], body["stream"]) == ("handbook", False)
    assert "model" not in body


async def test_a_ragengine_without_the_index_says_so() -> None:
    backend = await backend_of(RAG(), index_name="gone", backend="rag")
    with pytest.raises(BackendError) as raised:
        await answer(backend)
    assert (raised.value.kind, raised.value.said) == (Kind.REFUSED, "No such index: 'gone' exists.")


@pytest.mark.parametrize(
    ("message", "reason", "events"),
    [
        ({"content": "Hi"}, "stop", [Text("Hi"), Usage(12, 4), Finish("stop")]),
        ({"content": "Hi"}, None, [Text("Hi"), Usage(12, 4), Finish("stop")]),
        (
            {"content": [{"type": "text", "text": "H"}, {"type": "text", "text": "i"}]},
            "stop",
            [Text("Hi"), Usage(12, 4), Finish("stop")],
        ),
        (
            {"content": "Hi", "reasoning": "Hm."},
            "length",
            [Reasoning("Hm."), Text("Hi"), Usage(12, 4), Finish("length")],
        ),
        ({"content": "<think>Hm.</think>Hi"}, "stop", [Reasoning("Hm."), Text("Hi"), Usage(12, 4), Finish("stop")]),
    ],
)
async def test_one_document_instead_of_a_stream_is_an_answer(
    message: dict[str, Any], reason: str | None, events: list[Event]
) -> None:
    found = await ask(Whole(message, reason))
    assert text_of(found) == text_of(events)
    assert [event for event in found if not isinstance(event, Text)] == [
        event for event in events if not isinstance(event, Text)
    ]


@pytest.mark.parametrize("body", ["{}", '{"choices": []}', "[]", "{oops", '"hello"'])
async def test_one_document_that_is_no_answer_is_unreadable(body: str) -> None:
    fake = VLLM()
    fake.refusals = [Answer(200, text=body, headers={"content-type": "application/json"})]
    with pytest.raises(BackendError) as raised:
        await ask(fake)
    assert raised.value.kind is Kind.GARBLED


async def test_content_and_thinking_may_come_in_parts() -> None:
    fake = VLLM()
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Hi"}]
    fake.pieces = [
        delta(content=parts),
        delta(content=[{"type": "text", "text": "!"}]),
        delta(reasoning=[{"text": "?"}]),
    ]
    events = await ask(fake)
    assert events[:1] == [Reasoning("Hm.")]
    assert text_of(events) == "Hi!"
    assert Reasoning("?") in events


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        ({"error": {"message": "No.", "type": "BadRequestError", "code": 400}}, Kind.REFUSED, "No."),
        (
            {"object": "error", "message": "No.", "type": "BadRequestError", "param": None, "code": 400},
            Kind.REFUSED,
            "No.",
        ),
        (
            {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404},
            Kind.RENAMED,
            "The model `x` does not exist.",
        ),
        ({"error": "Model is overloaded", "error_type": "overloaded"}, Kind.BUSY, "Model is overloaded"),
        ({"error": "Request failed during generation", "error_type": "generation"}, Kind.FAILED, ""),
        ({"error": {"message": "secret path /x", "code": 500}}, Kind.FAILED, ""),
        ({"error": {"message": "full", "code": 429}}, Kind.BUSY, "full"),
        ({"error": {"message": "filtered", "code": "content_filter"}}, Kind.FILTERED, "filtered"),
    ],
)
async def test_an_error_that_comes_first_in_a_stream_means_the_same_as_one_with_a_status(
    error: dict[str, Any], kind: Kind, said: str
) -> None:
    fake = VLLM()
    fake.refusals = [sse(error, done=False)]
    with pytest.raises(BackendError) as raised:
        await ask(fake)
    assert (raised.value.kind, raised.value.said) == (kind, said)


async def test_a_field_that_is_refused_within_the_stream_is_left_out() -> None:
    fake = VLLM()
    fake.refusals = [sse({"error": {"message": "Unknown field", "param": "stream_options", "code": 400}}, done=False)]
    assert text_of(await ask(fake)) == HELLO
    assert "stream_options" not in fake.bodies(COMPLETIONS)[-1]


@pytest.mark.parametrize(
    "answer_of_proxy",
    [
        Answer(200, html="<html><form action='/login'>"),
        Answer(302, headers={"location": "https://login.example.com/?next=/v1/models"}),
        Answer(307, headers={"location": "/v1/models/"}),
    ],
)
async def test_a_login_page_is_no_model_server(answer_of_proxy: Answer) -> None:
    fake = LoginPage(answer_of_proxy)
    for settings in ({}, {"backend": "openai", "model": "m"}, {"backend": "rag"}):
        with pytest.raises(BackendError) as raised:
            await (await backend_of(fake, **settings)).describe()
        assert raised.value.kind is Kind.NOT_API
        assert not raised.value.said
    backend = await backend_of(fake, backend="openai", model="m")
    with pytest.raises(BackendError) as raised:
        await events_of(backend, ServedModel("m"), QUESTION)
    assert raised.value.kind is Kind.NOT_API
    paths = {path for _, path, _ in fake.asked}
    assert paths == {"/v1/models", "/indexes", COMPLETIONS}, "no redirect is followed"


@pytest.mark.parametrize(
    ("answer_of_server", "said"),
    [
        (Answer(500, json={"error": {"message": "CUDA out of memory at /usr/lib/x.py"}}), ""),
        (Answer(503, text="upstream 10.0.0.7 refused"), ""),
        (Answer(400, json={"error": {"message": "x" * 5000}}), "x" * 300 + "…"),
        (Answer(400, html="<html>nginx/1.2</html>"), "Bad Request"),
        (Answer(401, json={"error": {"message": "Invalid key"}}), "Invalid key"),
    ],
)
async def test_only_the_words_of_a_refusal_may_be_quoted(answer_of_server: Answer, said: str) -> None:
    fake = VLLM()
    fake.refusals = [answer_of_server]
    with pytest.raises(BackendError) as raised:
        await ask(fake)
    assert raised.value.said == said


async def test_the_words_of_a_library_are_never_quoted() -> None:
    def server(request: httpx.Request) -> Answer:
        raise httpx.ReadError("[Errno 104] secret internals", request=request)

    with pytest.raises(BackendError) as raised:
        await ask(server, backend="openai", model="m")
    assert raised.value.said == ""
    assert "secret internals" in raised.value.detail


async def test_azures_filter_of_questions_is_one() -> None:
    fake = VLLM()
    fake.refusals = [Answer(400, json={"error": {"message": "The response was filtered.", "code": "content_filter"}})]
    with pytest.raises(BackendError) as raised:
        await ask(fake)
    assert raised.value.kind is Kind.FILTERED
