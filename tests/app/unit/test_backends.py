from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from kaito_chat.backends import (
    ApiKey,
    Choice,
    Finish,
    Message,
    Reasoning,
    Sampling,
    ServedModel,
    Usage,
    backend_at,
    connect,
    pool,
)
from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.backends.http import Timeouts
from kaito_chat.settings import ModelSettings
from support.chat.backends import ask, backend_of, events_of, text_of
from support.chat.fakes.kaito import (
    VLLM,
    Answer,
    Downloading,
    Fake,
    Legacy02,
    Legacy06,
    Transformers,
    broken,
    delta,
    finish,
    sse,
)

COMPLETIONS = "/v1/chat/completions"


@pytest.mark.parametrize(
    ("fake", "name"),
    [(VLLM(), "vllm"), (Transformers(), "transformers"), (Legacy06(), "legacy"), (Legacy02(), "legacy")],
    ids=["vllm", "0.12", "0.6", "0.2"],
)
async def test_each_runtime_is_detected_and_answers(fake: Fake, name: str) -> None:
    assert (await backend_of(fake)).name == name
    assert text_of(await ask(fake)) == ('He said "yes" twice.' if name == "legacy" else "Hello there, friend.")


async def test_a_404_while_a_model_is_downloaded_is_not_the_legacy_runtime() -> None:
    with pytest.raises(BackendError, match="serves no model yet") as raised:
        await backend_of(Downloading())
    assert raised.value.kind is Kind.NOT_READY


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_server_that_is_not_up_is_not_taken_for_anything(status: int) -> None:
    with pytest.raises(BackendError):
        await backend_of(lambda _: httpx.Response(status))


async def test_the_served_model_and_its_window_come_from_the_server() -> None:
    backend = await backend_of(VLLM("renamed-v2", 8192))
    choice = Choice("renamed-v2", 8192)
    assert await backend.describe() == ServedModel("renamed-v2", 8192, (choice,), listed=True)


async def test_usage_and_the_reason_to_finish_are_handed_on() -> None:
    assert (await ask(VLLM()))[-2:] == [Finish("stop"), Usage(12, 4)]
    assert (await ask(Transformers()))[-2:] == [Usage(9, 4), Finish("stop")]


async def test_only_vllm_is_sent_top_k_and_every_server_max_tokens() -> None:
    sampling = Sampling(temperature=0.5, top_p=0.9, max_tokens=100, top_k=5)
    vllm, transformers = VLLM(), Transformers()
    await ask(vllm, sampling)
    await ask(transformers, sampling)
    assert vllm.bodies(COMPLETIONS)[0]["top_k"] == 5
    (body,) = transformers.bodies(COMPLETIONS)
    assert "top_k" not in body
    assert body["max_tokens"] == 100
    assert "max_completion_tokens" not in body


async def test_a_field_that_a_server_refuses_is_left_out_from_then_on() -> None:
    class Strict(VLLM):
        def post_v1_chat_completions(self, body: dict[str, Any]) -> Answer:
            if "top_k" in body:
                return Answer(
                    422, json={"detail": [{"loc": ["body", "top_k"], "msg": "Extra inputs are not permitted"}]}
                )
            if "max_tokens" in body:
                return self.error(400, "'max_tokens' is not supported with this model.", "x", param="max_tokens")
            return super().post_v1_chat_completions(body)

    fake = Strict()
    backend = await backend_of(fake)
    sampling = Sampling(temperature=0.5, top_p=0.9, max_tokens=100, top_k=5)
    for _ in range(2):
        events = await events_of(backend, ServedModel("phi-4-mini-instruct"), [Message("user", "x")], sampling)
        assert text_of(events)
    assert len(fake.bodies(COMPLETIONS)) == 4
    assert fake.bodies(COMPLETIONS)[-1]["max_completion_tokens"] == 100


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (broken(), Kind.FAILED),
        (Answer(429, json={"error": {"message": "Too many requests", "code": "rate_limit_exceeded"}}), Kind.BUSY),
        (Answer(503, text="no healthy upstream"), Kind.NOT_READY),
        (Answer(502, text="<html>Bad Gateway</html>", headers={"content-type": "text/html"}), Kind.NOT_READY),
        (Answer(504), Kind.SLOW),
        (Answer(401, json={"error": {"message": "Unauthorized"}}), Kind.FORBIDDEN),
        (VLLM.error(400, "This model's maximum context length is 2048 tokens.", "BadRequestError"), Kind.TOO_LONG),
        (VLLM.error(400, "roles must alternate", "BadRequestError"), Kind.REFUSED),
        (Answer(422, json={"detail": [{"loc": ["body", "messages"], "msg": "Field required"}]}), Kind.REFUSED),
        (VLLM.error(404, "The model `x` does not exist.", "NotFoundError"), Kind.RENAMED),
        (Answer(400, json={"detail": "Server is pinned to 'y@main'; requested 'x'."}), Kind.RENAMED),
        (Answer(200, text="data: not json\n\n"), Kind.CUT_OFF),
        (Answer(200, text="data: [1]\n\n"), Kind.CUT_OFF),
        (sse({"error": {"message": "EngineDeadError", "code": 500}}), Kind.FAILED),
        (sse(delta(content="Hel"), {"error": {"message": "EngineDeadError", "code": 500}}), Kind.CUT_OFF),
        (sse(delta(content="Hel"), done=False), Kind.CUT_OFF),
        (Answer(200, text="<html>hello</html>", headers={"content-type": "text/html"}), Kind.NOT_API),
    ],
)
async def test_each_refusal_has_its_kind(answer: Answer, kind: Kind) -> None:
    fake = VLLM()
    fake.refusals = [answer]
    with pytest.raises(BackendError) as raised:
        await ask(fake)
    assert raised.value.kind is kind
    assert "<html>" not in raised.value.detail


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ({}, None, None),
        ({"retry-after": "7"}, 7, 7),
        ({"retry-after": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)}, 600, 3600),
        ({"retry-after": "soon"}, None, None),
    ],
)
async def test_retry_after_is_read_as_seconds_or_as_a_date(
    header: dict[str, str], low: float | None, high: float | None
) -> None:
    fake = VLLM()
    fake.refusals = [Answer(429, headers=header, text="busy")]
    with pytest.raises(BackendError) as raised:
        await ask(fake)
    seconds = raised.value.retry_after_seconds
    assert (seconds is None) if low is None or high is None else (seconds is not None and low <= seconds <= high)


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
async def test_reasoning_is_told_from_the_answer(name: str) -> None:
    fake = VLLM()
    fake.pieces = [delta(**{name: "Hmm."}), delta(content="42", **{name: None})]
    events = await ask(fake)
    assert Reasoning("Hmm.") in events
    assert text_of(events) == "42"


