"""Two replicas with one PostgreSQL behind nginx: a conversation outlives the replica that began it."""

import json
from pathlib import Path

import httpx

from kaito_chat.chainlit_client import Page
from support.chat.processes import Running, chat
from support.chat.services import nginx
from support.chat.waiting import until

USERS = {f"user{number}": "not-a-secret" for number in range(6)}
SIGN_IN = {
    "sign_in": "password",
    "password_users": json.dumps(USERS),
    "auth_secret": "0123456789abcdef0123456789abcdef",
}


def port_of(running: Running) -> int:
    return int(running.url.rsplit(":", 1)[1])


async def of_both(address: str, count: int) -> list[str]:
    """Return values of the affinity cookie, of which each server gets a number."""
    found: dict[str, list[str]] = {}
    async with httpx.AsyncClient(base_url=address) as client:
        for number in range(1000):
            answer = await client.get("/auth/config", headers={"cookie": f"affinity={number}"})
            found.setdefault(answer.headers["x-server"], []).append(str(number))
            if sorted(len(each) >= count for each in found.values()) == [True, True]:
                break
    return [each for values in found.values() for each in values[:count]]


async def test_a_conversation_continues_on_the_other_replica_after_one_dies(
    folder: Path, scripted: Running, postgres_url: str
) -> None:
    with (
        chat(scripted.url, folder, database_url=postgres_url, **SIGN_IN) as first,
        chat(scripted.url, folder, database_url=postgres_url, **SIGN_IN) as second,
        nginx(folder, [port_of(first), port_of(second)]) as address,
    ):
        pages = []
        affinities = await of_both(address, len(USERS) // 2)
        for affinity, (name, word) in zip(affinities, USERS.items(), strict=True):
            async with httpx.AsyncClient(base_url=address, cookies={"affinity": affinity}) as client:
                (await client.post("/login", data={"username": name, "password": word})).raise_for_status()
                (await client.get("/user")).raise_for_status()
                cookie = "; ".join(f"{key}={value}" for key, value in client.cookies.items())
            page = Page(address, cookie=cookie)
            await page.open()
            assert "answer 1." in ((await page.ask("hello")).answer or "")
            assert "answer 2." in ((await page.ask("hello")).answer or "")
            pages.append((page, cookie))
        assert [each.metric("kaito_chat_sessions") for each in (first, second)] == [len(USERS) // 2] * 2
        await until(lambda: second.metric("kaito_chat_history_pending") == 0)
        second.process.kill()
        second.process.wait(10)
        for page, cookie in pages:
            await page.close(forget=False)
            back = Page(address, cookie=cookie, thread_id=page.thread_id)
            await back.open()
            assert back.resumed, "the conversation was not found on the other replica"
            assert "answer 3." in ((await back.ask("and now?")).answer or "")
            await back.close()
