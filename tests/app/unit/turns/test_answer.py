"""The answer on the page: text, reasoning, formulas, usage, and the part of the conversation that is dropped."""

import re

from support.chat.fakes.kaito import VLLM, delta, finish, sse
from support.chat.in_process import ENGLISH, HELLO, Open, asked


async def test_an_answer_is_streamed_and_ends_with_its_mark_and_its_facts(page: Open) -> None:
    chat = await page(VLLM())
    await chat.ask()
    begun = next(data for event, data in chat.sent if event == "stream_start")
    tokens = [data["token"] for event, data in chat.sent if event == "stream_token"]
    assert begun["output"] + "".join(tokens) == HELLO
    (message,) = chat.steps()
    assert message["id"] == begun["id"]
    assert message["output"] == HELLO
    (line,) = chat.facts().values()
    assert re.fullmatch(r"4 tokens · 12 in the prompt · first token after \d\.\d s", line)
    assert list(chat.facts()) == [message["id"]]
    assert message["metadata"]["kaito_chat"] == {"answer": HELLO, "model": "phi-4-mini-instruct"}
    assert message["metadata"]["kaito_chat_facts"]["completion"] == 4
    assert not message["streaming"]
    assert chat.buttons() == ["regenerate"]
    assert chat.events("task_start", "task_end") == ["task_start", "task_end"]


async def test_without_usage_an_answer_is_all_that_is_shown(page: Open) -> None:
    chat = await page(VLLM(), show_usage=False)
    await chat.ask()
    assert [message["output"] for message in chat.steps()] == [HELLO]


async def test_reasoning_is_a_step_that_ends_before_the_answer(page: Open) -> None:
    server = VLLM()
    server.pieces = [delta(reasoning_content="Hm, "), delta(reasoning_content="well."), delta(content="42")]
    chat = await page(server)
    await chat.ask()
    (thought,) = chat.steps("llm")
    assert (thought["name"], thought["output"], thought["streaming"]) == ("Reasoning", "Hm, well.", False)
    assert chat.answers() == ["42"]
    told = [(event, data.get("type")) for event, data in chat.sent if event in ("stream_start", "update_message")]
    assert told[:3] == [("stream_start", "llm"), ("update_message", "llm"), ("stream_start", "assistant_message")]
    await chat.ask("Why?")
    assert asked(server)[-1] == [("user", "Hello?"), ("assistant", "42"), ("user", "Why?")]


async def test_thinking_without_an_opening_tag_moves_out_of_the_answer(page: Open) -> None:
    server = VLLM()
    server.refusals = [sse(delta(content="Hm, "), delta(content="well.\n"), delta(content="</think>\n\n42"), finish())]
    chat = await page(server)
    await chat.ask()
    (thought,) = chat.steps("llm")
    assert (thought["output"], thought["streaming"]) == ("Hm, well.\n", False)
    assert chat.answers() == ["42"]
    assert len(chat.steps()) == 1, "what was shown of the thinking is taken away"
    server.refusals = [sse(delta(content="No thinking "), delta(content="this time."), finish())]
    await chat.ask("Again?")
    assert chat.answers() == ["42", "No thinking this time."]
    assert len(chat.steps("llm")) == 1
    await chat.ask("And?")
    assert asked(server)[-1] == [
        ("user", "Hello?"),
        ("assistant", "42"),
        ("user", "Again?"),
        ("assistant", "No thinking this time."),
        ("user", "And?"),
    ]


async def test_what_the_window_leaves_out_is_said_before_the_answer(page: Open) -> None:
    server = VLLM(window_tokens=256)
    chat = await page(server)
    await chat.ask("long " * 300)
    await chat.ask("And now?")
    outputs = [message["output"] for message in chat.steps()]
    assert outputs[1] == ENGLISH.say("notice.dropped", count=2)
    assert outputs[2].startswith(HELLO)
    assert asked(server)[-1] == [("user", "And now?")]
    await chat.ask("Still?")
    assert asked(server)[-1] == [("user", "And now?"), ("assistant", HELLO), ("user", "Still?")]


async def test_formulas_are_written_for_the_page_and_kept_as_the_model_wrote_them(page: Open) -> None:
    server = VLLM()
    server.pieces = [delta(content=piece) for piece in ("So \\", "(x^", "2\\) costs $5 to $7.")] + [finish()]
    chat = await page(server)
    await chat.ask()
    begun = next(data for event, data in chat.sent if event == "stream_start")
    tokens = [data["token"] for event, data in chat.sent if event == "stream_token"]
    assert begun["output"] + "".join(tokens) == "So $$x^2$$ costs $5 to "  # the last sum might become a formula
    assert chat.steps()[0]["output"] == "So $$x^2$$ costs $5 to $7."
    assert chat.answers() == ["So \\(x^2\\) costs $5 to $7."]


async def test_thinking_is_open_while_it_runs_and_closes_with_the_answer(page: Open) -> None:
    server = VLLM()
    server.pieces = [delta(reasoning_content="Hm."), delta(content="42")]
    chat = await page(server)
    await chat.ask()
    (thought,) = chat.steps("llm")
    assert (thought["defaultOpen"], thought["autoCollapse"]) == (True, True)
