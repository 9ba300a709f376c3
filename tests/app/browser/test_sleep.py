"""A model that sleeps, with its icon and description, and the wake button in Chromium."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from support.chat.browser import SIGN_IN, Visit, answered, ask, status
from support.chat.processes import Running, chat, engine, free_port
from support.chat.scales import Scales, service_account, serving


class Asleep(NamedTuple):
    """An application whose only model sleeps, its API server, and the port of the model."""

    app: Running
    api: Scales
    port: int


@pytest.fixture
def asleep(folder: Path) -> Iterator[Asleep]:
    port = free_port()
    model = {
        "name": "Phi",
        "endpoint_url": f"http://127.0.0.1:{port}",
        "inference_set_name": "phi",
        "icon": "/public/icon.svg",
        "description": "Small and **quick**.",
        "starters": [{"label": "Greet me", "message": "Hello?", "icon": "/public/favicon.svg"}],
        "schedule": {"wakes": "0 8 1 1 *", "time_zone": "Europe/Rome"},
    }
    with serving(phi=0) as api:
        account = folder / "account"
        account.mkdir()
        settings = {
            **SIGN_IN,
            "models": json.dumps([model]),
            "kubernetes_api_url": api.url,
            "service_account_dir": str(service_account(account)),
            "wake_allowed": "signed_in",
        }
        with chat("", folder, **settings) as app:
            yield Asleep(app, api, port)


def signed_in(asleep: Asleep, visit: Visit) -> Page:
    page = visit(asleep.app.url)
    page.locator("#email").fill("ada")
    page.locator("#password").fill("not-a-secret")
    page.get_by_role("button", name="Sign In").click()
    status(page, "asleep")
    return page


def test_the_page_presents_the_model_and_wakes_it(asleep: Asleep, visit: Visit, folder: Path) -> None:
    page = signed_in(asleep, visit)
    pill = page.locator("#kaito-chat-status")
    expect(pill).to_contain_text("Phi · asleep until ")
    expect(pill).to_contain_text("-01-01 08:00 CET")
    expect(page.locator("#welcome-screen")).to_contain_text("Small and quick.")
    expect(page.locator("#welcome-screen img[src$='/public/icon.svg']").first).to_be_visible()
    expect(page.get_by_role("button", name="Greet me")).to_be_visible()
    expect(page.locator("#chat-profiles")).to_have_count(0)
    ask(page, "Hello?")
    expect(page.get_by_text("You can wake it now: its button is at the top of the page.")).to_be_visible(timeout=10_000)
    pill.get_by_role("button", name="Wake it").click()
    status(page, "warming_up")
    expect(page.get_by_role("button", name="Wake it")).to_have_count(0, timeout=10_000)
    assert asleep.api.replicas == {"phi": 1}
    with engine(folder, asleep.port):
        answered(page)
        expect(page.get_by_text("This is answer 1.")).to_be_visible()
        status(page, "ready")


def test_a_failure_is_said_beside_the_button(asleep: Asleep, visit: Visit) -> None:
    page = signed_in(asleep, visit)
    asleep.api.permitted.clear()
    pill = page.locator("#kaito-chat-status")
    pill.get_by_role("button", name="Wake it").click()
    expect(pill).to_contain_text("The model was not woken. The application has no permission to scale it.")
    asleep.api.permitted.add("phi")
    asleep.api.broken = True
    pill.get_by_role("button", name="Wake it").click()
    expect(pill).to_contain_text("The cluster's API server did not scale it. etcdserver: request timed out")
    asleep.api.broken = False
    pill.get_by_role("button", name="Wake it").click()
    status(page, "warming_up")
    expect(pill).not_to_contain_text("was not woken")
