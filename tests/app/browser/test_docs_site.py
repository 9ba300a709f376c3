"""The documentation site in Chromium: it loads nothing from another host, draws its diagrams, and finds pages."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import expect

from support.chat.browser import Visit
from support.needs import needs_path
from support.project import ROOT

SITE = ROOT / "build" / "site"


class Handler(SimpleHTTPRequestHandler):
    """Serves files, without a log."""

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """Serve the site; return its address."""
    needs_path(SITE / "index.html", "the documentation site (make docs-site builds it)")
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(SITE))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_site_draws_diagrams_and_finds_pages_without_another_host(site: str, visit: Visit) -> None:
    page = visit(site)
    page.goto(f"{site}/explanation/architecture.html")
    # The theme draws each diagram into a closed tree in place of its text.
    expect(page.locator("div.mermaid").nth(2)).to_be_visible(timeout=20_000)
    expect(page.locator("pre.mermaid")).to_have_count(0)
    box = page.locator("div.mermaid").first.bounding_box()
    assert box is not None
    assert box["height"] > 200
    page.locator(".md-search__input").click()
    expect(page.locator(".md-search-result__meta")).to_have_text("Type to start searching")  # the index is loaded
    page.locator(".md-search__input").press_sequentially("prevent_destroy")  # the theme listens to keys
    expect(page.locator(".md-search-result__link").first).to_be_visible(timeout=10_000)
    assert "change-a-deployed-environment" in page.locator(".md-search-result__list").inner_html()
