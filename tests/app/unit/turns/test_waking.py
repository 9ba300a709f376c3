"""A model that sleeps: the page shows until when, and users whom the settings admit wake it."""

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import HTTPException

from kaito_chat.chat.limits import UsageLimits
from kaito_chat.models.states import State
from kaito_chat.settings import Settings
from support.chat.fakes.kaito import VLLM, Answer
from support.chat.in_process import ENGLISH, HELLO, SIGN_IN, Chat, Open, chainlit, token
from support.chat.scales import Scales, service_account, serving
from support.chat.workspaces import CLAIMS, INFERENCE_WAITS, NODES, QUOTA, RESOURCE, claims, workspace

GROUP = "11111111-2222-3333-4444-555555555555"
EVERYONE = {**SIGN_IN, "wake_allowed": "signed_in"}


class Sleeper:
    """A model server that runs only while its InferenceSet has replicas."""

    def __init__(self, api: Scales) -> None:
        self.api = api
        self.server = VLLM()

    def __call__(self, request: httpx.Request) -> Answer:
        if not self.api.replicas.get("phi"):
            raise httpx.ConnectError("refused", request=request)
        return self.server(request)


@pytest.fixture
def api() -> Iterator[Scales]:
    with serving(phi=0) as scales:
        yield scales


@pytest.fixture
def opened(page: Open, api: Scales, tmp_path: Path) -> Open:
    """Opens a page, of a signed-in user, of an application with a model that sleeps."""

    async def of(user: str | None = "ada", model: Mapping[str, object] | None = None, **given: object) -> Chat:
        models = [{"name": "Phi", "endpoint_url": "http://phi", "inference_set_name": "phi", **(model or {})}]
        cluster = (api.url, service_account(tmp_path))
        chat = await page(
            Sleeper(api), token=token() if user else None, api=cluster, endpoint_url=None, models=models, **given
        )
        if user:
            chat.session.user = chainlit("user").User(identifier=user)
        return chat

    return of


def routes(chat: Chat) -> Any:
    return import_module("kaito_chat.routes.page").PageRoutes(chat.services, chat.answers_of)


async def pressed(chat: Chat, model: str = "Phi") -> tuple[int, str]:
    """Press the wake button, and return the status of the response and why the model was not woken."""
    bodies = import_module("kaito_chat.routes.bodies")
    response = await routes(chat).wake(bodies.Wake(model=model), chat.session.user)
    return response.status_code, json.loads(response.body)["detail"]


async def test_the_page_says_until_when_a_model_sleeps(opened: Open) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=2)
    chat = await opened(model={"schedule": {"wakes": f"{soon:%M %H} * * *"}}, **EVERYONE)
    assert chat.services.models[0].state is State.ASLEEP
    (shown,) = (await routes(chat).status(chat.session.user))["models"]
    assert shown["state"] == "asleep"
    date = "" if soon.date() == datetime.now(UTC).date() else f"{soon:%Y-%m-%d} "
    assert shown["text"] == f"asleep until {date}{soon:%H:%M} UTC"
    assert (shown["steps"], shown["wake"]) == ([], True)


@pytest.mark.parametrize(
    ("given", "user", "groups", "allowed"),
    [
        ({}, "ada", None, False),
        (EVERYONE, "ada", None, True),
        (EVERYONE, None, None, False),
        ({**SIGN_IN, "wake_allowed": "listed", "wake_users": ["Ada", "bob"]}, "ada", None, True),
        ({**SIGN_IN, "wake_allowed": "listed", "wake_users": ["bob"]}, "ada", None, False),
        ({**SIGN_IN, "wake_allowed": "listed", "wake_users": ["bob"]}, "ada", ["bob"], False),
    ],
)
async def test_the_button_is_for_those_whom_the_settings_admit(
    opened: Open,
    api: Scales,
    given: dict[str, object],
    user: str | None,
    groups: list[str] | None,
    allowed: bool,  # noqa: FBT001
) -> None:
    chat = await opened(user, **given)
    if chat.session.user and groups:
        chat.session.user.metadata = {"wake_groups": groups}
    (shown,) = (await routes(chat).status(chat.session.user))["models"]
    assert shown["wake"] is allowed
    if user and not allowed:
        assert await pressed(chat) == (403, ENGLISH.say("wake.not_allowed"))
        assert api.asked[-1].method == "GET"
        assert api.patches() == []


@pytest.mark.parametrize(("member", "allowed"), [([GROUP], True), ([str(uuid4())], False), ("not a list", False)])
async def test_members_of_a_listed_group_may_wake(opened: Open, member: object, allowed: bool) -> None:  # noqa: FBT001
    entra = {f"entra_{key}": "x" for key in ("tenant_id", "client_id", "client_secret")}
    given: dict[str, Any] = {
        **SIGN_IN,
        **entra,
        "sign_in": "entra",
        "public_url": "https://chat.example.com",
        "wake_groups": [GROUP],
    }
    settings = Settings(endpoint_url="http://x", wake_allowed="listed", **given)
    chat = await opened(**EVERYONE)
    user = chainlit("user").User(identifier="ada", metadata={"provider": "azure-ad", "wake_groups": member})
    may_wake = import_module("kaito_chat.chat.waking").may_wake
    assert may_wake(settings, chat.services.models[0], user) is allowed


