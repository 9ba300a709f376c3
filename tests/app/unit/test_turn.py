"""One turn of a conversation, and the handlers that Chainlit calls, with everything of Chainlit but its socket."""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import ModuleType
from typing import Any

import httpx
import jwt
import pytest
from prometheus_client import REGISTRY

from fakes.kaito import VLLM, Answer, broken, delta, finish, sse
from fakes.neighbours import BaseOnVLLM, Unlisted
from kaito_chat.backends import Patience, connect
from kaito_chat.chat import registry
from kaito_chat.chat.limits import Limits
from kaito_chat.chat.services import Services
from kaito_chat.kubernetes.workspace import Workspaces
from kaito_chat.models.readiness import Watch
from kaito_chat.page.prepare import prepare
from kaito_chat.settings import Settings
from kaito_chat.texts import CONTINUE, texts_for
from processes import ROOT

# Of a library that Chainlit imports.
pytestmark = pytest.mark.filterwarnings("ignore:Support for class-based `config`:pydantic.PydanticDeprecatedSince20")

HANDLERS = ROOT / "app" / "kaito_chat" / "chat" / "handlers.py"
COMPLETIONS = "/v1/chat/completions"
ENGLISH = texts_for("en-US")
HELLO = "Hello there, friend."
SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of these tests
SIGN_IN = {"sign_in": "password", "password_users": '{"ada": "not-a-secret"}', "auth_secret": SECRET}
TOO_LONG = VLLM.error(400, "This model's maximum context length is 9 tokens.", "BadRequestError")
PATIENCE = Patience(connect=5, first_token=5, token=5, answer=5)
Server = Callable[[httpx.Request], Answer]


def chainlit(module: str) -> ModuleType:
    """A module of Chainlit's: it writes below its root when it is imported, so the fixture below goes first."""
    return import_module(f"chainlit.{module}")


@pytest.fixture(scope="module", autouse=True)
def _root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where Chainlit finds its configuration, laid out as for the running application."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CHAINLIT_APP_ROOT", "")
        prepare(Settings(endpoint_url="http://model", data_dir=tmp_path_factory.mktemp("chainlit")))
        patched.setenv("CHAINLIT_AUTH_SECRET", SECRET)
        chainlit("server")
        yield


class Chat:
    """A page as the application sees it: what it does, and everything that it is sent."""

    def __init__(self, services: Services, token: str | None) -> None:
        # They import Chainlit.
        answers = import_module("kaito_chat.chat.answers").Answers(services)
        self.services = services
        self.answers_of = answers
        self.messages = import_module("kaito_chat.sockets.messages").Messages(services, answers)
        self.sockets = import_module("kaito_chat.sockets.connections").Sockets(self, services, answers)
        self.sent: list[tuple[str, Any]] = []
        self.session = chainlit("session").WebsocketSession(
            id=str(uuid.uuid4()),
            socket_id=str(uuid.uuid4()),
            emit=self._emit,
            emit_call=self._emit,
            user_env={},
            client_type="webapp",
            token=token,
        )

    async def _emit(self, event: str, data: Any) -> None:
        self.sent.append((event, deepcopy(data)))

    async def ask(self, question: str = "Hello?", identifier: str = "") -> None:
        payload = {"message": {"id": identifier or str(uuid.uuid4()), "output": question}}
        await asyncio.create_task(self.messages.ask(self.session.socket_id, payload))

    async def edit(self, identifier: str, question: str) -> None:
        payload = {"message": {"id": identifier, "output": question}}
        await asyncio.create_task(self.messages.edit(self.session.socket_id, payload))

    async def stop(self) -> None:
        await self.messages.stop(self.session.socket_id)

    async def leave(self) -> None:
        await self.sockets.disconnect(self.session.socket_id)

    async def emit(self, event: str, data: Any, **_: object) -> None:
        """As Socket.IO's server does."""
        await self._emit(event, data)

    async def press(self, name: str) -> None:
        """Press the newest button of a name."""
        action = next(data for event, data in reversed(self.sent) if event == "action" and data["name"] == name)
        await asyncio.create_task(self.call(self.answers_of.take, chainlit("action").Action(**action)))

    async def call(self, handler: Callable[..., Awaitable[Any]], *arguments: object) -> Any:
        """What a handler returns that is called for this page."""
        chainlit("context").init_ws_context(self.session)
        return await handler(*arguments)

    async def sees(self, text: str) -> None:
        """Wait until the page is sent some text."""
        async with asyncio.timeout(5):
            while text not in str(self.sent):
                await asyncio.sleep(0.01)

    def steps(self, *kinds: str) -> list[dict[str, Any]]:
        """The steps that the page shows of some types; answers and notices by default."""
        wanted = kinds or ("assistant_message", "system_message")
        shown: dict[str, dict[str, Any]] = {}
        for event, data in self.sent:
            if event in ("stream_start", "new_message", "update_message"):
                shown[data["id"]] = data
            elif event == "delete_message":
                shown.pop(data["id"], None)
        return [step for step in shown.values() if step["type"] in wanted]

    def marks(self) -> list[dict[str, Any]]:
        """What the messages are marked with."""
        return [step["metadata"].get("kaito_chat", {}) for step in self.steps()]

    def answers(self) -> list[str]:
        return [mark["answer"] for mark in self.marks() if "answer" in mark]

    def buttons(self) -> list[str]:
        """The buttons that are still there."""
        removed = [data["id"] for event, data in self.sent if event == "remove_action"]
        return [data["name"] for event, data in self.sent if event == "action" and data["id"] not in removed]

    def facts(self) -> dict[str, str]:
        """The lines under answers."""
        told = [data["kaito_chat"] for event, data in self.sent if event == "window_message"]
        return {key: line for each in told for key, line in each.get("facts", {}).items()}

    def events(self, *names: str) -> list[str]:
        return [event for event, _ in self.sent if event in names]


