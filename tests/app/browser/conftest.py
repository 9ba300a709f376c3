"""One Chromium for all tests; each test has its own page, which may load nothing from other origins."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, sync_playwright

from support.chat.browser import Visit
from support.needs import needs
from support.project import ROOT

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # The first has no window to draw, which saves half of the CPU.
    found = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    program = needs(found, "Chromium (package: chromium-headless-shell, or chromium)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens pages, and checks at the end that they loaded nothing from other origins and violated no policy.

    `blocks` permits requests to other origins, which the policy blocks.
    """
    contexts = []
    strange: list[str] = []

    def opened(url: str, width: int = 1200, height: int = 800, *, blocks: bool = False, **options: object) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()

        def on_request(request: Request) -> None:
            if not blocks and not request.url.startswith((url, url.replace("http", "ws"), "data:", "blob:")):
                strange.append(request.url)

        def on_console(message: ConsoleMessage) -> None:
            if not blocks and "Content Security Policy" in message.text:
                strange.append(message.text)

        page.on("request", on_request)
        page.on("console", on_console)

        def on_dialog(dialog: Dialog) -> None:
            strange.append(dialog.message)
            dialog.dismiss()

        page.on("dialog", on_dialog)
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert strange == []


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Takes a screenshot for the documentation if `KAITO_CHAT_SCREENSHOTS` is set."""

    def take(page: Page, name: str) -> None:
        if os.environ.get("KAITO_CHAT_SCREENSHOTS"):
            folder: Path = ROOT / "docs" / "images"
            folder.mkdir(exist_ok=True)
            page.screenshot(path=folder / f"{f'chat-{name}'.rstrip('-')}.png")

    return take