async def test_a_model_without_an_inference_set_cannot_be_woken(opened: Open, api: Scales) -> None:
    schedule = {"wakes": "0 8 * * *", "sleeps": "1 8 * * *"}
    chat = await opened(model={"inference_set_name": None, "schedule": schedule}, **EVERYONE)
    api.replicas["phi"] = 0
    (shown,) = (await routes(chat).status(chat.session.user))["models"]
    assert (shown["state"], shown["wake"]) == ("asleep", False), "by its schedule"
    assert await pressed(chat) == (403, ENGLISH.say("wake.not_allowed"))


async def test_the_status_has_the_steps_of_a_model_that_warms_up(page: Open, api: Scales, tmp_path: Path) -> None:
    def refuses(request: httpx.Request) -> Answer:
        raise httpx.ConnectError("refused", request=request)

    api.replicas["phi"] = 2
    api.make("phi", workspace(*claims("LaunchFailed", QUOTA)))
    api.make("phi", workspace(CLAIMS, NODES, RESOURCE, INFERENCE_WAITS))
    chat = await page(refuses, api=(api.url, service_account(tmp_path)), inference_set_name="phi")
    (shown,) = (await routes(chat).status(None))["models"]
    assert shown["state"] == "warming_up"
    assert [(step["name"], step["state"]) for step in shown["steps"]] == [
        ("GPU node", "done"),
        ("Model server", "now"),
        ("Model ready", "later"),
    ]


async def test_an_unknown_model_is_not_found(opened: Open) -> None:
    chat = await opened(**EVERYONE)
    with pytest.raises(HTTPException, match="404"):
        await pressed(chat, "Other")
    chat.session.user = None
    with pytest.raises(HTTPException, match="404"):
        await pressed(chat)


async def test_a_waiting_question_says_how_to_wake_the_model_and_is_answered_then(
    opened: Open, api: Scales, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "kaito_chat.audit")
    monkeypatch.setattr("kaito_chat.chat.turn.FIRST_LOOK_SECONDS", 0.01)
    monkeypatch.setattr("kaito_chat.chat.turn.NOTICE_SECONDS", 0.01)
    chat = await opened(model={"schedule": {"wakes": "0 8 * * *", "replicas": 2}}, **EVERYONE)
    asking = asyncio.create_task(chat.ask())
    await chat.sees("**Phi is asleep until ")
    await chat.sees(ENGLISH.say("warming.wake"))
    assert await pressed(chat) == (200, "")
    assert api.replicas == {"phi": 2}
    await chat.services.models[0].check()
    await asking
    assert chat.answers() == [HELLO]
    audit = [each.__dict__ for each in caplog.records if each.name == "kaito_chat.audit"]
    woken = next(each for each in audit if each["action"] == "wake")
    assert (woken["user"], woken["outcome"], woken["model"]) == ("ada", "ok", "Phi")


async def test_who_may_not_wake_is_not_told_how(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kaito_chat.chat.turn.FIRST_LOOK_SECONDS", 0.01)
    chat = await opened(**SIGN_IN)
    asking = asyncio.create_task(chat.ask())
    await chat.sees("**Phi is asleep.** Your question is sent as soon as it is ready.")
    assert ENGLISH.say("warming.wake") not in str(chat.sent)
    asking.cancel()
    await asyncio.wait((asking,))


async def test_a_model_stays_asleep_while_the_api_server_is_away(opened: Open, api: Scales) -> None:
    chat = await opened(**EVERYONE)
    api.broken = True
    await chat.services.models[0].check()
    assert chat.services.models[0].state is State.ASLEEP


@pytest.mark.parametrize(
    ("failure", "text", "said", "outcome"),
    [
        ("forbidden", "wake.forbidden", "is forbidden: User cannot GET scale", "forbidden"),
        ("broken", "wake.failed", "etcdserver: request timed out", "failed"),
        ("gone", "wake.failed", 'inferencesets.kaito.sh "phi" not found', "missing"),
    ],
)
async def test_a_failure_of_the_api_server_is_said(
    opened: Open,
    api: Scales,
    caplog: pytest.LogCaptureFixture,
    failure: str,
    text: str,
    said: str,
    outcome: str,
) -> None:
    caplog.set_level(logging.INFO, "kaito_chat.audit")
    chat = await opened(**EVERYONE)
    if failure == "forbidden":
        api.permitted.clear()
    elif failure == "gone":
        api.replicas.clear()
    api.broken = failure == "broken"
    status, detail = await pressed(chat)
    assert status == 502
    assert detail.startswith(ENGLISH.say(text))
    assert said in detail.replace("\\", "")
    assert [each.__dict__["outcome"] for each in caplog.records if each.name == "kaito_chat.audit"] == [outcome]


async def test_too_many_presses_are_refused(opened: Open, api: Scales) -> None:
    chat = await opened(**EVERYONE)
    api.permitted.clear()
    chat.services.limits = UsageLimits(answers=9, user_answers=9, questions=99, user_questions=2)
    for _ in range(2):
        await pressed(chat)
    before = len(api.asked)
    with pytest.raises(HTTPException, match="429"):
        await pressed(chat)
    assert len(api.asked) == before
