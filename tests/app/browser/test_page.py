"""The page in Chromium."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from kaito_chat.settings import DEFAULT_STARTERS
from support.chat.browser import Picture, Visit, answered, ask, status
from support.chat.processes import Running, chat, engine, free_port

HOSTILE = """<script>document.title = 'hacked'</script> <img src=x onerror="document.title='hacked'">
<svg onload="document.title='hacked'"></svg> <iframe srcdoc="<script>parent.document.title='hacked'</script>"></iframe>
[a link](javascript:document.title='hacked') [data](data:text/html,<script>alert(1)</script>)
$$\\href{javascript:document.title='hacked'}{formula}$$ <a href="javascript:alert(1)">raw</a>
<form action="https://example.com"><button>go</button></form> <style>body{display:none}</style>"""


def test_the_page_says_which_model_answers_and_offers_questions(app: Running, visit: Visit, picture: Picture) -> None:
    page = visit(app.url)
    status(page, "ready")
    expect(page.locator("#kaito-chat-status")).to_contain_text("scripted · ready")
    for starter in DEFAULT_STARTERS:
        expect(page.get_by_text(starter.label)).to_be_visible()
    picture(page, "ready")
    page.get_by_text(DEFAULT_STARTERS[0].label).click()
    answered(page)


def test_an_answer_streams_and_can_be_stopped(app: Running, visit: Visit) -> None:
    page = visit(app.url)
    ask(page, "count to 2000")
    expect(page.get_by_text("1 2 3 4 5 6 7 8")).to_be_visible()
    expect(page.get_by_text("1999 2000")).to_have_count(0)
    page.locator("#stop-button").click()
    expect(page.locator("#stop-button")).to_have_count(0)
    answered(page)
    ask(page, "hello")
    expect(page.get_by_text("This is answer 2.")).to_be_visible(timeout=10_000)


def test_a_question_is_edited_and_asked_again(app: Running, visit: Visit) -> None:
    page = visit(app.url)
    ask(page, "hello one")
    answered(page)
    page.get_by_text("hello one").first.hover()
    page.locator(".edit-message").first.click()
    page.locator("#edit-chat-input").click()
    page.keyboard.press("End")
    page.keyboard.insert_text(" and two")
    page.locator(".confirm-edit").click()
    expect(page.get_by_text("hello one and two").nth(1)).to_be_visible(timeout=10_000)  # the answer quotes it
    answered(page)


@pytest.mark.parametrize(
    ("question", "selector"),
    [("code", "pre code .hljs-keyword, pre code span"), ("table", "table td"), ("formula", "math")],
)
def test_markdown_is_rendered(app: Running, visit: Visit, picture: Picture, question: str, selector: str) -> None:
    page = visit(app.url)
    ask(page, f"Show me some {question}")
    answered(page)
    expect(page.locator(selector).first).to_be_visible()
    picture(page, f"answer-{question}")


def test_the_settings_panel_has_four_settings(app: Running, visit: Visit) -> None:
    page = visit(app.url)
    page.locator("#chat-settings-open-modal").click()
    for label in ("Temperature", "Top P", "Max tokens", "System prompt"):
        expect(page.get_by_role("dialog").get_by_text(label).first).to_be_visible()


def test_dark_mode_and_a_phone(app: Running, visit: Visit, picture: Picture) -> None:
    page = visit(app.url, 390, 844, color_scheme="dark")
    status(page, "ready")
    expect(page.locator("html")).to_have_class("dark")  # the operating system's setting
    ask(page, "Show me a table")
    answered(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "phone")


def test_a_question_waits_while_the_model_warms_up(folder: Path, visit: Visit, picture: Picture) -> None:
    port = free_port()
    with chat(f"http://127.0.0.1:{port}", folder) as running:
        page = visit(running.url)
        status(page, "warming_up")
        ask(page, "hello")
        expect(page.get_by_text("is warming up.")).to_be_visible(timeout=10_000)
        picture(page, "warming-up")
        with engine(folder, port):
            status(page, "ready")
            answered(page)
            expect(page.get_by_text("is warming up.")).to_have_count(0)
        ask(page, "still there?")
        expect(page.get_by_text("stopped answering")).to_be_visible(timeout=10_000)
        status(page, "gone")


def test_a_user_chooses_a_model(scripted: Running, folder: Path, visit: Visit) -> None:
    models = [
        {
            "name": name,
            "endpoint_url": scripted.url,
            "description": f"**{name}**",
            "starters": [{"label": name, "message": "x"}],
        }
        for name in ("Small", "Large")
    ]
    with chat("", folder, models=json.dumps(models)) as running:
        page = visit(running.url)
        expect(page.locator("#kaito-chat-status")).to_contain_text("Small")
        page.locator("#chat-profiles").click()
        page.get_by_role("option", name="Large").click()
        expect(page.locator("#kaito-chat-status")).to_contain_text("Large", timeout=10_000)
        ask(page, "hello")
        answered(page)


def test_what_a_model_writes_is_never_run(app: Running, visit: Visit) -> None:
    page = visit(app.url)
    ask(page, " ".join(HOSTILE.split()))  # the scripted engine quotes the question
    answered(page)
    for link in page.get_by_role("link", name="a link").all():
        assert not (link.get_attribute("href") or "").startswith("javascript:")
    assert page.locator("iframe, form[action^='https'], script[src^='https']").count() == 0
    assert page.title() == "KAITO Chat"


def test_signed_in_users_have_a_history(kept: Running, user: str, visit: Visit, picture: Picture) -> None:
    page = visit(kept.url)
    page.get_by_label("User name").fill(user)
    page.locator("#password").fill("wrong")
    page.get_by_role("button", name="Sign In").click()
    expect(page.get_by_text("Those credentials", exact=False).or_(page.locator("[role=alert]")).first).to_be_visible()
    page.locator("#password").fill("not-a-secret")
    page.get_by_role("button", name="Sign In").click()
    status(page, "ready")
    ask(page, "remember the number 17")
    answered(page)
    picture(page, "history")
    page.reload()
    page.get_by_text("remember the number 17").first.click()
    expect(page.get_by_text("This is answer 1.")).to_be_visible(timeout=10_000)
    ask(page, "and now?")
    expect(page.get_by_text("This is answer 2.")).to_be_visible(timeout=10_000)
