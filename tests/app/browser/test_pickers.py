"""The lists of models and adapters, in which users search."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from support.chat.axe import expect_no_violations
from support.chat.browser import Visit, ask, status
from support.chat.processes import Running, chat

ADAPTERS = [f"{language}-{task}" for language in ("german", "french") for task in ("law", "letters", "tax")]


class Handler(BaseHTTPRequestHandler):
    """vLLM with a model and adapters, each of which answers with its own name."""

    def do_GET(self) -> None:
        base = {"id": "base", "owned_by": "vllm", "max_model_len": 2048}
        adapters = [{"id": name, "owned_by": "vllm", "parent": "base", "max_model_len": None} for name in ADAPTERS]
        self._answer(200 if self.path == "/v1/models" else 404, json.dumps({"data": [base, *adapters]}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        choice = {"message": {"content": f"I am {body.get('model')}."}, "finish_reason": "stop"}
        self._answer(200 if self.path == "/v1/chat/completions" else 404, json.dumps({"choices": [choice]}))

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The application in front of a server with adapters."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with chat(f"http://127.0.0.1:{server.server_port}", tmp_path_factory.mktemp("adapted")) as running:
                yield running
        finally:
            server.shutdown()
            thread.join()


def opened(page: Page) -> Locator:
    """Open the list of models in the settings, and return its search field."""
    page.locator("#chat-settings-open-modal").click()
    page.locator("#model").click()
    return page.get_by_role("searchbox", name="Search")


def options(page: Page) -> list[str]:
    return page.get_by_role("option").all_inner_texts()


def test_an_adapter_is_searched_and_chosen_with_the_keyboard(adapted: Running, visit: Visit) -> None:
    page = visit(adapted.url)
    status(page, "ready")
    search = opened(page)
    assert options(page) == ["base", *ADAPTERS]
    page.keyboard.type("Tax")  # without a click into the field
    expect(search).to_have_value("Tax")
    assert options(page) == ["german-tax", "french-tax"]
    for name in ("german-tax", "french-tax"):
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("option", name=name)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#model")).to_have_text("french-tax")
    page.locator("#confirm").click()
    ask(page, "Who are you?")
    expect(page.get_by_text("I am french-tax.")).to_be_visible()


def test_the_first_result_is_chosen_from_the_field(adapted: Running, visit: Visit) -> None:
    page = visit(adapted.url)
    status(page, "ready")
    search = opened(page)
    search.fill("let")
    search.press("Enter")
    expect(page.locator("#model")).to_have_text("german-letters")
    page.locator("#model").click()
    assert options(page) == ["base", *ADAPTERS], "the next search begins with all"
    search.fill("none of them")
    assert options(page) == []
    search.press("Enter")
    search.press("Escape")
    expect(page.locator("#model")).to_have_text("german-letters")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_result_is_clicked(adapted: Running, visit: Visit, scheme: str) -> None:
    page = visit(adapted.url, color_scheme=scheme)
    status(page, "ready")
    opened(page).fill("french")
    expect_no_violations(page)
    page.get_by_role("option", name="french-law").click()
    expect(page.locator("#model")).to_have_text("french-law")


def test_one_of_several_servers_is_searched(scripted: Running, folder: Path, visit: Visit) -> None:
    models = [{"name": name, "endpoint_url": scripted.url} for name in ("Small", "Medium", "Large")]
    with chat("", folder, models=json.dumps(models)) as running:
        page = visit(running.url)
        status(page, "ready")
        page.get_by_role("combobox", name="Model").click()
        page.get_by_role("searchbox", name="Search").fill("LARGE")
        assert options(page) == ["Large"]
        page.keyboard.press("Enter")
        expect(page.get_by_role("combobox", name="Model")).to_have_text("Large")
