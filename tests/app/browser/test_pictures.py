"""The picture of the README. `make pictures` writes it, and those of docs/."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from browser.test_page import SIGN_IN, answered, ask, status
from browser.test_states import sign_in
from processes import Running, chat


def test_a_conversation_beside_earlier_ones_fits_one_screen(
    scripted: Running, folder: Path, visit: Callable[..., Page], picture: Callable[[Page, str], None]
) -> None:
    with chat(scripted.url, folder, database_url=f"sqlite:///{folder}/history.db", **SIGN_IN) as running:
        page = visit(running.url, 1200, 760)
        sign_in(page)
        status(page, "ready")
        questions = ("What are the roots of a quadratic formula?", "Compare protocols in a table", "Show me some code")
        for number, question in enumerate(questions):
            if number:
                page.locator("#new-chat-button").first.click()
                page.get_by_role("button", name="Confirm").click()
            ask(page, question)
            answered(page)
            expect(page.get_by_role("link", name=question)).to_be_visible(timeout=10_000)
        page.mouse.move(600, 550)
        picture(page, "")
