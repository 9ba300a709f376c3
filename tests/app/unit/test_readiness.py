import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from kaito_chat.backends import Message, Text
from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.kubernetes.api_server import ApiServer
from kaito_chat.kubernetes.workspace import Workspaces, conditions_of
from kaito_chat.models.asking import Asking
from kaito_chat.models.readiness import Model
from kaito_chat.models.states import State
from kaito_chat.settings import Settings
from kaito_chat.texts import texts_for
from support.chat.backends import SAMPLING, asking_of, model_of
from support.chat.fakes.kaito import VLLM, Answer, Downloading, Fake
from support.chat.fakes.neighbours import BaseOnVLLM

ENGLISH = texts_for("en-US")


class Changing:
    """A server that a test replaces."""

    def __init__(self, now: Fake | None = None) -> None:
        self.now = now

    def __call__(self, request: httpx.Request) -> Answer:
        if self.now is None:
            raise httpx.ConnectError("refused", request=request)
        return self.now(request)


async def test_a_model_warms_up_is_ready_goes_and_comes_back() -> None:
    server = Changing()
    model = model_of(server)
    states = []
    for now in (None, Downloading(), VLLM(), None, VLLM("renamed")):
        server.now = now
        await model.check()
        states.append(model.state)
        if isinstance(now, Downloading):
            assert "about 1 min 35 s left" in ENGLISH.warming_up(model)
    assert states == [State.WARMING_UP, State.WARMING_UP, State.READY, State.GONE, State.READY]
    assert model.default
    assert model.default.id == "renamed"


async def ready(model: Model) -> str:
    while model.default is None:
        await model.changed(2)
    return model.default.id


async def test_everybody_who_waits_is_told() -> None:
    server = Changing()
    model = model_of(server)
    running = asyncio.create_task(model.run())
    waiting = [asyncio.create_task(ready(model)) for _ in range(3)]
    await asyncio.sleep(0.05)
    server.now = VLLM()
    async with asyncio.timeout(2):
        assert [await each for each in waiting] == ["phi-4-mini-instruct"] * 3
    running.cancel()
    await asyncio.wait((running,))


async def test_a_refused_credential_is_said() -> None:
    model = model_of(lambda _: Answer(401, text="no"))
    await model.check()
    assert model.state is State.FORBIDDEN


async def test_the_page_quotes_a_refusal_and_never_a_library() -> None:
    refused = model_of(lambda _: Answer(403, json={"error": {"message": "No <key>"}}))
    await refused.check()
    assert "No \\<key\\>" in ENGLISH.warming_up(refused)

    async def headers() -> dict[str, str]:
        raise RuntimeError("secret of the credential")

    broken = model_of(VLLM())
    broken.replicas[0].endpoint._headers = headers  # noqa: SLF001
    await broken.check()
    assert broken.state is State.FORBIDDEN
    assert "secret" in broken.reason
    assert "secret" not in ENGLISH.warming_up(broken)


@pytest.mark.parametrize("answer", [Answer(200, html="<html>Sign in</html>"), Answer(302, headers={"location": "/in"})])
async def test_a_login_page_in_front_of_a_model_is_said(answer: Answer) -> None:
    model = model_of(lambda _: answer)
    await model.check()
    assert model.state is State.NOT_API
    assert "Something else answers at the model's address" in ENGLISH.warming_up(model)


async def test_a_model_that_holds_no_conversation_is_known_as_one_after_its_first_answer() -> None:
    model = model_of(BaseOnVLLM())
    await model.check()
    assert not model.base_model
    asking = asking_of(Settings(endpoint_url="http://model"), model, [Message("user", "Hello?")], SAMPLING)
    assert [batch async for batch in asking.answer()]
    assert model.base_model


def workspace(**conditions: str) -> dict[str, Any]:
    entries = [
        {"type": name, "status": status, "lastTransitionTime": "2026-11-24T10:00:00Z", "message": f"{name}?"}
        for name, status in conditions.items()
    ]
    return {"metadata": {"creationTimestamp": "2026-11-24T09:50:00Z"}, "status": {"conditions": entries}}


