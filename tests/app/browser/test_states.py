"""Errors on the page in Chromium, and the conversation after them."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from playwright.sync_api import Locator, Page, expect

from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.models.states import State
from kaito_chat.texts import texts_for
from support.chat.browser import SIGN_IN, Visit, answered, ask, listed, sign_in, status
from support.chat.processes import Running, chat, engine, free_port, misbehaving

ENGLISH = texts_for("en-US")
COOKIE = "access_token"
SIGNED_IN_SECONDS = 4
LEEWAY_SECONDS = 60  # as in chat/tokens.py, whose import would load Chainlit
UNTIL_SIGNED_OUT = "async () => { while ((await fetch('/user')).ok) await new Promise(go => setTimeout(go, 100)) }"
TOO_LONG = "words " * 5000
NAMES = 'SELECT name FROM threads WHERE "userIdentifier" = ?'


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The application, with short timeouts, in front of a server with faults on demand."""
    folder = tmp_path_factory.mktemp("states")
    impatient = {"first_token_timeout_seconds": "1", "token_timeout_seconds": "1", "max_retries": "1"}
    with misbehaving(folder) as running, chat(running.url, folder, **impatient) as app:
        yield app


@pytest.fixture
def signed_in(kept: Running, user: str, visit: Visit) -> Page:
    """A page of a signed-in user with a history."""
    page = visit(kept.url, user=user)
    status(page, "ready")
    return page


