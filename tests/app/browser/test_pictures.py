"""The picture of the README. `make pictures` writes it, and those of docs/."""

from playwright.sync_api import expect

from support.chat.browser import Picture, Visit, answered, ask, status
from support.chat.processes import Running

QUESTIONS = ("What are the roots of a quadratic formula?", "Compare protocols in a table", "Show me some code")


def test_a_conversation_beside_earlier_ones_fits_one_screen(
    kept: Running, user: str, visit: Visit, picture: Picture
) -> None:
    page = visit(kept.url, 1200, 760, user=user)
    status(page, "ready")
    for number, question in enumerate(QUESTIONS):
        if number:
            page.locator("#new-chat-button").first.click()
            page.get_by_role("button", name="Confirm").click()
        ask(page, question)
        answered(page)
        expect(page.get_by_role("link", name=question)).to_be_visible(timeout=10_000)
    page.mouse.move(600, 550)
    picture(page, "")
