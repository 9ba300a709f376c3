"""Limits on running answers and on questions per minute, and the end of answers whose page is gone."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.chat.processes import Running, chat, get, misbehaving
from support.chat.signed_in import SIGN_IN, opened, signed_in
from support.chat.waiting import until


@pytest.fixture
def hanging(folder: Path) -> Iterator[Running]:
    """A model server that never ends an answer to `fault: hang-mid-stream`."""
    with misbehaving(folder) as running:
        yield running


def upstream(hanging: Running) -> int:
    """Return the number of open requests at the model server."""
    return int(get(hanging.url + "/open").json()["open"])


def refused(app: Running, reason: str) -> float:
    found = re.search(rf'^kaito_chat_refused_total\{{reason="{reason}"\}} (\S+)$', app.metrics(), re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_twenty_messages_at_once_run_one_answer_and_none_after_the_page_is_gone(
    folder: Path, hanging: Running
) -> None:
    with chat(hanging.url, folder, disconnect_grace_seconds="1") as app:
        page = await opened(app)
        most = 0
        for number in range(20):
            await page.say(f"fault: hang-mid-stream q{number}")
        for _ in range(40):
            most = max(most, upstream(hanging))
            await asyncio.sleep(0.05)
        assert most == 1
        await page.cut()
        await until(lambda: upstream(hanging) == 0, 4)
        await asyncio.sleep(1)
        assert upstream(hanging) == 0


@pytest.mark.parametrize("goodbye", [True, False])
async def test_an_answer_started_by_a_button_ends_with_its_page(
    folder: Path, hanging: Running, *, goodbye: bool
) -> None:
    impatient = {"disconnect_grace_seconds": "0.5", "first_token_timeout_seconds": "1"}
    with chat(hanging.url, folder, **impatient) as app:
        page = await opened(app)
        await page.ask("fault: hang-after-headers q1", 20)
        button = {"sessionId": page.session_id, "action": page.actions[-1]}
        async with httpx.AsyncClient(base_url=app.url, timeout=20) as client:
            pressing = asyncio.create_task(client.post("/project/action", json=button))
            await until(lambda: upstream(hanging) == 1)
            await (page.close() if goodbye else page.cut())
            await until(lambda: upstream(hanging) == 0, 3)
            await pressing


async def test_a_user_is_told_that_other_answers_run(folder: Path, hanging: Running) -> None:
    with chat(hanging.url, folder, max_answers_per_user="1", **SIGN_IN) as app:
        ada, grace = await signed_in(app), await signed_in(app, "grace")
        first = await opened(app, ada)
        await first.say("fault: hang-mid-stream q1")
        await first.first_text()
        second = await opened(app, ada)
        heard = await second.ask("hello")
        assert (heard.answer, heard.notice, heard.actions) == (None, "busy", ["again"])
        assert refused(app, "user_answers") == 1
        other = await opened(app, grace)
        assert (await other.ask("hello")).answer == "seen 0"
        await first.stop()
        await first.end_of_turn()
        assert (await second.ask("and now?")).answer == "seen 0"
        for page in (first, second, other):
            await page.close()
        for client in (ada, grace):
            await client.aclose()


async def test_a_replica_at_its_limit_says_when_to_retry(folder: Path, hanging: Running) -> None:
    with chat(hanging.url, folder, max_answers="1") as app:
        first, second = await opened(app), await opened(app)
        await first.say("fault: hang-mid-stream q1")
        await first.first_text()
        heard = await second.ask("hello")
        assert heard.notice == "busy"
        assert any("try again in 10 s" in str(each["output"]) for each in second.messages.values())
        await first.close()
        await until(lambda: upstream(hanging) == 0)
        body = {"sessionId": second.session_id, "action": second.actions[-1]}
        assert httpx.post(app.url + "/project/action", json=body, timeout=20).is_success
        await until(lambda: second.heard.answer == "seen 0")
        await second.close()


async def test_questions_in_a_minute_are_limited(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, max_questions_per_minute_per_user="2") as app:
        page = await opened(app)
        for _ in range(2):
            assert (await page.ask("hello")).answer
        heard = await page.ask("hello")
        assert (heard.answer, heard.notice) == (None, "busy")
        seconds = [re.search(r"try again in (\d+) s", str(each["output"])) for each in page.messages.values()]
        assert [50 <= int(each[1]) <= 60 for each in seconds if each] == [True]
        other = await opened(app)
        assert (await other.ask("hello")).answer
        await page.close()
        await other.close()


async def test_a_flood_of_questions_gets_a_few_notices(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, max_questions_per_minute_per_user="1") as app:
        page = await opened(app)
        assert (await page.ask("hello")).answer
        for _ in range(60):
            await page.say("hello")
        await until(lambda: refused(app, "flood") >= 20)
        notices = [each for each in page.messages.values() if "one minute" in str(each["output"])]
        assert len(notices) <= 6
        await page.close()


async def test_a_flood_of_messages_that_are_too_long_gets_a_few_notices(folder: Path, scripted: Running) -> None:
    settings = {"max_questions_per_minute_per_user": "3", "max_question_characters": "100"}
    with chat(scripted.url, folder, **settings) as app:
        page = await opened(app)
        for _ in range(40):
            await page.say("x" * 101)
        await until(lambda: refused(app, "flood") >= 30)

        def notices() -> int:
            return sum("101 characters" in str(each["output"]) for each in page.messages.values())

        await until(notices)
        assert notices() <= 6
        await page.close()