Open = Callable[..., Awaitable[Chat]]


def handlers() -> Any:
    """What Chainlit calls."""
    return chainlit("config").config.code


@pytest.fixture
async def page(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    """Opens a page of an application in front of a model's server."""
    config = chainlit("config")
    monkeypatch.setattr(config.config, "code", config.CodeSettings(action_callbacks={}))
    opened: list[Chat] = []

    async def of(server: Server, *, token: str | None = None, **given: object) -> Chat:
        settings = Settings(**{"coalesce_milliseconds": 0, "max_retries": 0, "endpoint_url": "http://model", **given})  # type: ignore[arg-type]
        client = httpx.AsyncClient(transport=httpx.MockTransport(server))
        watches = [Watch(connect(model, client, PATIENCE), 0.05) for model in settings.served]
        await watches[0].look()
        limits = Limits(answers=9, user_answers=9, questions=99, user_questions=99)
        services = Services(settings, client, watches, Workspaces("https://api", ROOT, "v1", None), limits)
        if settings.sign_in != "none":
            services.tokens = import_module("kaito_chat.chat.tokens").Tokens(SECRET, 24)
        registry.use(services)
        config.load_module(str(HANDLERS))
        opened.append(Chat(services, token))
        return opened[-1]

    yield of
    for chat in opened:
        for turn in chat.services.turns:
            turn.cancel()
        chainlit("chat_context").chat_contexts.pop(chat.session.id, None)
        await chat.session.delete()
        await chat.services.close()


class Hanging(httpx.AsyncByteStream):
    """Begins an answer, and says nothing more."""

    def __init__(self, *pieces: object) -> None:
        self.pieces = pieces
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield f"data: {json.dumps(piece)}\n\n".encode()
        await asyncio.sleep(60)

    async def aclose(self) -> None:
        self.closed = True

    def answer(self) -> Answer:
        return Answer(200, stream=self, headers={"content-type": "text/event-stream"})


def half() -> tuple[VLLM, Hanging]:
    """A server that stops in the middle of its first answer, and that answer."""
    server, hanging = VLLM(), Hanging(delta(content="Half"))
    server.refusals = [hanging.answer()]
    return server, hanging


def token(secret: str = SECRET, hours: float = 1) -> str:
    """What a signed-in page's cookie holds."""
    now = datetime.now(UTC)
    claims = {"identifier": "ada", "metadata": {}, "iat": now, "exp": now + timedelta(hours=hours)}
    return jwt.encode(claims, secret, algorithm="HS256")


def asked(server: VLLM) -> list[list[tuple[str, str]]]:
    """The conversations that the model was sent, without the system prompt."""
    bodies = server.bodies(COMPLETIONS)
    return [[(each["role"], each["content"]) for each in body["messages"][1:]] for body in bodies]


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


async def test_thinking_that_uses_up_the_length_can_be_continued_with_more_room(page: Open) -> None:
    server = VLLM(window_tokens=4096)
    server.refusals = [sse(delta(reasoning="Hm, "), delta(reasoning="well."), finish("length"))]
    chat = await page(server, max_tokens=128)
    await chat.ask()
    assert chat.marks() == [{"notice": "thought_out"}]
    assert chat.steps("llm")[0]["output"] == "Hm, well."
    assert chat.buttons() == ["continue"]
    await chat.press("continue")
    assert chat.answers() == [HELLO]
    assert asked(server) == [[("user", "Hello?")]] * 2, "thinking is not sent back, and no order to continue it"
    first, second = (body["max_tokens"] for body in server.bodies(COMPLETIONS))
    assert first == 128
    assert second > 3000


async def test_what_arrived_before_the_content_filter_stays(page: Open) -> None:
    server = VLLM()
    server.refusals = [sse(delta(content="Half"), finish("content_filter"))]
    chat = await page(server)
    await chat.ask()
    assert chat.marks() == [{"answer": "Half", "model": "phi-4-mini-instruct"}, {"notice": "filtered"}]
    assert chat.buttons() == ["regenerate"]


async def test_no_body_of_a_breakdown_and_no_librarys_words_are_shown(page: Open) -> None:
    server = VLLM()
    server.refusals = [Answer(500, json={"error": {"message": "Traceback: /usr/lib/secret.py"}})]
    chat = await page(server)
    await chat.ask()
    assert "secret" not in str(chat.sent)
    assert "broke over this question" in chat.steps()[0]["output"]


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


@pytest.mark.parametrize(
    ("refusal", "kind", "said"),
    [
        (sse(finish()), "empty", "The answer is empty"),
        (sse(delta(content=" \n"), finish()), "empty", "The answer is empty"),
        (sse(delta(reasoning="Hm."), finish()), "empty", "The answer is empty"),
        (Answer(429, json={"error": {"message": "Too *many*"}}), "busy", "Too \\*many\\*"),
        (Answer(429, headers={"retry-after": "7"}, text="busy"), "busy", "the server asks to wait 7 s"),
        (broken(), "failed", "broke over this question"),
        (TOO_LONG, "too_long", "too long for the model"),
        (Answer(401, text="no"), "forbidden", "does not let this application in"),
        (VLLM.error(400, "roles must alternate", "BadRequestError"), "refused", "roles must alternate"),
        (Answer(200, html="<html>hello</html>"), "not_api", "Another thing answers"),
        (Answer(302, headers={"location": "https://login"}), "not_api", "Another thing answers"),
        (sse(finish("content_filter")), "filtered", "content filter"),
        (sse(finish("abort")), "failed", "broke over this question"),
    ],
)
async def test_a_refusal_is_said_and_can_be_tried_again(page: Open, refusal: Answer, kind: str, said: str) -> None:
    server = VLLM()
    server.refusals = [refusal]
    chat = await page(server)
    counted = {"model": "phi-4-mini-instruct", "kind": kind}
    before = REGISTRY.get_sample_value("kaito_chat_errors_total", counted) or 0
    await chat.ask()
    assert chat.marks() == [{"notice": kind}]
    assert said in chat.steps()[0]["output"]
    assert chat.buttons() == ["again"]
    assert all(not step["streaming"] for step in chat.steps("llm"))
    assert REGISTRY.get_sample_value("kaito_chat_errors_total", counted) == before + 1
    await chat.press("again")
    assert chat.answers() == [HELLO]
    assert chat.buttons() == ["regenerate"]
    assert asked(server) == [[("user", "Hello?")]] * 2
    assert chat.events("task_start", "task_end") == ["task_start", "task_end"] * 2


async def test_an_answer_at_its_longest_can_be_continued(page: Open) -> None:
    server = VLLM()
    server.refusals = [sse(delta(content="One, "), finish("length")), sse(delta(content="two."), finish())]
    chat = await page(server)
    await chat.ask("Count.")
    assert [message["output"] for message in chat.steps()][1:] == [ENGLISH.say("notice.length")]
    assert chat.buttons() == ["continue", "regenerate"]
    await chat.press("continue")
    assert chat.answers() == ["One, ", "two."]
    assert chat.buttons() == ["regenerate"]
    assert asked(server)[-1] == [("user", "Count."), ("assistant", "One, "), ("user", CONTINUE)]
    await chat.ask("More.")
    assert asked(server)[-1] == [("user", "Count."), ("assistant", "One, two."), ("user", "More.")]


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


@pytest.mark.parametrize(
    "cookie",
    [None, "", "no token", token(hours=-2), token("another secret of at least 32 characters")],
    ids=["none", "empty", "garbage", "expired", "forged"],
)
async def test_a_session_that_is_signed_out_asks_no_model(page: Open, cookie: str | None) -> None:
    server = VLLM()
    chat = await page(server, token=cookie, **SIGN_IN)
    await chat.ask()
    assert chat.marks() == [{"notice": "signed_out"}]
    assert chat.steps()[0]["output"] == ENGLISH.say("notice.signed_out", login="/login")
    assert chat.buttons() == []
    assert asked(server) == []


async def test_a_session_that_is_signed_in_is_answered(page: Open) -> None:
    chat = await page(VLLM(), token=token(), **SIGN_IN)
    await chat.ask()
    assert chat.answers() == [HELLO]


async def test_while_the_server_drains_a_question_is_kept_for_the_next_one(page: Open) -> None:
    server = VLLM()
    chat = await page(server)
    chat.services.draining = True
    await chat.ask()
    assert chat.marks() == [{"notice": "drained"}]
    assert chat.steps()[0]["output"] == ENGLISH.say("notice.drained")
    assert chat.buttons() == ["again"]
    assert asked(server) == []
    chat.services.draining = False
    await chat.press("again")
    assert asked(server) == [[("user", "Hello?")]]


@pytest.mark.parametrize(
    ("pieces", "buttons"), [([delta(content="Half")], ["continue", "regenerate"]), ([], ["again"])]
)
async def test_an_answer_that_draining_ends_is_kept(page: Open, pieces: list[object], buttons: list[str]) -> None:
    server, hanging = VLLM(), Hanging(*pieces)
    server.refusals = [hanging.answer()]
    chat = await page(server, drain_seconds=0)
    asking = asyncio.create_task(chat.ask())
    async with asyncio.timeout(5):
        while not asked(server) or (pieces and "Half" not in str(chat.sent)):
            await asyncio.sleep(0.01)
    await chat.services.drain()
    await asking
    assert chat.answers() == ["Half"][: len(pieces)]
    assert chat.marks()[-1] == {"notice": "drained"}
    assert chat.buttons() == buttons
    assert hanging.closed


async def test_a_second_question_ends_the_answer_to_the_first(page: Open) -> None:
    server, hanging = half()
    chat = await page(server)
    first = asyncio.create_task(chat.ask("One?"))
    await chat.sees("Half")
    await chat.ask("Two?")
    assert first.done()
    assert hanging.closed
    assert chat.answers() == ["Half", HELLO]


async def test_an_edited_question_ends_the_answer_to_the_old_one(page: Open) -> None:
    server, hanging = half()
    chat = await page(server)
    identifier = str(uuid.uuid4())
    first = asyncio.create_task(chat.ask("One?", identifier))
    await chat.sees("Half")
    await chat.edit(identifier, "Two?")
    await first
    assert hanging.closed
    assert chat.answers()[-1] == HELLO
    assert asked(server)[-1][0] == ("user", "Two?")


async def test_stop_ends_an_answer_and_keeps_what_arrived(page: Open) -> None:
    server, hanging = half()
    chat = await page(server)
    asking = asyncio.create_task(chat.ask())
    await chat.sees("Half")
    await chat.stop()
    await asking
    assert hanging.closed
    assert chat.answers() == ["Half"]
    assert chat.buttons() == ["continue", "regenerate"]
    assert chat.services.turns == set()


async def test_a_stopped_answer_is_continued(page: Open) -> None:
    server, _ = half()
    chat = await page(server)
    asking = asyncio.create_task(chat.ask())
    await chat.sees("Half")
    await chat.stop()
    await asking
    assert ENGLISH.say("notice.stopped") in [message["output"] for message in chat.steps()]
    assert {"notice": "stopped"} in chat.marks()
    await chat.press("continue")
    assert chat.answers() == ["Half", HELLO]
    assert asked(server)[-1] == [("user", "Hello?"), ("assistant", "Half"), ("user", CONTINUE)]


async def test_an_answer_is_regenerated_in_its_place(page: Open) -> None:
    server = VLLM()
    server.refusals = [sse(delta(content="One, "), finish("length")), sse(delta(content="two."), finish())]
    chat = await page(server)
    await chat.ask("Count.")
    await chat.press("continue")
    await chat.press("regenerate")
    assert chat.answers() == [HELLO]
    assert [message["output"] for message in chat.steps()] == [HELLO]
    assert asked(server)[-1] == [("user", "Count.")]
    assert chat.buttons() == ["regenerate"]


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


async def test_stop_ends_an_answer_that_a_button_asked_for(page: Open) -> None:
    server, hanging = VLLM(), Hanging(delta(content="Half"))
    server.refusals = [broken(), hanging.answer()]
    chat = await page(server)
    await chat.ask()
    pressing = asyncio.create_task(chat.press("again"))
    await chat.sees("Half")
    await chat.stop()
    await pressing
    assert hanging.closed
    assert chat.answers() == ["Half"]
    assert chat.buttons() == ["continue", "regenerate"]
    assert chat.events("task_start", "task_end") == ["task_start", "task_end"] * 2


async def test_the_model_sees_a_second_question_after_what_arrived_for_the_first(page: Open) -> None:
    server, _ = half()
    chat = await page(server)
    first = asyncio.create_task(chat.ask("One?"))
    await chat.sees("Half")
    await chat.ask("Two?")
    await first
    assert asked(server)[-1] == [("user", "One?"), ("assistant", "Half"), ("user", "Two?")]


async def test_the_model_sees_nothing_of_the_answer_to_a_question_that_was_edited(page: Open) -> None:
    server, _ = half()
    chat = await page(server)
    identifier = str(uuid.uuid4())
    first = asyncio.create_task(chat.ask("One?", identifier))
    await chat.sees("Half")
    await chat.edit(identifier, "Two?")
    await first
    assert asked(server)[-1] == [("user", "Two?")]


@pytest.mark.parametrize(
    ("button", "refusals"),
    [("continue", [sse(delta(content="One, "), finish("length")), broken()]), ("again", [broken()])],
)
async def test_an_old_button_asks_no_broken_conversation(page: Open, button: str, refusals: list[Answer]) -> None:
    server = VLLM()
    server.refusals = list(refusals)
    chat = await page(server)
    await chat.ask("One?")
    await chat.ask("Two?")
    await chat.press(button)
    for turns in asked(server):
        assert [role for role, _ in turns] == (["user", "assistant"] * len(turns))[: len(turns) // 2 * 2 + 1]


async def test_a_button_works_in_a_conversation_that_was_resumed(page: Open) -> None:
    server = VLLM()
    server.refusals = [broken()]
    chat = await page(server)
    await chat.ask("One?")
    for message in chainlit("chat_context").chat_contexts[chat.session.id]:
        message.actions = []  # the history keeps none
    await chat.press("again")
    assert asked(server)[-1] == [("user", "One?")]
    assert len(asked(server)) == 2
    await chat.press("again")  # it is gone: nothing more is asked
    assert len(asked(server)) == 2


async def test_stop_ends_a_step_of_reasoning(page: Open) -> None:
    server, hanging = VLLM(), Hanging(delta(reasoning="Hm."))
    server.refusals = [hanging.answer()]
    chat = await page(server)
    asking = asyncio.create_task(chat.ask())
    await chat.sees("Hm.")
    await chat.stop()
    await asking
    assert [step["streaming"] for step in chat.steps("llm")] == [False]


class Absent:
    """A server that is not there, until it is."""

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
    await chat.sees("waiting for 1 s for its first sign")
    assert len(chat.marks()) == 1
    absent.server = VLLM()
    await chat.services.watches[0].look()
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
    await chat.services.watches[0].look()
    await asking
    assert chat.marks() == [{"answer": HELLO, "model": "renamed"}]
    assert asked(absent.server) == [[("user", "Hello?")]]


@pytest.mark.parametrize(("goodbye", "grace"), [(True, 60), (False, 0)], ids=["closed", "lost"])
async def test_an_answer_that_nobody_can_see_ends(page: Open, grace: float, *, goodbye: bool) -> None:
    server, hanging = half()
    chat = await page(server, disconnect_grace_seconds=grace)
    asking = asyncio.create_task(chat.ask())
    await chat.sees("Half")
    chat.session.to_clear = goodbye
    await chat.leave()
    await asyncio.wait((asking,), timeout=3)
    assert asking.done()
    assert hanging.closed
    assert chat.buttons() == ["continue", "regenerate"]
    assert chat.answers() == ["Half"]


async def test_an_answer_goes_on_when_its_page_comes_back(page: Open) -> None:
    server, hanging = half()
    chat = await page(server, disconnect_grace_seconds=0.01)
    asking = asyncio.create_task(chat.ask())
    await chat.sees("Half")
    await chat.leave()
    chat.services.conversations.of(chat.session.id).come()
    await asyncio.sleep(0.05)
    (turn,) = chat.services.turns
    assert not turn.cancelling()
    assert not hanging.closed
    await chat.stop()
    await asking


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
    await chat.services.watches[1].look()
    await chat.ask()
    assert chat.answers() == [HELLO]
    assert asked_hosts[-1] == "large"


async def test_one_model_is_no_profile_and_has_the_settings_starters(page: Open) -> None:
    chat = await page(VLLM(), starters=[{"label": "Hi", "message": "Hello?"}])
    assert handlers().set_chat_profiles is None
    assert [each.message for each in await chat.call(handlers().set_starters, None, None)] == ["Hello?"]


async def test_only_the_right_password_signs_in(page: Open) -> None:
    chat = await page(VLLM(), **SIGN_IN)
    signed_in = handlers().password_auth_callback
    assert (await chat.call(signed_in, "ada", "not-a-secret")).identifier == "ada"
    for name, word in (("ada", "wrong"), ("ada", ""), ("nobody", ""), ("", "not-a-secret"), ("ada", "nöt")):
        assert await chat.call(signed_in, name, word) is None


async def test_whom_the_tenant_lets_in_is_let_in(page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    entra = {"sign_in": "entra", "auth_secret": SECRET, "public_url": "https://chat.example.com"}
    for name in ("tenant_id", "client_id", "client_secret"):
        monkeypatch.setenv(f"OAUTH_AZURE_AD_{name.upper()}", "x")
        entra[f"entra_{name}"] = "x"
    chat = await page(VLLM(), token=token(), **entra)
    secret = {"image": "data:image/jpeg;base64," + "x" * 4000, "refresh_token": "y" * 1500, "provider": "azure-ad"}
    user = chainlit("user").User(identifier="ada@example.com", metadata=secret)
    let_in = await chat.call(handlers().oauth_callback, "azure-ad", "token", {}, user)
    assert (let_in.identifier, let_in.metadata) == ("ada@example.com", {"provider": "azure-ad"})
    # NGINX takes 4 KiB of an answer's headers.
    assert len(chainlit("auth").create_jwt(let_in)) < 1024
    await chat.ask()
    assert chat.answers() == [HELLO]


async def test_a_base_model_is_called_one_once(page: Open) -> None:
    chat = await page(BaseOnVLLM())
    await chat.ask()
    await chat.ask()
    assert chat.answers() == [HELLO] * 2
    told = [step["output"] for step in chat.steps("system_message")]
    assert told == [ENGLISH.say("notice.base_model")]


async def test_a_model_that_no_list_names_is_said_to_be_asked_by_its_name(page: Open) -> None:
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


async def test_a_server_that_lists_other_models_is_not_said_to_list_none(page: Open) -> None:
    chat = await page(Unlisted(Answer(200, json={"data": [{"id": "shown"}]})), model="Qwen/Qwen3-8B")
    await chat.ask()
    assert chat.answers() == [HELLO]
    assert "lists no models" not in str(chat.sent)


async def test_thinking_is_open_while_it_runs_and_closes_with_the_answer(page: Open) -> None:
    server = VLLM()
    server.pieces = [delta(reasoning_content="Hm."), delta(content="42")]
    chat = await page(server)
    await chat.ask()
    (thought,) = chat.steps("llm")
    assert (thought["defaultOpen"], thought["autoCollapse"]) == (True, True)


async def test_a_trouble_names_the_reference_that_stands_in_the_log(
    page: Open, caplog: pytest.LogCaptureFixture
) -> None:
    server = VLLM()
    server.refusals = [Answer(500, text="Traceback")]
    chat = await page(server)
    await chat.ask()
    (reference,) = [record.reference for record in caplog.records if hasattr(record, "reference")]
    assert ENGLISH.say("notice.reference", reference=reference) in chat.steps()[0]["output"]
