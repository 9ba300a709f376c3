"""HTTP requests that the page does not send are refused, and the application goes on."""

import http.client
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from support.chat.processes import Running
from support.chat.sockets import SOME_ID, alive


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/set-session-cookie", {"session_id": "../x"}),
        ("POST", "/set-session-cookie", {"session_id": None}),
        ("POST", "/set-session-cookie", []),
        ("POST", "/set-session-cookie", "x"),
        ("POST", "/set-session-cookie", None),
        ("POST", "/project/action", {"sessionId": "/etc", "action": {}}),
        ("POST", "/project/action", {"sessionId": SOME_ID, "action": []}),
        ("POST", "/project/action", []),
        ("PUT", "/feedback", {"feedback": {"forId": "x"}, "sessionId": "../x"}),
        ("DELETE", "/feedback", {"feedbackId": ["x"]}),
        ("PUT", "/project/thread", {"threadId": "x", "name": "y"}),
        ("DELETE", "/project/thread", {"threadId": {"x": 1}}),
        ("POST", "/project/threads", {"pagination": {"first": "many"}, "filter": 3}),
        ("POST", "/login", "x"),
        ("POST", "/logout", []),
    ],
)
def test_a_malformed_body_is_refused_with_its_reason(app: Running, method: str, path: str, body: object) -> None:
    answer = httpx.request(method, app.url + path, json=body)
    assert answer.status_code in (200, 400, 404, 405, 422) if path == "/logout" else 400 <= answer.status_code < 500
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", ["/", "/login", "/favicon", "/logo", "/avatars/KAITO"])
def test_a_health_probe_may_use_head(app: Running, path: str) -> None:
    full, head = httpx.get(app.url + path), httpx.head(app.url + path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == full.headers["content-type"]
    # A body would be read as the next answer of the connection.
    with httpx.Client(base_url=app.url) as client:
        assert [client.head(path).status_code, client.get(path).content] == [200, full.content]


def test_head_adds_no_route(app: Running) -> None:
    assert [httpx.head(app.url + path).status_code for path in ("/docs", "/user", "/login/x")] == [404] * 3


def test_a_button_of_a_session_that_is_not_there_is_not_found(app: Running) -> None:
    action = {"id": "x", "name": "again", "forId": str(uuid.uuid4()), "payload": {}}
    body = {"sessionId": str(uuid.uuid4()), "action": action}
    assert httpx.post(app.url + "/project/action", json=body).status_code == 404


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe", b'{"session_id": "\\ud800"}', b"[" * 4000, b"{", b"null", b'{"session_id": 1e999}', b"\x00"],
    ids=range(7),
)
@pytest.mark.parametrize("path", ["/set-session-cookie", "/project/action"])
def test_bytes_that_are_no_json_are_refused(app: Running, path: str, content: bytes) -> None:
    answer = httpx.post(app.url + path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    "path",
    [
        "/public/%00",
        "/assets/%00.js",
        "/avatars/%00",
        "/public/..%2f..%2fetc%2fpasswd",
        "/public/%2e%2e/%2e%2e/etc/passwd",
        "/public/%5c..%5c",
        "/public/" + "x" * 300,
        "/avatars/" + "x" * 300,
        "/avatars/..",
        "/public/%ff%fe",
        "/%00",
        "/project/thread/%00",
        "/project/thread/x",
        "/thread/../..",
        "/logo?theme=%00",
        "/project/translations?language=..%2f..",
        "/project/settings?language=%00",
        "/auth/oauth/..",
        "/auth/oauth/azure-ad/callback?code=x&state=y",
        "//etc/passwd",
        "/" + "x/" * 600,
    ],
)
def test_no_path_breaks_the_server(app: Running, path: str) -> None:
    connection = http.client.HTTPConnection(app.url.removeprefix("http://"), timeout=5)
    connection.putrequest("GET", path, skip_host=False)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    assert status < 500
    assert status >= 400 or path == "/avatars/.."


@pytest.mark.parametrize(
    "path",
    [
        "/docs",
        "/redoc",
        "/openapi.json",
        "/docs/oauth2-redirect",
        "/livez",
        "/readyz",
        "/metrics",
        "/health",
        "/copilot/index.js",
        "/anything",
    ],
)
def test_what_browsers_do_not_need_is_not_there(app: Running, path: str) -> None:
    assert httpx.get(app.url + path).status_code == 404


@pytest.mark.parametrize("path", ["/mcp", "/auth/jwt", "/auth/header", "/project/element", "/project/thread/share"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_what_the_page_does_not_use_is_not_there(app: Running, method: str, path: str) -> None:
    assert httpx.request(method, app.url + path, json={}).status_code == 404


async def test_a_large_body_is_not_read_into_memory(app: Running) -> None:
    process = app.measure()
    before = process.memory_info().rss

    def megabytes() -> Iterator[bytes]:
        for _ in range(400):
            yield b"x" * 2**20

    async with httpx.AsyncClient(timeout=30) as client:

        async def pieces() -> Any:
            for piece in megabytes():
                yield piece

        for path in ("/set-session-cookie", "/login", "/project/action", "/anything"):
            try:
                answer = await client.post(app.url + path, content=pieces())
                assert answer.status_code in (404, 413)
            except httpx.TransportError:
                pass  # refused, and the connection closed, while we still sent
    announced = http.client.HTTPConnection(app.url.removeprefix("http://"), timeout=5)
    announced.putrequest("POST", "/login")
    announced.putheader("content-length", "400000000")
    announced.endheaders()
    assert announced.getresponse().status == 413
    announced.close()
    assert process.memory_info().rss - before < 20 * 2**20
    await alive(app)


def test_a_large_head_is_refused(app: Running) -> None:
    with pytest.raises((httpx.TransportError, AssertionError)):
        assert httpx.get(app.url, headers={"x-large": "x" * 10_000_000}).status_code == 200
    assert httpx.get(app.url, headers={"x-large": "x" * 30_000}).status_code == 200
