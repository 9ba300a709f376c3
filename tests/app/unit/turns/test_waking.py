"""A model that sleeps: the page shows until when, and users whom the settings admit wake it."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import HTTPException

from kaito_chat.chat.limits import UsageLimits
from kaito_chat.models.states import State
from support.chat.fakes.kaito import VLLM, Answer
from support.chat.in_process import ENGLISH, HELLO, SIGN_IN, Chat, Open, chainlit, token
from support.chat.scales import Scales, service_account, serving
from support.chat.waiting import until

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
        bodies = import_module("kaito_chat.routes.bodies")
        response = await routes(chat).wake(bodies.Wake(model="Phi"), chat.session.user)
        assert (response.status_code, ENGLISH.say("wake.not_allowed") in response.body.decode()) == (502, True)
        assert api.patches() == []


async def test_a_waiting_question_offers_the_button_and_is_answered_after_the_wake(
    opened: Open, api: Scales, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "kaito_chat.audit")
    monkeypatch.setattr("kaito_chat.chat.turn.FIRST_LOOK_SECONDS", 0.01)
    monkeypatch.setattr("kaito_chat.chat.turn.NOTICE_SECONDS", 0.01)
    chat = await opened(model={"schedule": {"wakes": "0 8 * * *", "replicas": 2}}, **EVERYONE)
    asking = asyncio.create_task(chat.ask())
    await chat.sees("**Phi is asleep until ")
    await until(lambda: chat.buttons() == ["wake"], 5)
    assert await routes(chat)._wake_at(chat.session)  # noqa: SLF001 - as the route of the button does
    assert api.replicas == {"phi": 2}
    await chat.services.models[0].check()
    await asking
    assert chat.answers() == [HELLO]
    assert "wake" not in chat.buttons()
    audit = [each.__dict__ for each in caplog.records if each.name == "kaito_chat.audit"]
    woken = next(each for each in audit if each["action"] == "wake")
    assert (woken["user"], woken["outcome"], woken["model"]) == ("ada", "ok", "Phi")


async def test_the_button_goes_when_somebody_else_wakes_the_model(
    opened: Open, api: Scales, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kaito_chat.chat.turn.FIRST_LOOK_SECONDS", 0.01)
    monkeypatch.setattr("kaito_chat.chat.turn.NOTICE_SECONDS", 0.01)
    chat = await opened(**EVERYONE)
    asking = asyncio.create_task(chat.ask())
    await until(lambda: chat.buttons() == ["wake"], 5)
    assert "No wake-up" not in str(chat.sent)
    chat.services.models[0].state = State.WARMING_UP
    await until(lambda: chat.buttons() == [], 5)
    api.replicas["phi"] = 1
    await chat.services.models[0].check()
    await asking
    assert chat.answers() == [HELLO]


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
    assert not await routes(chat)._wake_at(chat.session)  # noqa: SLF001
    (notice,) = chat.steps("system_message")
    assert notice["output"].startswith(ENGLISH.say(text))
    assert said in notice["output"].replace("\\", "")
    assert {"notice": "not_woken"} in chat.marks()
    assert [each.__dict__["outcome"] for each in caplog.records if each.name == "kaito_chat.audit"] == [outcome]


async def test_too_many_presses_are_refused(opened: Open, api: Scales) -> None:
    chat = await opened(**EVERYONE)
    api.permitted.clear()
    pressing = routes(chat)
    chat.services.limits = UsageLimits(answers=9, user_answers=9, questions=99, user_questions=2)
    for _ in range(2):
        await pressing._wake_at(chat.session)  # noqa: SLF001
    before = len(api.asked)
    with pytest.raises(HTTPException, match="429"):
        await pressing._wake_at(chat.session)  # noqa: SLF001
    assert len(api.asked) == before
