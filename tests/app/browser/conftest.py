"""One Chromium for all tests; each test has its own page, which may load nothing from other origins.

A context keeps Chainlit's 5 MB of JavaScript in its cache, so tests use a context one after the other, each without
the cookies, storage and permissions of the one before.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, sync_playwright

from support.chat.browser import SIGN_IN, USERS, Visit, enter
from support.chat.processes import Running, chat
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
SIZE = (1200, 800)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # The first has no window to draw, which saves half of the CPU.
    found = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    program = needs(found, "Chromium (package: chromium-headless-shell, or chromium)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield running
        running.close()


class Contexts:
    """Contexts of Chromium that tests use one after the other.

    Attributes:
        used: Those of the test that runs.
    """

    def __init__(self, browser: Browser) -> None:
        self.used: list[tuple[str, BrowserContext]] = []
        self._browser = browser
        self._free: dict[str, list[BrowserContext]] = {}

    def take(self, locale: str) -> BrowserContext:
        """Return a context that this test does not use yet."""
        free = self._free.get(locale)
        size = {"width": SIZE[0], "height": SIZE[1]}
        context = free.pop() if free else self._browser.new_context(viewport=size, locale=locale)  # type: ignore[arg-type]
        self.used.append((locale, context))
        return context

    def release(self) -> None:
        """Close the pages of a test, and free its contexts."""
        for locale, context in self.used:
            for page in context.pages:
                page.close()
            context.clear_cookies()
            context.clear_permissions()
            self._free.setdefault(locale, []).append(context)
        self.used.clear()


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> Contexts:
    return Contexts(browser)


def emptied(page: Page, url: str) -> None:
    """Remove the storage that another test left at an address; the cache stays."""
    session = page.context.new_cdp_session(page)
    kinds = "cookies,file_systems,indexeddb,local_storage,service_workers,websql"
    session.send("Storage.clearDataForOrigin", {"origin": url, "storageTypes": kinds})
    session.detach()


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "history.db"


@pytest.fixture(scope="session")
def kept(scripted: Running, history: Path) -> Iterator[Running]:
    """An application with sign-in and history, for tests that sign in as a `user` of their own."""
    with chat(scripted.url, history.parent, database_url=f"sqlite:///{history}", **SIGN_IN) as running:
        yield running


@pytest.fixture(scope="session")
def users() -> Iterator[str]:
    return iter(USERS)


@pytest.fixture
def user(users: Iterator[str]) -> str:
    """A user without conversations."""
    return next(users)


@pytest.fixture
def visit(contexts: Contexts) -> Iterator[Visit]:
    """Opens pages, and checks at the end that they loaded nothing from other origins and violated no policy.

    `blocks` permits requests to other origins, which the policy blocks. A `user` is signed in before the page loads.
    """
    strange: list[str] = []

    def opened(
        url: str,
        width: int = SIZE[0],
        height: int = SIZE[1],
        *,
        blocks: bool = False,
        locale: str = "en-US",
        user: str = "",
        **media: Any,
    ) -> Page:
        page = contexts.take(locale).new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(**media)
        emptied(page, url)
        if user:
            enter(page, url, user)

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
    contexts.release()
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
