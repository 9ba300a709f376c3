"""Backend errors on the page."""

import json

import pytest
from prometheus_client import REGISTRY

from support.chat.fakes.kaito import VLLM, Answer, broken, delta, finish, sse
from support.chat.in_process import ENGLISH, HELLO, TOO_LONG, Open, asked


async def test_what_arrived_before_the_content_filter_stays(page: Open) -> None:
    server = VLLM()
    server.refusals = [sse(delta(content="Half"), finish("content_filter"))]
    chat = await page(server)
    await chat.ask()
    assert chat.marks() == [{"answer": "Half", "model": "phi-4-mini-instruct"}, {"notice": "filtered"}]
    assert chat.buttons() == ["regenerate"]


async def test_internal_errors_are_never_quoted(page: Open) -> None:
    server = VLLM()
    server.refusals = [Answer(500, json={"error": {"message": "Traceback: /usr/lib/secret.py"}})]
    chat = await page(server)
    await chat.ask()
    assert "secret" not in str(chat.sent)
    assert "failed on this question" in chat.steps()[0]["output"]


@pytest.mark.parametrize(
    ("refusal", "kind", "said"),
    [
        (sse(finish()), "empty", "The answer is empty"),
        (sse(delta(content=" \n"), finish()), "empty", "The answer is empty"),
        (sse(delta(reasoning="Hm."), finish()), "empty", "The answer is empty"),
        (Answer(429, json={"error": {"message": "Too *many*"}}), "busy", "Too \\*many\\*"),
        (Answer(429, headers={"retry-after": "7"}, text="busy"), "busy", "the server asks to wait 7 s"),
        (broken(), "failed", "failed on this question"),
        (TOO_LONG, "too_long", "too long for the model"),
        (Answer(401, text="no"), "forbidden", "denies access to this application"),
        (VLLM.error(400, "roles must alternate", "BadRequestError"), "refused", "roles must alternate"),
        (Answer(200, html="<html>hello</html>"), "not_api", "Something else answers"),
        (Answer(302, headers={"location": "https://login"}), "not_api", "Something else answers"),
        (sse(finish("content_filter")), "filtered", "content filter"),
        (sse(finish("abort")), "failed", "failed on this question"),
        (sse(finish("error")), "failed", "failed on this question"),
        (Answer(503, text="no healthy upstream"), "not_ready", "failed on this question"),
    ],
)
async def test_an_error_is_shown_and_can_be_retried(page: Open, refusal: Answer, kind: str, said: str) -> None:
    server = VLLM()
    server.refusals = [refusal]
    chat = await page(server)
    # A question that is too long is not a fault of the model or of the chat.
    counted = {
        ("kaito_chat_errors_total", "kind"): 0 if kind == "too_long" else 1,
        ("kaito_chat_requests_total", "outcome"): 1,
    }

    def count(metric: str, label: str) -> float:
        return REGISTRY.get_sample_value(metric, {"model": "phi-4-mini-instruct", label: kind}) or 0

    before = {each: count(*each) for each in counted}
    await chat.ask()
    assert chat.marks() == [{"notice": kind}]
    assert said in chat.steps()[0]["output"]
    assert chat.buttons() == ["again"]
    assert all(not step["streaming"] for step in chat.steps("llm"))
    assert {each: count(*each) - before[each] for each in counted} == counted
    await chat.press("again")
    assert chat.answers() == [HELLO]
    assert chat.buttons() == ["regenerate"]
    assert asked(server) == [[("user", "Hello?")]] * 2
    assert chat.events("task_start", "task_end") == ["task_start", "task_end"] * 2


@pytest.mark.parametrize(
    "cut",
    [
        sse(delta(content="Half"), done=False),
        sse(delta(content="Half"), {"error": {"message": "EngineDeadError", "code": 500}}),
        Answer(200, text=f"data: {json.dumps(delta(content='Half'))}\n\ndata: {{oops\n\n"),
    ],
    ids=["end", "error", "garbage"],
)
async def test_what_arrived_of_a_cut_answer_stays(page: Open, cut: Answer) -> None:
    server = VLLM()
    server.refusals = [cut]
    chat = await page(server)
    await chat.ask()
    half = {"answer": "Half", "model": "phi-4-mini-instruct", "unfinished": True}
    assert chat.marks() == [half, {"notice": "cut_off"}]
    assert chat.steps()[0]["output"] == "Half"
    assert [line.startswith("first token after") for line in chat.facts().values()] == [True]
    assert chat.buttons() == ["continue", "regenerate"]
    assert len(asked(server)) == 1, "nothing is tried again after the first token"


async def test_an_error_names_the_reference_in_the_log(page: Open, caplog: pytest.LogCaptureFixture) -> None:
    server = VLLM()
    server.refusals = [Answer(500, text="Traceback")]
    chat = await page(server)
    await chat.ask()
    (reference,) = [record.reference for record in caplog.records if hasattr(record, "reference")]
    assert ENGLISH.say("notice.reference", reference=reference) in chat.steps()[0]["output"]
