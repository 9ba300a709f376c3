"""Sign-in and sign-out: cookies, tokens and failed attempts."""

import asyncio
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt
import pytest
import socketio

from support.chat.audits import PUBLIC, audited, status
from support.chat.processes import Running, chat
from support.chat.signed_in import SECRET, SIGN_IN, USERS, opened, signed_in


@pytest.fixture(scope="module")
def encrypted(scripted: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An application with an https address."""
    with chat(scripted.url, tmp_path_factory.mktemp("https"), public_url=PUBLIC, **SIGN_IN) as running:
        yield running


def token(**claims: object) -> str:
    """Return a token of ada with other claims."""
    now = datetime.now(UTC)
    usual = {"identifier": "ada", "metadata": {}, "iat": now, "exp": now + timedelta(hours=1), "jti": uuid.uuid4().hex}
    return jwt.encode(usual | claims, SECRET, algorithm="HS256")


def test_cookies_of_https_are_secure_and_the_browser_keeps_to_https(encrypted: Running) -> None:
    answer = httpx.post(encrypted.url + "/login", data={"username": "ada", "password": USERS["ada"]})
    set_cookies = answer.headers.get_list("set-cookie")
    assert set_cookies
    assert all("Secure" in each and "HttpOnly" in each and "SameSite=lax" in each for each in set_cookies)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    sticky = httpx.post(encrypted.url + "/set-session-cookie", json={"session_id": str(uuid.uuid4())})
    assert "Secure" in sticky.headers["set-cookie"]


def test_cookies_of_http_are_not_secure_or_no_browser_would_send_them(kept: Running) -> None:
    answer = httpx.post(kept.url + "/login", data={"username": "ada", "password": USERS["ada"]})
    assert "Secure" not in answer.headers["set-cookie"]
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, 200),
        ({"iat": timedelta(seconds=40)}, 200),
        ({"exp": timedelta(seconds=-20)}, 200),
        ({"iat": timedelta(hours=1)}, 401),
        ({"exp": timedelta(hours=-1)}, 401),
        ({"iat": timedelta(days=-16), "exp": timedelta(days=300)}, 401),
        ({"identifier": None}, 401),
        ({"exp": "soon"}, 401),
        ({"iat": None}, 401),
    ],
    ids=range(9),
)
def test_a_token_holds_for_its_lifetime_and_a_minute_of_difference_between_clocks(
    kept: Running, claims: dict[str, object], expected: int
) -> None:
    now = datetime.now(UTC)
    given = {name: now + value if isinstance(value, timedelta) else value for name, value in claims.items()}
    assert status(kept, token(**given)) == expected


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")  # of the forged token
@pytest.mark.parametrize("header", ["none", "HS384", "forged"])
def test_a_token_of_another_kind_is_rejected(kept: Running, header: str) -> None:
    payload = jwt.decode(token(), SECRET, ["HS256"])
    forged = {
        "none": lambda: jwt.encode(payload, "", algorithm="none"),
        "HS384": lambda: jwt.encode(payload, SECRET, algorithm="HS384"),
        "forged": lambda: jwt.encode(payload, SECRET[::-1], algorithm="HS256"),
    }[header]()
    assert status(kept, forged) == 401


async def test_a_token_does_not_renew_itself(kept: Running) -> None:
    client = await signed_in(kept)
    value = client.cookies["access_token"]
    for method, path in (("POST", "/auth/jwt"), ("GET", "/user"), ("POST", "/auth/header")):
        answer = await client.request(method, path, headers={"authorization": f"Bearer {value}"})
        assert "access_token" not in answer.headers.get("set-cookie", "")
    await client.aclose()


async def test_signing_out_ends_the_token_its_pages_and_its_answers(folder: Path, scripted: Running) -> None:
    database = f"sqlite:///{folder}/history.db"
    with (
        chat(scripted.url, folder, database_url=database, **SIGN_IN) as here,
        chat(scripted.url, folder, database_url=database, **SIGN_IN) as there,
    ):
        client = await signed_in(here)
        stolen = client.cookies["access_token"]
        assert (status(here, stolen), status(there, token())) == (200, 200)
        page = await opened(here, client)
        await page.say("count to 3000")
        await page.first_text()
        assert (await client.post("/logout")).is_success
        await page.end_of_turn(5)
        heard = await page.ask("hello")
        assert (heard.answer, heard.notice) == (None, "signed_out")
        assert (status(here, stolen), status(there, stolen)) == (401, 401)
        thief = httpx.AsyncClient(base_url=here.url, cookies={"access_token": stolen})
        with pytest.raises(socketio.exceptions.ConnectionError):
            await opened(here, thief)
        await thief.aclose()
        assert audited(here, action="sign_out", user="ada", outcome="ok")
        await page.close()
        await client.aclose()


async def test_failed_sign_ins_are_limited_counted_and_logged(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, **SIGN_IN) as app:
        async with httpx.AsyncClient(base_url=app.url, timeout=30) as client:

            async def attempt(name: str, password: str) -> httpx.Response:
                return await client.post("/login", data={"username": name, "password": password})

            answers = await asyncio.gather(*(attempt("ada", f"guess {number}") for number in range(30)))
            statuses = [answer.status_code for answer in answers]
            assert (statuses.count(401), statuses.count(429)) == (10, 20)
            limited = await attempt("ada", USERS["ada"])
            assert limited.status_code == 429
            assert re.search(r"Try again in \d+ s", limited.json()["detail"])
            assert 0 < int(limited.headers["retry-after"]) <= 300
            german = await client.post(
                "/login", data={"username": "ada", "password": "x"}, headers={"accept-language": "de-DE"}
            )
            assert german.json()["detail"] != limited.json()["detail"]
            assert (await attempt("grace", USERS["grace"])).is_success, "others sign in all the same"
            for odd in ("x" * 5000, "a\0b", "ü" * 10, ""):
                assert (await attempt(odd, odd)).status_code in (401, 422)
        assert len(audited(app, action="sign_in", user="ada", outcome="failed")) == 10
        assert audited(app, action="sign_in", user="grace", outcome="ok")
        assert 'kaito_chat_sign_ins_total{outcome="failed"}' in app.metrics()
        assert 'kaito_chat_sign_ins_total{outcome="limited"}' in app.metrics()
        assert "guess" not in app.text()
