"""Memberships in groups of Entra ID, at a fake of Microsoft Graph."""

import json
from uuid import UUID

import httpx
import pytest

from kaito_chat.chat.entra_groups import memberships

WAKERS, OTHERS = UUID("11111111-2222-3333-4444-555555555555"), UUID("66666666-7777-8888-9999-aaaaaaaaaaaa")


async def test_the_users_own_token_asks_for_the_configured_groups_alone() -> None:
    asked: list[httpx.Request] = []

    def graph(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"value": [str(WAKERS), "not-asked-for"]})

    found = await memberships("t0ken", (WAKERS, OTHERS), httpx.MockTransport(graph))
    assert found == [str(WAKERS)]
    (request,) = asked
    assert str(request.url) == "https://graph.microsoft.com/v1.0/me/checkMemberGroups"
    assert request.headers["authorization"] == "Bearer t0ken"
    assert json.loads(request.content) == {"groupIds": [str(WAKERS), str(OTHERS)]}


@pytest.mark.parametrize("answer", [httpx.Response(403, json={"error": {}}), httpx.Response(200, text="hm")])
async def test_a_refusal_of_graph_means_no_group_and_a_warning(
    answer: httpx.Response, caplog: pytest.LogCaptureFixture
) -> None:
    assert await memberships("t0ken", (WAKERS,), httpx.MockTransport(lambda _: answer)) == []
    assert [each.message for each in caplog.records] == ["group memberships cannot be read"]
    assert "t0ken" not in caplog.text


async def test_an_unreachable_graph_does_not_prevent_the_sign_in() -> None:
    def graph(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    assert await memberships("t0ken", (WAKERS,), httpx.MockTransport(graph)) == []


async def test_without_configured_groups_graph_is_not_asked() -> None:
    def graph(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    assert await memberships("t0ken", (), httpx.MockTransport(graph)) == []