async def test_pieces_that_say_nothing_are_passed_over() -> None:
    fake = VLLM()
    fake.pieces = [
        {"choices": None},
        {"choices": [{"delta": None}]},
        {"usage": "?"},
        delta(content=None),
        delta(content="ok"),
    ]
    assert text_of(await ask(fake)) == "ok"


async def test_vllm_counts_tokens_and_the_others_do_not() -> None:
    backend = await backend_of(VLLM())
    assert await backend.count_tokens(ServedModel("x"), [Message("user", "one two")]) == 6
    assert await (await backend_of(Transformers())).count_tokens(ServedModel("x"), []) is None
    assert await (await backend_of(Legacy06())).count_tokens(ServedModel("x"), []) is None


@pytest.mark.parametrize("words", ["1 2 3 " * 300, "模型" * 200, "x", "\U0001f600" * 100])
async def test_the_legacy_runtimes_max_length_never_falls_below_the_prompt(words: str) -> None:
    fake = Legacy06()
    for window in (None, 2048):
        await ask(fake, messages=[Message("user", words)], backend="legacy", max_model_len_tokens=window)
    for body in fake.bodies("/chat"):
        assert body["generate_kwargs"]["max_length"] > len(body["prompt"].encode())


async def test_the_legacy_runtime_gets_the_conversation_and_no_temperature_of_zero() -> None:
    fake = Legacy06()
    messages = [
        Message("system", "Be brief."),
        Message("user", "Hi"),
        Message("assistant", "Hello"),
        Message("user", "And?"),
    ]
    await ask(fake, Sampling(temperature=0, top_p=1, max_tokens=10), messages)
    (body,) = fake.bodies("/chat")
    assert body["prompt"] == "Be brief.\n\nUser: Hi\n\nAssistant: Hello\n\nUser: And?\n\nAssistant:"
    assert body["generate_kwargs"]["do_sample"] is False
    assert "temperature" not in body["generate_kwargs"]


@pytest.mark.parametrize(("key", "header"), [("k", ("api-key", "k")), (None, ("authorization", "Bearer t"))])
async def test_azure_openai_is_asked_with_a_key_or_an_entra_token(key: str | None, header: tuple[str, str]) -> None:
    asked: list[httpx.Request] = []

    def azure(request: httpx.Request) -> Answer:
        asked.append(request)
        return sse({"choices": [], "prompt_filter_results": []}, delta(content="hi"), finish())

    class Credential:
        async def get_token(self, *scopes: str) -> Any:
            assert scopes == ("https://cognitiveservices.azure.com/.default",)
            return type("Token", (), {"token": "t"})()

    model = ModelSettings(
        endpoint_url="https://x.openai.azure.com/", backend="azure_openai", model="gpt 4", api_version="2024-10-21"
    )
    client = httpx.AsyncClient(transport=httpx.MockTransport(azure))
    connected = connect(model, client, Timeouts(), api_key=ApiKey(key) if key else None, credential=Credential())  # type: ignore[arg-type]
    backend = await backend_at(connected, model)
    served = await backend.describe()
    sampling = Sampling(temperature=0, top_p=1, max_tokens=5)
    assert text_of(await events_of(backend, served, [Message("user", "x")], sampling)) == "hi"
    assert str(asked[0].url) == (
        "https://x.openai.azure.com/openai/deployments/gpt%204/chat/completions?api-version=2024-10-21"
    )
    assert asked[0].headers[header[0]] == header[1]


async def test_nobody_at_the_address_means_not_ready() -> None:
    async with pool(1, 1) as client:
        model = ModelSettings(endpoint_url="http://127.0.0.1:1")
        with pytest.raises(BackendError) as raised:
            await backend_at(connect(model, client, Timeouts(connect=1)), model)
    assert raised.value.kind is Kind.NOT_READY
