"""The scripted engine, over HTTP and as a process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from kaito_chat.backends import Finish, Message, Sampling, Text, Timeouts, Usage, pool
from kaito_chat.engine.script import answer_to, tokens_of
from kaito_chat.engine.scripted import MODEL, WINDOW_TOKENS, application
from support.chat.backends import backend_at_url, events_of

APP = Path(__file__).parents[3] / "app"


def question(text: str, **more: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": text}], **more}


@pytest.fixture
async def engine() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application(0)), base_url="http://engine") as client:
        yield client


async def text_of(engine: httpx.AsyncClient, text: str) -> str:
    response = await engine.post("/v1/chat/completions", json=question(text))
    return str(response.json()["choices"][0]["message"]["content"])


async def test_it_lists_its_model(engine: httpx.AsyncClient) -> None:
    entry = (await engine.get("/v1/models")).json()["data"][0]
    assert (entry["id"], entry["owned_by"], entry["max_model_len"]) == (MODEL, "kaito-chat", WINDOW_TOKENS)
    assert (await engine.get("/health")).status_code == 200
    assert (await engine.get("/metrics")).status_code == 404
    assert (await engine.get("/chat")).status_code == 404


async def test_the_answer_quotes_the_question_and_says_which_turn_it_is(engine: httpx.AsyncClient) -> None:
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "Two?\nReally?"},
    ]
    response = await engine.post("/v1/chat/completions", json={"messages": messages})
    text = response.json()["choices"][0]["message"]["content"]
    assert "answer 2" in text
    assert "> Two?\n> Really?" in text
    assert "One?" not in text


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("Compare TCP and UDP in a table with four rows.", "| --- |"),
        ("Write a Python function that says whether a number is prime.", "```python\n"),
        ("Show me a formula", "$$"),
        ("A long answer, please", "paragraph 12 of 12"),
    ],
)
async def test_key_phrases(engine: httpx.AsyncClient, asked: str, part: str) -> None:
    assert part in await text_of(engine, asked)
    assert await text_of(engine, asked) == await text_of(engine, asked)


@pytest.mark.parametrize("text", [answer_to(question(asked)["messages"]) for asked in ("a table", "hi", "long answer")])  # type: ignore[arg-type]
def test_tokens_are_the_text(text: str) -> None:
    assert "".join(tokens_of(text)) == text


async def test_a_stream_ends_with_reason_usage_and_done(engine: httpx.AsyncClient) -> None:
    body = question("count to 5", stream=True, stream_options={"include_usage": True})
    response = await engine.post("/v1/chat/completions", json=body)
    *lines, done = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    chunks = [json.loads(line) for line in lines]
    assert done == "[DONE]"
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks[:-1]) == "1 2 3 4 5"
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] == 5


async def test_usage_is_streamed_only_if_asked_for(engine: httpx.AsyncClient) -> None:
    response = await engine.post("/v1/chat/completions", json=question("count to 5", stream=True))
    assert "usage" not in response.text


async def test_max_tokens_cut_the_answer(engine: httpx.AsyncClient) -> None:
    response = await engine.post("/v1/chat/completions", json=question("count to 9", max_tokens=4))
    choice = response.json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("1 2 3 4", "length")


@pytest.mark.parametrize(
    ("body", "status", "kind", "words"),
    [
        (question("hi", model="phi"), 404, "NotFoundError", "The model `phi` does not exist."),
        (question("hi " * 5000), 400, "BadRequestError", "context length is 4096 tokens. However, your request"),
        (question("hi", max_tokens=9999), 400, "BadRequestError", "'max_completion_tokens' is too large: 9999."),
        (question("hi", max_tokens=-1), 400, "BadRequestError", "max_tokens must be at least 1"),
        ({"messages": []}, 400, "BadRequestError", "at least one message"),
        ({"messages": ["hi"]}, 400, "BadRequestError", "must be an object"),
        ([], 400, "BadRequestError", "at least one message"),
    ],
)
async def test_refusals(engine: httpx.AsyncClient, body: object, status: int, kind: str, words: str) -> None:
    response = await engine.post("/v1/chat/completions", json=body)
    error = response.json()["error"]
    assert (response.status_code, error["type"], error["code"]) == (status, kind, status)
    assert words in error["message"]


async def test_a_body_that_is_no_json(engine: httpx.AsyncClient) -> None:
    assert (await engine.post("/v1/chat/completions", content=b"{")).status_code == 400


def start(*options: str) -> tuple[subprocess.Popen[str], str]:
    """Start the engine as a process and return it with its address."""
    process = subprocess.Popen(
        (sys.executable, "-m", "kaito_chat.engine.scripted", "--port", "0", *options),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(APP)},
    )
    assert process.stdout
    return process, process.stdout.readline().removeprefix("listening on ").strip()


def close(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


async def test_our_own_backend_understands_it() -> None:
    process, url = start("--token-milliseconds", "1")
    try:
        async with pool(5, 1) as client:
            backend = await backend_at_url(url, client, Timeouts())
            served = await backend.describe()
            events = await events_of(backend, served, [Message("user", "count to 3")], Sampling(0.5, 1.0, 100))
    finally:
        close(process)
    assert (served.id, served.max_model_len_tokens) == (MODEL, WINDOW_TOKENS)
    assert "".join(event.text for event in events if isinstance(event, Text)) == "1 2 3"
    assert Finish("stop") in events
    assert Usage(7, 3) in events


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_even_while_it_answers(ending: signal.Signals) -> None:
    process, url = start("--token-milliseconds", "100")
    try:
        with httpx.stream("POST", f"{url}/v1/chat/completions", json=question("count to 500", stream=True)) as response:
            next(response.iter_bytes())
            began = time.monotonic()
            process.send_signal(ending)
            assert process.wait(5) == 0
            assert time.monotonic() - began < 2
    finally:
        close(process)


def test_it_ends_with_its_parent() -> None:
    process, _ = start("--with-parent")
    try:
        assert process.stdin
        process.stdin.close()
        process.stdin = None
        assert process.wait(5) == 0
    finally:
        close(process)


def test_a_port_in_use_is_reported_in_one_line() -> None:
    process, url = start()
    try:
        second = subprocess.run(
            (sys.executable, "-m", "kaito_chat.engine.scripted", "--port", url.rsplit(":", 1)[1]),
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PYTHONPATH": str(APP)},
        )
    finally:
        close(process)
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert "cannot listen on 127.0.0.1" in second.stderr