@pytest.mark.parametrize(
    ("given", "node", "server"),
    [
        (workspace(), False, False),
        ({}, False, False),
        (workspace(NodeClaimReady="False", ResourceReady="False"), False, False),
        (workspace(ResourceReady="True", InferenceReady="False"), True, False),
        (workspace(NodesReady="True"), True, False),
        (workspace(ResourceReady="True", InferenceReady="True", WorkspaceSucceeded="True"), True, True),
    ],
)
def test_a_workspaces_conditions_are_steps(given: dict[str, Any], node: bool, server: bool) -> None:  # noqa: FBT001
    found = conditions_of(given)
    assert (found.node_ready, found.server_ready) == (node, server)


@pytest.mark.parametrize("status", [200, 403, 404])
async def test_a_workspace_is_read_with_the_pods_own_token(status: int, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken\n", encoding="utf-8")
    (tmp_path / "namespace").write_text("chats", encoding="utf-8")
    asked: list[httpx.Request] = []

    def api(request: httpx.Request) -> Answer:
        asked.append(request)
        return Answer(status, text=json.dumps({"kind": "Workspace"} | workspace(ResourceReady="True")))

    server = ApiServer("https://api", tmp_path)
    workspaces = Workspaces(server, "kaito.sh/v1beta1", None)
    server._client = httpx.AsyncClient(transport=httpx.MockTransport(api))  # noqa: SLF001
    found = await workspaces.conditions("phi")
    assert (found is not None) == (status == 200)
    assert str(asked[0].url) == "https://api/apis/kaito.sh/v1beta1/namespaces/chats/workspaces/phi"
    assert asked[0].headers["authorization"] == "Bearer t0ken"


async def test_without_a_token_no_api_server_is_asked(tmp_path: Path) -> None:
    assert await Workspaces(ApiServer("https://no-such-host.invalid", tmp_path), "v1", None).conditions("phi") is None


async def asked(server: Fake, *messages: Message, **settings: object) -> tuple[str, Asking]:
    model = model_of(server)
    await model.check()
    given = {"endpoint_url": "http://model", "coalesce_milliseconds": 0, **settings}
    asking = asking_of(Settings(**given), model, messages or (Message("user", "Hello?"),), SAMPLING)  # type: ignore[arg-type]
    batches = [batch async for batch in asking.answer()]
    return "".join(event.text for batch in batches for event in batch if isinstance(event, Text)), asking


async def test_a_busy_server_is_asked_again_before_the_first_token() -> None:
    server = VLLM()
    server.refusals = [Answer(429, text="busy"), Answer(503, headers={"retry-after": "0"})]
    assert (await asked(server))[0] == "Hello there, friend."


async def test_a_server_that_stays_busy_is_asked_no_more_than_allowed() -> None:
    server = VLLM()
    server.refusals = [Answer(429, text="busy")] * 9
    with pytest.raises(BackendError) as raised:
        await asked(server, max_retries=1)
    assert raised.value.kind is Kind.BUSY
    assert len(server.refusals) == 7


async def test_a_server_that_asks_for_a_long_pause_is_not_waited_for() -> None:
    server = VLLM()
    server.refusals = [Answer(429, headers={"retry-after": "300"}, text="busy")]
    with pytest.raises(BackendError) as raised:
        await asked(server)
    assert raised.value.retry_after_seconds == 300


async def test_a_model_that_an_upgrade_renamed_is_found_again() -> None:
    server = VLLM("old")
    model = model_of(server)
    await model.check()
    server.model = "new-name"
    settings = Settings(endpoint_url="http://model")
    asking = asking_of(settings, model, [Message("user", "Hello?")], SAMPLING)
    assert [batch async for batch in asking.answer()]
    assert server.bodies("/v1/chat/completions")[-1]["model"] == "new-name"


async def test_what_the_server_finds_too_long_is_shortened() -> None:
    server = VLLM()
    server.refusals = [VLLM.error(400, "This model's maximum context length is 9 tokens.", "BadRequestError")]
    messages = [Message("user", "a"), Message("assistant", "b"), Message("user", "c")]
    text, asking = await asked(server, *messages)
    assert text
    assert asking.progress.dropped == 2
    assert server.bodies("/v1/chat/completions")[-1]["messages"] == [{"role": "user", "content": "c"}]
