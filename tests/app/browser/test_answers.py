"""Answers in Chromium: how they are drawn, copied and requested."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from support.chat.browser import Visit, answered, ask, status
from support.chat.processes import Running, chat, misbehaving

FACTS = ".kaito-chat-facts"


@pytest.fixture(scope="module")
def saying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The application in front of a server with answers that are hard to draw."""
    folder = tmp_path_factory.mktemp("answers")
    with misbehaving(folder) as running, chat(running.url, folder) as app:
        yield app


def copied(page: Page) -> str:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy to clipboard").last.click()
    expect(page.get_by_role("button", name="Copied!")).to_be_visible()
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def test_formulas_are_rendered_and_prices_are_text(saying: Running, visit: Visit) -> None:
    page = visit(saying.url)
    ask(page, "fault: formulas q1")
    answered(page)
    answer = page.locator(".ai-message").last
    expect(answer.get_by_text("It costs $5 today and $3 tomorrow.")).to_be_visible()
    expect(answer.locator("math")).to_have_count(6)
    expect(answer.locator(".katex-display math")).to_have_count(3)
    expect(answer.locator("li .katex-display math")).to_have_count(1)
    expect(answer.locator(".katex-error")).to_have_count(0)
    expect(answer.locator("code", has_text="$x$")).to_be_visible()
    expect(answer.locator("code", has_text=r"\(y\)")).to_be_visible()
    expect(answer.locator("pre", has_text=r"\[z\] costs $7$")).to_be_visible()
    assert r"$$a^2$$, $$b_1$$ and $$c$$" in copied(page)


@pytest.mark.parametrize("kind", ["quotations", "lists", "emphasis", "images", "thinking"])
def test_a_deeply_nested_answer_is_rendered(saying: Running, visit: Visit, kind: str) -> None:
    page = visit(saying.url)
    ask(page, f"fault: nested-{kind} q-{kind}")
    answered(page)
    expect(page.get_by_text("It works.").first).to_be_visible()
    expect(page.get_by_text("call stack")).to_have_count(0)


@pytest.mark.parametrize(("mark", "count"), [("> ", 4000), ("- ", 3000), ("*a ", 4000)])
def test_a_deeply_nested_question_is_rendered_after_a_resume(
    kept: Running, history: Path, user: str, visit: Visit, mark: str, count: int
) -> None:
    question = f"hello from {user}"
    page = visit(kept.url, user=user)
    status(page, "ready")
    ask(page, question)
    answered(page)
    while kept.metric("kaito_chat_history_pending"):
        page.wait_for_timeout(50)
    with closing(sqlite3.connect(history)) as connection, connection:
        update = "UPDATE steps SET output = ? WHERE type = 'user_message' AND output = ?"
        assert connection.execute(update, [mark * count + "x", question]).rowcount == 1
    page.reload()
    status(page, "ready")
    expect(page.locator('[data-step-type="user_message"]')).to_have_count(1)
    expect(page.locator('[data-step-type="user_message"]')).not_to_have_text(question)
    expect(page.get_by_text("call stack")).to_have_count(0)


def test_prices_in_a_question_are_text(saying: Running, visit: Visit) -> None:
    page = visit(saying.url)
    ask(page, "fault: image q3 costs $5 today and $3 tomorrow")
    expect(page.locator('[data-step-type="user_message"]').get_by_text("$5 today and $3 tomorrow")).to_be_visible()
    expect(page.locator("math")).to_have_count(0)


def test_the_usage_line_is_small_and_not_copied(app: Running, visit: Visit) -> None:
    page = visit(app.url)
    ask(page, "Show me some code")
    answered(page)
    line = page.locator(FACTS)
    expect(line).to_contain_text("tokens")
    sizes = page.evaluate(
        "selectors => selectors.map(each => parseFloat(getComputedStyle(document.querySelector(each)).fontSize))",
        [FACTS, ".message-content"],
    )
    assert sizes[0] < sizes[1]
    assert "first token" not in copied(page)
    assert page.get_by_role("note", name="About this answer").count() == 1


def test_an_image_of_another_site_is_a_link(saying: Running, visit: Visit) -> None:
    page = visit(saying.url, blocks=True)
    ask(page, "fault: image q2")
    answered(page)
    link = page.locator(".ai-message").get_by_role("link", name="a grey cat")
    expect(link).to_have_attribute("href", "https://example.com/cat.png")
    expect(page.get_by_text("Image of another site, not loaded")).to_be_visible()
    expect(page.locator(".ai-message .bg-muted:has(img)")).to_be_hidden()


def test_an_answer_is_regenerated(app: Running, visit: Visit) -> None:
    page = visit(app.url)
    ask(page, "hello")
    answered(page)
    button = page.get_by_role("button", name="Regenerate")
    box = button.bounding_box()
    assert box is not None
    assert box["width"] < 45, "an icon beside the others"
    button.click()
    expect(page.locator("#stop-button")).to_have_count(0)
    answered(page)
    expect(page.get_by_text("This is answer 1.")).to_have_count(1)


def test_a_stopped_answer_is_continued(app: Running, visit: Visit) -> None:
    page = visit(app.url)
    ask(page, "count to 2000")
    expect(page.get_by_text("1 2 3 4 5 6 7 8")).to_be_visible()
    page.locator("#stop-button").click()
    answered(page)
    page.get_by_role("button", name="Continue").click()
    answered(page, 2)
    expect(page.get_by_role("button", name="Regenerate")).to_have_count(1)


def test_a_resumed_conversation_has_its_lines(kept: Running, user: str, visit: Visit) -> None:
    page = visit(kept.url, user=user)
    status(page, "ready")
    ask(page, "hello")
    answered(page)
    page.reload()
    status(page, "ready")
    answered(page)


def test_lines_that_arrive_before_the_scripts_are_shown(kept: Running, user: str, visit: Visit) -> None:
    page = visit(kept.url, user=user)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    def go_on() -> None:
        expect(page.get_by_role("button", name="Regenerate")).to_be_visible()  # it follows the line
        held.pop().continue_()
        answered(page)

    page.route("**/kaito-chat/page.js", hold)
    page.reload()
    ask(page, "hello")
    go_on()
    page.reload()
    go_on()
