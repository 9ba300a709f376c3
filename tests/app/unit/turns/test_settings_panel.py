"""The settings panel, and the choice of a model."""

import re
from importlib import import_module
from typing import Any

import httpx

from support.chat.fakes.kaito import VLLM, Answer, delta, finish, sse
from support.chat.in_process import COMPLETIONS, HELLO, Open, handlers
from support.project import ROOT

FIELD = re.compile(r"""^  \[(?:'([^']+)'|"([^"]+)"), ([\d_]+)\],$""", re.MULTILINE)


async def test_a_new_conversation_shows_the_settings(page: Open) -> None:
    chat = await page(VLLM(window_tokens=2048), temperature=0.3)
    await chat.sockets.shown(chat.session.socket_id)
    (panel,) = [data for event, data in chat.sent if event == "chat_settings"]
    shown = {each["id"]: each["initial"] for each in panel}
    assert shown == {
        "temperature": 0.3,
        "top_p": 1,
        "max_tokens": 1024,
        "system_prompt": "You are a helpful assistant.",
    }
    assert next(each["max"] for each in panel if each["id"] == "max_tokens") == 1024
    assert chat.session.chat_settings == shown


async def test_a_resumed_conversation_keeps_what_was_chosen(page: Open) -> None:
    server = VLLM()
    chat = await page(server)
    chat.session.chat_settings = {"temperature": 0.1, "max_tokens": 99_999, "system_prompt": "Be brief."}
    await chat.call(chat.answers_of.show_settings, chat.session)
    await chat.ask()
    (body,) = server.bodies(COMPLETIONS)
    assert (body["temperature"], body["max_tokens"]) == (0.1, 1024)
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}


async def test_several_models_are_profiles_with_starters_of_their_own(page: Open) -> None:
    models = [
        {"name": "small", "endpoint_url": "http://small", "starters": [{"label": "Hi", "message": "Hello?"}]},
        {"name": "large", "endpoint_url": "http://large", "description": "Slow."},
    ]
    asked_hosts: list[str] = []

    def server(request: httpx.Request) -> Answer:
        asked_hosts.append(request.url.host)
        return VLLM()(request)

    chat = await page(server, models=models, endpoint_url=None)
    small, large = await chat.call(handlers().set_chat_profiles, None, None)
    assert (small.name, small.default, [each.label for each in small.starters]) == ("small", True, ["Hi"])
    assert (large.name, large.default, large.markdown_description) == ("large", False, "Slow.")
    assert len(large.starters) == 4
    chat.session.chat_profile = "large"
    await chat.services.models[1].check()
    await chat.ask()
    assert chat.answers() == [HELLO]
    assert asked_hosts[-1] == "large"


async def test_one_model_is_no_profile_and_has_the_settings_starters(page: Open) -> None:
    chat = await page(VLLM(), starters=[{"label": "Hi", "message": "Hello?"}])
    assert handlers().set_chat_profiles is None
    assert [each.message for each in await chat.call(handlers().set_starters, None, None)] == ["Hello?"]


async def test_a_model_among_several_is_picked_in_the_settings(page: Open) -> None:
    class Several(VLLM):
        def get_v1_models(self, _: Any) -> Answer:
            base = {"id": "base", "owned_by": "vllm", "max_model_len": 2048}
            adapter = {"id": "tuned", "owned_by": "vllm", "max_model_len": None, "parent": "base"}
            return Answer(200, json={"object": "list", "data": [base, adapter]})

        def post_v1_chat_completions(self, body: dict[str, Any]) -> Answer:
            return sse(delta(content=f"I am {body['model']}."), finish())

    chat = await page(Several("base"))
    await chat.sockets.shown(chat.session.socket_id)
    (panel,) = [data for event, data in chat.sent if event == "chat_settings"]
    (picker,) = [each for each in panel if each["id"] == "model"]
    assert ([each["value"] for each in picker["items"]], picker["initial"]) == (["base", "tuned"], "base")
    await chat.ask()
    await chat.messages.choose(chat.session.socket_id, {"model": "tuned", "other": "x", "temperature": "hot"})
    assert "other" not in chat.session.chat_settings
    await chat.ask()
    await chat.messages.choose(chat.session.socket_id, {"model": "../etc/passwd"})
    await chat.ask()
    assert chat.answers() == ["I am base.", "I am tuned.", "I am base."]


def test_the_fields_of_the_page_take_no_more_than_the_server() -> None:
    script = (ROOT / "app/kaito_chat/page/assets/public/kaito-chat/limits.js").read_text(encoding="utf-8")
    longest = {one or other: int(length) for one, other, length in FIELD.findall(script)}
    bodies = import_module("kaito_chat.routes.bodies")
    panel = import_module("kaito_chat.chat.settings_panel")
    assert longest == {
        '[role="dialog"] input#name': bodies.LONGEST_NAME,
        '[role="dialog"]:has(#submit-feedback) textarea': bodies.LONGEST_COMMENT,
        "textarea#system_prompt": panel.LONGEST_TEXT,
        "[cmdk-input]": bodies.LONGEST_SEARCH,
    }
