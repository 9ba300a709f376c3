"""Actions on the page in Chromium, and checks that they are done."""

import json
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

Visit = Callable[..., Page]
Picture = Callable[[Page, str], None]
# Tests that share an application have a user each, so that none sees the conversations of another.
USERS = ("ada", *(f"user-{number}" for number in range(100)))
SIGN_IN = {
    "sign_in": "password",
    "password_users": json.dumps(dict.fromkeys(USERS, "not-a-secret")),
    "auth_secret": "0123456789abcdef0123456789abcdef",
}


def ask(page: Page, question: str) -> None:
    box = page.locator("#chat-input")
    box.click()
    page.keyboard.insert_text(question)
    page.locator("#chat-submit").click()


def answered(page: Page, times: int = 1) -> None:
    expect(page.get_by_text("first token after")).to_have_count(times, timeout=20_000)


def status(page: Page, state: str) -> None:
    expect(page.locator(f"#kaito-chat-status[data-state={state}]")).to_be_visible(timeout=20_000)


def sign_in(page: Page, user: str = "ada") -> None:
    page.locator("#email").fill(user)
    page.locator("#password").fill("not-a-secret")
    page.get_by_role("button", name="Sign In").click()
    status(page, "ready")


def enter(page: Page, url: str, user: str) -> None:
    """Send the form to sign in without its page, which the tests of the form show."""
    form: dict[str, str | float | bool] = {"username": user, "password": "not-a-secret"}
    assert page.context.request.post(f"{url}/login", form=form).ok


def listed(page: Page, title: str) -> Locator:
    """Return a conversation in the sidebar."""
    return page.locator("#thread-history").get_by_role("listitem").filter(has_text=title)
