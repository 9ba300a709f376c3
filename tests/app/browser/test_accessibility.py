"""Accessibility: violations that axe-core finds, and announcements for screen readers."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support.chat.axe import expect_no_violations
from support.chat.browser import Visit, answered, ask, listed, sign_in, status
from support.chat.processes import Running, chat


def outline(page: Page) -> tuple[int, int]:
    """Return the numbers of `main` elements and of first-level headings."""
    return page.get_by_role("main").count(), page.locator("h1:not([aria-level])").count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390], ids=["screen", "phone"])
def test_the_first_page_and_a_conversation(app: Running, visit: Visit, scheme: str, width: int) -> None:
    page = visit(app.url, width, 844, color_scheme=scheme)
    status(page, "ready")
    expect_no_violations(page)
    assert outline(page) == (1, 1)
    for times, question in enumerate(("code", "table", "formula"), 1):
        ask(page, f"Show me some {question}")
        answered(page, times)
    expect_no_violations(page)
    assert outline(page) == (1, 1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_settings(app: Running, visit: Visit, scheme: str) -> None:
    page = visit(app.url, color_scheme=scheme)
    page.locator("#chat-settings-open-modal").click()
    expect(page.get_by_role("slider", name="Temperature")).to_be_visible()
    expect_no_violations(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_and_the_history(kept: Running, user: str, visit: Visit, scheme: str) -> None:
    page = visit(kept.url, color_scheme=scheme)
    expect(page.get_by_label("User name")).to_be_visible()
    expect(page.get_by_role("main")).to_have_count(1)
    expect_no_violations(page)
    assert outline(page) == (1, 1)
    sign_in(page, user)
    ask(page, "# remember")
    answered(page)
    page.reload()
    answered(page)
    expect_no_violations(page)
    assert outline(page) == (1, 1)
    page.get_by_role("button", name="Options of this conversation").click()
    page.locator("#rename-thread").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect_no_violations(page)


def test_two_models(scripted: Running, folder: Path, visit: Visit) -> None:
    models = [{"name": name, "endpoint_url": scripted.url} for name in ("Small", "Large")]
    with chat("", folder, models=json.dumps(models)) as running:
        page = visit(running.url)
        expect(page.get_by_role("combobox", name="Model")).to_be_visible()
        status(page, "ready")
        expect_no_violations(page)
        page.get_by_role("combobox", name="Model").click()
        expect(page.get_by_role("searchbox", name="Search")).to_be_visible()
        expect_no_violations(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_menus_and_dialogs(kept: Running, user: str, visit: Visit, scheme: str) -> None:
    page = visit(kept.url, color_scheme=scheme, user=user)
    status(page, "ready")
    ask(page, f"hello, {scheme}")
    answered(page)
    menus = "#theme-toggle", "#user-nav-button"
    dialogs = "#readme-button", "#search-chats-button", ".positive-feedback-off", "#new-chat-button"
    for opener in (*menus, *dialogs):
        page.locator(opener).click()
        opened = page.get_by_role("menu" if opener in menus else "dialog")
        expect(opened).to_be_visible()
        expect_no_violations(page)
        page.keyboard.press("Escape")
        expect(opened).to_have_count(0)
    page.get_by_role("button", name="Options of this conversation").first.click()
    expect(page.get_by_role("menu")).to_be_visible()
    expect_no_violations(page)
    page.locator("#delete-thread").click()
    expect(page.get_by_role("alertdialog")).to_be_visible()
    expect_no_violations(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_and_the_history_on_a_phone(kept: Running, user: str, visit: Visit, scheme: str) -> None:
    page = visit(kept.url, 390, 844, color_scheme=scheme)
    expect(page.get_by_label("User name")).to_be_visible()
    expect_no_violations(page)
    sign_in(page, user)
    ask(page, f"hello, {scheme} phone")
    answered(page)
    page.locator("#sidebar-trigger-button").click()
    expect(page.get_by_role("dialog", name="Past Chats")).to_be_visible()
    expect(listed(page, f"hello, {scheme} phone")).to_be_visible()
    expect_no_violations(page)
    page.reload()
    page.locator("#chat-settings-open-modal").click()
    expect(page.get_by_role("dialog", name="Settings panel")).to_be_visible()
    expect_no_violations(page)


def test_the_focus_returns_to_the_button_of_a_menu(kept: Running, user: str, visit: Visit) -> None:
    page = visit(kept.url, user=user)
    status(page, "ready")
    page.locator("#theme-toggle").click()
    page.keyboard.press("Escape")
    expect(page.locator("#theme-toggle")).to_be_focused()


def test_an_answer_is_announced_when_it_begins_and_when_it_is_complete(app: Running, visit: Visit) -> None:
    page = visit(app.url)
    said = page.locator("#kaito-chat-announcements[aria-live=polite]")
    expect(said).to_have_text("scripted: ready")
    ask(page, "count to 300")
    expect(said).to_have_text("The model is answering.")
    answered(page)
    expect(said).to_have_text("The answer is complete.")


def test_a_question_is_edited_with_the_keyboard(app: Running, visit: Visit) -> None:
    page = visit(app.url)
    ask(page, "hello")
    answered(page)
    page.get_by_role("button", name="Edit this question").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Edit this question")).to_be_focused()
