"""Sign-in, and sessions whose sign-in ended."""

import pytest

from support.chat.fakes.kaito import VLLM
from support.chat.in_process import ENGLISH, HELLO, SECRET, SIGN_IN, Open, asked, chainlit, handlers, token


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


async def test_only_the_right_password_signs_in(page: Open) -> None:
    chat = await page(VLLM(), **SIGN_IN)
    signed_in = handlers().password_auth_callback
    assert (await chat.call(signed_in, "ada", "not-a-secret")).identifier == "ada"
    for name, word in (("ada", "wrong"), ("ada", ""), ("nobody", ""), ("", "not-a-secret"), ("ada", "nöt")):
        assert await chat.call(signed_in, name, word) is None


async def test_users_admitted_by_the_tenant_are_signed_in(page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    entra = {"sign_in": "entra", "auth_secret": SECRET, "public_url": "https://chat.example.com"}
    for name in ("tenant_id", "client_id", "client_secret"):
        monkeypatch.setenv(f"OAUTH_AZURE_AD_{name.upper()}", "x")
        entra[f"entra_{name}"] = "x"
    chat = await page(VLLM(), token=token(), **entra)
    secret = {"image": "data:image/jpeg;base64," + "x" * 4000, "refresh_token": "y" * 1500, "provider": "azure-ad"}
    user = chainlit("user").User(identifier="ada@example.com", metadata=secret)
    let_in = await chat.call(handlers().oauth_callback, "azure-ad", "token", {}, user)
    assert (let_in.identifier, let_in.metadata) == ("ada@example.com", {"provider": "azure-ad"})
    # NGINX accepts 4 KiB of response headers.
    assert len(chainlit("auth").create_jwt(let_in)) < 1024
    await chat.ask()
    assert chat.answers() == [HELLO]
