"""axe-core, which finds violations of accessibility on a page in Chromium."""

import time
from typing import Any

from playwright.sync_api import Page

from support.needs import needs_path
from support.project import ROOT

AXE = ROOT / "tests" / "app" / "browser" / "node_modules" / "axe-core" / "axe.min.js"


def found(page: Page) -> list[str]:
    """Return the serious and critical violations on the page."""
    page.wait_for_timeout(300)  # dialogs and the first page fade in, which affects the contrast
    if not page.evaluate("'axe' in window"):
        page.evaluate(needs_path(AXE, "axe-core (make test-app installs it)").read_text(encoding="utf-8"))
    result: dict[str, Any] = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{violation['impact']} {violation['id']}: {node['html']}"
        for violation in result["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def expect_no_violations(page: Page) -> None:
    """Check the page; its script names the buttons of a part that has just been drawn within a moment."""
    deadline = time.monotonic() + 5
    while (violations := found(page)) and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    assert violations == []