def plain(text: str) -> str:
    """Return the first paragraph without Markdown, as the page shows it."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)|\*", r"\1", text.split("\n", maxsplit=1)[0])


def notice(page: Page, text: str) -> Locator:
    return page.get_by_text(plain(text), exact=True)


def said(page: Page, kind: Kind, retry_after_seconds: float | None = None) -> None:
    text = ENGLISH.error(BackendError(kind, retry_after_seconds=retry_after_seconds))
    expect(notice(page, text)).to_have_count(1, timeout=10_000)
    expect(notice(page, text).last).to_be_visible()


def press(page: Page, button: str) -> None:
    """Press the only button of a name, and check that it goes."""
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("button", name=button)).to_have_count(0)


def seen(page: Page, text: str, times: int = 1) -> None:
    expect(page.get_by_text(text, exact=True)).to_have_count(times, timeout=10_000)
    expect(page.get_by_text(text, exact=True).last).to_be_visible()


def end_sign_in_soon(page: Page) -> None:
    """Replace the token by one that expires in seconds instead of days."""
    token = next(each["value"] for each in page.context.cookies() if each["name"] == COOKIE)
    key = SIGN_IN["auth_secret"]
    expires = datetime.now(UTC) + timedelta(seconds=SIGNED_IN_SECONDS - LEEWAY_SECONDS)
    claims = jwt.decode(token, key, ["HS256"], options={"verify_exp": False}) | {"exp": expires}
    page.context.add_cookies([{"name": COOKIE, "value": jwt.encode(claims, key, "HS256"), "url": page.url}])
    page.reload()


def delete(page: Page, title: str) -> None:
    listed(page, title).hover()
    listed(page, title).locator("#thread-options").click()
    page.locator("#delete-thread").click()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Chat deleted")).to_be_visible()
    expect(listed(page, title)).to_have_count(0)


def rows(database: Path, statement: str, *values: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(statement, values).fetchall()


def test_a_busy_model_is_asked_again(faulty: Running, visit: Visit) -> None:
    page = visit(faulty.url)
    ask(page, "fault: busy-twice q1")
    said(page, Kind.BUSY, retry_after_seconds=1)
    expect(page.get_by_text("Too many", exact=True)).to_be_visible()  # the server's message
    press(page, "Try again")
    seen(page, "It works.")
    ask(page, "and now?")
    seen(page, "seen 1")


def test_a_model_that_stays_busy_is_asked_again_and_again(faulty: Running, visit: Visit) -> None:
    page = visit(faulty.url)
    ask(page, "fault: busy-for-ever q2")
    said(page, Kind.BUSY)
    page.get_by_role("button", name="Try again").click()
    said(page, Kind.BUSY)
    expect(page.get_by_role("button", name="Try again")).to_have_count(1)
    ask(page, "and now?")
    seen(page, "seen 1")


def test_a_refused_button_keeps_the_answer_and_can_be_pressed_again(
    scripted: Running, folder: Path, visit: Visit
) -> None:
    limits = {"max_questions_per_minute_per_user": "1"}
    with chat(scripted.url, folder, **limits) as app:
        page = visit(app.url)
        ask(page, "hello")
        answered(page)
        for times in (1, 2):
            page.get_by_role("button", name="Regenerate").click()
            expect(page.get_by_text("Too many questions within a minute.")).to_have_count(times)
        answered(page)


def test_a_question_that_is_too_long_is_edited(app: Running, visit: Visit) -> None:
    page = visit(app.url)
    ask(page, TOO_LONG)
    said(page, Kind.TOO_LONG)
    page.get_by_text("words words").first.hover()
    page.locator(".edit-message").first.click()
    page.locator("#edit-chat-input").fill("fewer words")
    page.locator(".confirm-edit").click()
    expect(page.get_by_text("This is answer 1.")).to_be_visible(timeout=10_000)
    expect(page.get_by_text("This is too long")).to_have_count(0)
    ask(page, "hello")
    expect(page.get_by_text("This is answer 2.")).to_be_visible(timeout=10_000)


def test_after_a_question_that_is_too_long_a_shorter_one_is_asked(app: Running, visit: Visit) -> None:
    page = visit(app.url)
    ask(page, TOO_LONG)
    said(page, Kind.TOO_LONG)
    ask(page, "hello")
    expect(page.get_by_text("This is answer")).to_be_visible()


def test_an_answer_that_is_cut_off_is_continued(faulty: Running, visit: Visit) -> None:
    page = visit(faulty.url)
    ask(page, "fault: reset-mid-stream q3")
    said(page, Kind.CUT_OFF)
    seen(page, "Half")
    press(page, "Continue")
    seen(page, "seen 1")
    seen(page, "Half")
    ask(page, "and now?")
    seen(page, "seen 1", times=2)


def test_a_slow_model_times_out(faulty: Running, visit: Visit) -> None:
    page = visit(faulty.url)
    ask(page, "fault: hang-after-headers q4")
    said(page, Kind.SLOW)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    status(page, "ready")
    ask(page, "and now?")
    seen(page, "seen 1")


def test_a_question_waits_for_a_model_that_became_unavailable(folder: Path, visit: Visit) -> None:
    port = free_port()
    with chat(f"http://127.0.0.1:{port}", folder) as running:
        with engine(folder, port):
            page = visit(running.url)
            status(page, "ready")
            ask(page, "hello")
            answered(page)
        ask(page, "still there?")
        waits = page.get_by_text("Your question is sent as soon as it is ready.")
        expect(waits).to_contain_text("scripted stopped answering", timeout=10_000)
        status(page, "gone")
        expect(page.locator("#kaito-chat-status")).to_contain_text(ENGLISH.state(State.GONE))
        expect(page.get_by_text("This is answer 2.")).to_have_count(0)
        with engine(folder, port):
            expect(page.get_by_text("This is answer 2.")).to_be_visible(timeout=10_000)
            expect(waits).to_have_count(0)
            status(page, "ready")
            ask(page, "welcome back")
            expect(page.get_by_text("This is answer 3.")).to_be_visible(timeout=10_000)


def test_a_sign_in_that_ends_leads_to_the_form(signed_in: Page, user: str) -> None:
    end_sign_in_soon(signed_in)
    ask(signed_in, "hello")
    answered(signed_in)
    signed_in.evaluate(UNTIL_SIGNED_OUT)
    ask(signed_in, "still there?")
    expect(signed_in.locator("#password")).to_be_visible()
    sign_in(signed_in, user)
    ask(signed_in, "hello again")
    answered(signed_in)


def test_a_conversation_whose_sign_in_ended_says_so(signed_in: Page, user: str) -> None:
    end_sign_in_soon(signed_in)
    ask(signed_in, "hello")
    answered(signed_in)
    signed_in.evaluate(UNTIL_SIGNED_OUT)
    other = signed_in.context.new_page()  # a sign-in in another tab keeps this page
    other.goto(signed_in.url)
    sign_in(other, user)
    ask(signed_in, "still there?")
    expect(notice(signed_in, ENGLISH.say("notice.signed_out", login="/login"))).to_be_visible()
    answered(signed_in, 1)
    with signed_in.context.expect_page() as opened:
        signed_in.get_by_role("link", name="sign in").click()
    ask(opened.value, "hello again")
    answered(opened.value)


def test_feedback_on_an_answer_is_stored(signed_in: Page, history: Path, user: str) -> None:
    question = f"was this good, {user}?"
    ask(signed_in, question)
    answered(signed_in)
    signed_in.locator(".positive-feedback-off").click()
    signed_in.get_by_role("dialog").get_by_role("textbox").fill("very")
    signed_in.locator("#submit-feedback").click()
    expect(signed_in.get_by_text("Feedback updated")).to_be_visible()
    about = 'SELECT value, comment, input FROM feedbacks JOIN steps ON steps.id = "forId" WHERE input = ?'
    assert rows(history, about, question) == [(1, "very", question)]
    signed_in.reload()
    expect(signed_in.locator(".positive-feedback-on")).to_have_count(1, timeout=10_000)
    ask(signed_in, "and now?")
    answered(signed_in, 2)
    expect(signed_in.locator(".positive-feedback-on")).to_have_count(1)
    expect(signed_in.locator(".positive-feedback-off")).to_have_count(1)


def test_a_conversation_is_deleted(signed_in: Page, history: Path, user: str) -> None:
    forgotten = f"forget this, {user}"
    ask(signed_in, forgotten)
    answered(signed_in)
    expect(listed(signed_in, forgotten)).to_be_visible()
    signed_in.locator("#new-chat-button").click()
    signed_in.get_by_role("button", name="Confirm").click()
    ask(signed_in, "keep this")
    answered(signed_in)
    expect(listed(signed_in, "keep this")).to_be_visible()
    delete(signed_in, forgotten)
    signed_in.reload()
    expect(listed(signed_in, "keep this")).to_be_visible()
    expect(listed(signed_in, forgotten)).to_have_count(0)
    ask(signed_in, "and now?")
    answered(signed_in, 2)
    assert rows(history, NAMES, user) == [("keep this",)]
    assert rows(history, "SELECT 1 FROM steps WHERE output LIKE ?", f"%{forgotten}%") == []


def test_the_conversation_that_is_open_is_deleted(signed_in: Page, history: Path, user: str) -> None:
    ask(signed_in, "forget this")
    answered(signed_in)
    delete(signed_in, "forget this")
    signed_in.goto("/".join(signed_in.url.split("/")[:3]))
    ask(signed_in, "hello")
    answered(signed_in)
    expect(listed(signed_in, "hello")).to_be_visible()
    assert rows(history, NAMES, user) == [("hello",)]
