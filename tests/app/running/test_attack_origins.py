"""Pages of other origins get no socket and no answer."""

from collections.abc import Iterator

import aiohttp
import httpx
import pytest

from support.chat.processes import Running, chat

PUBLIC = "https://chat.example.com"


@pytest.fixture(scope="module")
def public(scripted: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An application with a public URL."""
    with chat(scripted.url, tmp_path_factory.mktemp("public"), public_url=PUBLIC) as running:
        yield running


FOREIGN = [
    "https://evil.example",
    "null",
    "file://",
    "http://127.0.0.1:1",
    "https://chat.example.com.evil.example",
    "https://chat.example.com@evil.example",
    "https://chat.example.com:444",
    "http://chat.example.com",
    "chat.example.com",
    "",
]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_page_of_another_origin_gets_no_socket_and_no_answer(public: Running, origin: str) -> None:
    address = public.url + "/ws/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(address, headers={"origin": origin})
    assert refused.value.status == 403
    answer = httpx.get(public.url + "/project/settings", headers={"origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert httpx.post(public.url + "/login", data={}, headers={"origin": origin}).status_code == 403


async def test_the_public_origin_is_let_in(public: Running) -> None:
    for origin in (PUBLIC, PUBLIC + ":443", PUBLIC.upper().replace("HTTPS", "https")):
        async with aiohttp.ClientSession() as http:
            address = public.url + "/ws/socket.io/?EIO=4&transport=websocket"
            async with http.ws_connect(address, headers={"origin": origin}) as socket:
                assert (await socket.receive()).data.startswith("0")
        assert httpx.get(public.url + "/project/settings", headers={"origin": origin}).status_code == 200


async def test_without_a_public_address_the_origin_is_the_requests_own_host(app: Running) -> None:
    for origin, status in ((app.url, 200), ("https://evil.example", 403), (app.url.replace("127.0.0.1", "x"), 403)):
        answer = httpx.get(app.url + "/project/settings", headers={"origin": origin})
        assert (answer.status_code, origin) == (status, origin)
    behind_a_proxy = {"origin": "https://chat.example.org", "host": "chat.example.org"}
    assert httpx.get(app.url + "/project/settings", headers=behind_a_proxy).status_code == 200
