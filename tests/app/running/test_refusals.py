"""A refused question changes nothing of the conversation: the running answer, the text and the buttons stay."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kaito_chat.chainlit_client import Page
from support.chat.processes import Running, chat, get, misbehaving
from support.chat.signed_in import SIGN_IN, opened, signed_in
from support.chat.waiting import until

HANGS = "fault: hang-mid-stream q1"


@pytest.fixture
def hanging(folder: Path) -> Iterator[Running]:
    """A model server that never ends an answer to `fault: hang-mid-stream`."""
    with misbehaving(folder) as running:
        yield running


def upstream(hanging: Running) -> int:
    return int(get(hanging.url + "/open").json()["open"])


def shown(page: Page, text: str) -> list[str]:
    """Return the kinds of the messages on the page that contain a text."""
    return [each["type"] for each in page.messages.values() if text in str(each["output"])]


async def press(app: Running, page: Page, name: str) -> None:
    action = [each for each in page.actions if each["name"] == name][-1]
    body = {"sessionId": page.session_id, "action": action}
    async with httpx.AsyncClient(base_url=app.url, timeout=20) as client:
        assert (await client.post("/project/action", json=body)).is_success


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"max_questions_per_minute_per_user": "1"}, "within a minute.** Your question was not sent"),
        ({"max_questions_per_minute": "1"}, "Your question was not sent; try again in"),
        ({"max_question_characters": "100"}, "100 are allowed. It was not sent"),
    ],
    ids=["user rate", "rate", "length"],
)
async def test_a_refused_question_leaves_the_running_answer_alone(
    folder: Path, hanging: Running, limit: dict[str, str], said: str
) -> None:
    with chat(hanging.url, folder, **limit) as app:
        page = await opened(app)
        question = await page.say(HANGS)
        await page.first_text()
        await page.say("And this? " * 20)
        await until(lambda: shown(page, said) == ["system_message"])
        assert upstream(hanging) == 1
        assert page.heard.actions == []
        await page.edit(question, "Or this? " * 20)
        await until(lambda: shown(page, said) == ["system_message"] * 2)
        assert upstream(hanging) == 1
        await page.stop()
        await until(lambda: page.heard.actions == ["continue", "regenerate"])
        assert page.heard.answer == "Half"
        assert upstream(hanging) == 0
        await page.close()


async def test_a_question_replaces_the_answer_of_its_page_within_the_limits_on_answers(
    folder: Path, hanging: Running
) -> None:
    with chat(hanging.url, folder, max_answers="1", max_answers_per_user="1", **SIGN_IN) as app:
        ada = await signed_in(app)
        page, other = await opened(app, ada), await opened(app, ada)
        await page.say(HANGS)
        await page.first_text()
        assert (await other.ask("hello")).notice == "busy"
        assert upstream(hanging) == 1
        await page.say("hello")
        await until(lambda: page.heard.answer == "seen 1")
        assert upstream(hanging) == 0
        for each in (page, other):
            await each.close()
        await ada.aclose()


@pytest.mark.parametrize("button", ["regenerate", "continue"])
async def test_a_refused_button_keeps_the_answer_and_its_buttons(folder: Path, hanging: Running, button: str) -> None:
    with chat(hanging.url, folder, max_questions_per_minute_per_user="1") as app:
        page = await opened(app)
        await page.say(HANGS)
        await page.first_text()
        await page.stop()
        await page.end_of_turn()
        await press(app, page, button)
        await until(lambda: page.heard.notice == "busy")
        assert shown(page, "Half") == ["assistant_message"]
        assert page.heard.actions == ["continue", "regenerate"]
        await page.close()


async def test_a_button_that_is_pressed_twice_does_not_end_its_answer(folder: Path, hanging: Running) -> None:
    impatient = {"first_token_timeout_seconds": "1"}
    with chat(hanging.url, folder, **impatient) as app:
        page = await opened(app)
        await page.ask("fault: hang-after-headers q1", 20)
        await page.ask("fault: hang-after-headers q2", 20)
        for _ in range(2):
            await press(app, page, "again")
        assert page.heard.notice == "slow"
        await page.close()
