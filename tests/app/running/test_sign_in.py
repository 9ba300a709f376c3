"""Sign-in with Entra ID up to the redirect, and the buttons under an error."""

import os
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
import socketio

from kaito_chat.chainlit_client import Page
from support.chat.processes import Running, chat, misbehaving
from support.chat.waiting import until
from support.chat.warm import finished
from support.project import ROOT

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "66666666-7777-8888-9999-000000000000"
SECRET = "not-a-secret-of-an-app-registration"  # noqa: S105 - as it says
ENTRA = {
    "sign_in": "entra",
    "auth_secret": "0123456789abcdef0123456789abcdef",
    "entra_tenant_id": TENANT,
    "entra_client_id": CLIENT,
    "entra_client_secret": SECRET,
    "public_url": "https://chat.example.com/",
}


@pytest.fixture(scope="module")
def entra(scripted: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with chat(scripted.url, tmp_path_factory.mktemp("entra"), **ENTRA) as running:
        yield running


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An application without retries, in front of a server with faults."""
    folder = tmp_path_factory.mktemp("impatient")
    with (
        misbehaving(folder) as faulty,
        chat(faulty.url, folder, max_retries="0") as running,
    ):
        yield running


async def press(app: Running, page: Page, name: str) -> None:
    """Press the newest button of a name."""
    action = next(each for each in reversed(page.actions) if each["name"] == name)
    body = {"sessionId": page.session_id, "action": action}
    async with httpx.AsyncClient(base_url=app.url, timeout=20) as client:
        assert (await client.post("/project/action", json=body)).is_success


def test_the_page_offers_entra_and_nothing_else(entra: Running) -> None:
    offered = httpx.get(entra.url + "/auth/config").json()
    assert offered["requireLogin"] is True
    assert offered["oauthProviders"] == ["azure-ad"]
    assert (offered["passwordAuth"], offered["headerAuth"]) == (False, False)


def test_sign_in_goes_to_the_tenant_and_comes_back_to_the_public_address(entra: Running) -> None:
    answer = httpx.get(entra.url + "/auth/oauth/azure-ad")
    assert answer.is_redirect
    there = urlsplit(answer.headers["location"])
    assert (there.scheme, there.netloc) == ("https", "login.microsoftonline.com")
    assert there.path == f"/{TENANT}/oauth2/v2.0/authorize"
    asked = {key: values[0] for key, values in parse_qs(there.query).items()}
    assert asked["client_id"] == CLIENT
    assert asked["redirect_uri"] == "https://chat.example.com/auth/oauth/azure-ad/callback"
    assert asked["response_type"] == "code"
    assert asked["tenant"] == TENANT
    assert asked["scope"] == "https://graph.microsoft.com/User.Read"
    assert asked["state"] == SimpleCookie(answer.headers["set-cookie"])["oauth_state"].value
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert SECRET not in answer.headers["location"]


@pytest.mark.parametrize("query", ["error=access_denied", "", "code=x", "code=x&state=made-up"])
def test_a_callback_without_a_sign_in_redirects_to_the_login_page(entra: Running, query: str) -> None:
    answer = httpx.get(f"{entra.url}/auth/oauth/azure-ad/callback?{query}")
    assert answer.is_redirect
    assert urlsplit(answer.headers["location"]).path == "/login"
    assert "access_token" not in str(answer.headers)


def test_forms_may_be_sent_to_entra_id_only(entra: Running, app: Running) -> None:
    policies = [httpx.get(running.url + "/login").headers["content-security-policy"] for running in (entra, app)]
    assert ["form-action 'self' https://login.microsoftonline.com;" in policy for policy in policies] == [True, False]


async def test_a_page_without_a_sign_in_is_refused(entra: Running) -> None:
    page = Page(entra.url)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await page.open()
    await page.close()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/status", None),
        ("GET", "/user", None),
        ("GET", "/project/settings", None),
        ("POST", "/project/threads", {"pagination": {"first": 5}, "filter": {}}),
        (
            "POST",
            "/project/action",
            {"sessionId": str(uuid4()), "action": {"id": "x", "name": "x", "forId": str(uuid4())}},
        ),
    ],
)
@pytest.mark.parametrize("cookie", ["", "access_token=made-up"])
def test_a_request_without_a_sign_in_is_refused(
    entra: Running, method: str, path: str, body: object, cookie: str
) -> None:
    answer = httpx.request(method, entra.url + path, json=body, headers={"cookie": cookie} if cookie else {})
    assert answer.status_code == 401


def test_probes_need_no_sign_in_and_logs_hold_no_secret(entra: Running) -> None:
    assert [httpx.get(entra.management + path).status_code for path in ("/livez", "/readyz", "/metrics")] == [200] * 3
    assert ENTRA["auth_secret"] not in entra.text()
    assert SECRET not in entra.text()


@pytest.mark.parametrize("missing", sorted(set(ENTRA) - {"sign_in"}))
def test_a_missing_sign_in_setting_is_named(folder: Path, missing: str) -> None:
    given = {f"KAITO_CHAT_{key.upper()}": value for key, value in ENTRA.items() if key != missing}
    environment = {"KAITO_CHAT_ENDPOINT_URL": "http://x", "PYTHONPATH": str(ROOT / "app"), **given}
    ran = finished("kaito_chat", [], environment, folder)
    assert ran.returncode == 2
    assert ran.stderr.strip() == f"KAITO_CHAT_SIGN_IN=entra needs KAITO_CHAT_{missing.upper()}"
    assert os.listdir(folder) == []  # noqa: PTH208


async def test_a_question_that_met_a_busy_server_is_tried_again(impatient: Running) -> None:
    page = Page(impatient.url)
    await page.open()
    heard = await page.ask("fault: busy-twice q-again", 20)
    assert (heard.answer, heard.notice, heard.actions) == (None, "busy", ["again"])
    await press(impatient, page, "again")
    await until(lambda: heard.actions == ["again", "again"])
    assert heard.answer is None
    await press(impatient, page, "again")
    await until(lambda: heard.answer == "It works.")
    assert (await page.ask("and now?", 20)).answer == "seen 1"
    assert [each["name"] for each in page.actions] == ["again", "again", "regenerate", "regenerate"]
    await page.close()


async def test_a_cut_off_answer_is_continued(impatient: Running) -> None:
    page = Page(impatient.url)
    await page.open()
    heard = await page.ask("fault: reset-mid-stream q-cut", 20)
    assert (heard.answer, heard.notice, heard.actions) == ("Half", "cut_off", ["continue", "regenerate"])
    await press(impatient, page, "continue")
    await until(lambda: heard.answer == "seen 1")
    assert (await page.ask("and now?", 20)).answer == "seen 1"
    assert [each["name"] for each in page.actions] == ["continue", *["regenerate"] * 3]
    await page.close()
