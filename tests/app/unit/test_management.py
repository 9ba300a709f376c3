"""The management port serves whatever the environment holds for other servers."""

import httpx
import pytest

from kaito_chat.telemetry.management import application, listen, serving


@pytest.mark.parametrize("workers", ["auto", "", "4"])
async def test_the_management_port_ignores_the_number_of_workers_of_other_servers(
    monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", workers)
    listener = listen("127.0.0.1", 0, "KAITO_CHAT_MANAGEMENT_PORT")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with serving(application(lambda: "starting"), listener), httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/livez")).json() == {"status": "ok"}
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "starting"})
        heads = [await client.head(path) for path in ("/livez", "/readyz")]
        assert [(each.status_code, each.content) for each in heads] == [(200, b""), (503, b"")]
