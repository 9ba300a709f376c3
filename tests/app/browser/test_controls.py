"""The page around the conversation: its language, its status, its limits and its dialogs."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from kaito_chat.texts import texts_for
from support.chat.browser import SIGN_IN, Visit, answered, ask, listed, sign_in, status
from support.chat.processes import Running, chat, engine, free_port

# The status follows the notice by a message to the window, whose order with the socket's messages is not defined: they
# may differ for one frame, which is not visible.
WATCH = """() => {
  let before = false;
  const look = () => {
    const ready = document.querySelector('#kaito-chat-status[data-state="ready"]');
    const now = Boolean(ready) && document.body.innerText.includes("stopped answering");
    window.together ||= now && before;
    before = now;
    requestAnimationFrame(look);
  };
  window.together = false;
  look();
}"""
# The timer of the next poll never fires.
NO_POLLS = """const later = setTimeout;
window.setTimeout = (run, pause, ...more) => pause === 3000 || later(run, pause, ...more);"""
OVERLAPS = """() => {
  const pill = document.querySelector("#kaito-chat-status").getBoundingClientRect();
  return [...document.querySelectorAll("#header button, .step")].filter((each) => {
    const box = each.getBoundingClientRect();
    const beside = box.left >= pill.right || box.right <= pill.left;
    return box.width && !beside && box.top < pill.bottom && box.bottom > pill.top;
  }).map((each) => each.id || each.className);
}"""


def test_a_message_that_is_too_large_is_refused_with_an_alert(app: Running, visit: Visit) -> None:
    page = visit(app.url)
    status(page, "ready")
    page.locator("#chat-input").fill("x" * 400_001)
    page.locator("#chat-submit").click()
    expect(page.get_by_role("alert").filter(has_text="400,001 characters; at most 400,000")).to_be_visible()
    page.locator("#chat-input").press("Enter")
    expect(page.locator(".step")).to_have_count(0)
    page.locator("#chat-input").fill("hello")
    expect(page.locator("#kaito-chat-too-large")).to_have_count(0)
    page.locator("#chat-submit").click()
    answered(page)


def test_ready_and_not_answering_never_show_together(folder: Path, visit: Visit) -> None:
    port = free_port()
    with chat(f"http://127.0.0.1:{port}", folder) as running:
        with engine(folder, port):
            page = visit(running.url)
            status(page, "ready")
            page.evaluate(WATCH)
        ask(page, "still there?")
        expect(page.get_by_text("stopped answering")).to_be_visible(timeout=10_000)
        status(page, "gone")
        with engine(folder, port):
            answered(page)
            status(page, "ready")
        assert page.evaluate("window.together") is False


@pytest.mark.parametrize(
    ("locale", "language"), [("de-AT", "de-DE"), ("ja", "ja"), ("pt-BR", "pt-PT"), ("xx", "en-US")]
)
def test_the_page_speaks_one_language(app: Running, visit: Visit, locale: str, language: str) -> None:
    texts = texts_for(language)
    page = visit(app.url, locale=locale)
    status(page, "ready")
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("#kaito-chat-status")).to_contain_text(texts.say("state.ready"))
    expect(page.get_by_text(texts.say("notice.no_sign_in"))).to_be_visible()
    ask(page, "hello")
    expect(page.get_by_role("button", name=texts.say("action.regenerate"))).to_be_visible(timeout=10_000)
    expect(page.get_by_role("note", name=texts.say("page.facts"))).to_be_visible()
    page.locator("#chat-settings-open-modal").click()
    expect(page.get_by_role("dialog").get_by_text(texts.say("settings.system_prompt"), exact=True)).to_be_visible()


@pytest.fixture(scope="module")
def two_models(scripted: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An application with sign-in, history and two models."""
    folder = tmp_path_factory.mktemp("two-models")
    names = ("A model with quite a long name", "Another model with a long name")
    models = [{"name": name, "endpoint_url": scripted.url} for name in names]
    database = f"sqlite:///{folder}/h.db"
    with chat("", folder, models=json.dumps(models), database_url=database, **SIGN_IN) as running:
        yield running


@pytest.mark.parametrize("width", [320, 390, 600, 1200])
def test_the_status_covers_nothing(two_models: Running, user: str, visit: Visit, width: int) -> None:
    page = visit(two_models.url, width, 700, user=user)
    status(page, "ready")
    # The choice of the first model connects again, and then the server sends its settings.
    expect(page.get_by_role("combobox", name="Model")).to_be_visible()
    expect(page.locator("#chat-settings-open-modal")).to_be_visible()
    ask(page, "hello")
    answered(page)
    page.locator("#header").hover()
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_status_follows_the_model_that_is_chosen(scripted: Running, folder: Path, visit: Visit) -> None:
    models = [
        {"name": "Small", "endpoint_url": scripted.url},
        {"name": "Large", "endpoint_url": f"http://127.0.0.1:{free_port()}"},
    ]
    with chat("", folder, models=json.dumps(models)) as running:
        page = visit(running.url)
        status(page, "ready")
        page.get_by_role("combobox", name="Model").click()
        page.get_by_role("option", name="Large").click()
        status(page, "warming_up")
        expect(page.locator("#kaito-chat-announcements")).to_have_text("Large: warming up")


def test_the_status_follows_a_sign_in_at_once(kept: Running, user: str, visit: Visit) -> None:
    page = visit(kept.url)
    page.add_init_script(NO_POLLS)
    expect(page.locator("#password")).to_be_visible()  # a redirect would abort the reload
    page.reload()
    sign_in(page, user)


def test_enter_renames_a_conversation(kept: Running, user: str, visit: Visit) -> None:
    page = visit(kept.url, user=user)
    status(page, "ready")
    ask(page, "first name")
    answered(page)
    options = page.get_by_role("button", name="Options of this conversation")
    options.focus()
    page.keyboard.press("Enter")
    page.locator("#rename-thread").click()
    expect(page.get_by_label("Name", exact=True)).to_have_attribute("maxlength", "200")
    page.get_by_label("Name", exact=True).fill("second name")
    page.keyboard.press("Enter")
    expect(listed(page, "second name")).to_be_visible()
    page.reload()
    expect(listed(page, "second name")).to_be_visible()


def test_an_ordinary_page_is_refused_nothing(scripted: Running, folder: Path, visit: Visit) -> None:
    with chat(scripted.url, folder, database_url=f"sqlite:///{folder}/h.db", **SIGN_IN) as running:
        page = visit(running.url)
        sign_in(page)
        page.locator("#chat-settings-open-modal").click()
        page.get_by_role("slider", name="Temperature").press("ArrowRight")
        page.locator("#confirm").click()
        for times, question in enumerate(("hello", "count to 3"), 1):
            ask(page, question)
            answered(page, times)
        page.reload()
        answered(page, 2)
        refused = [line for line in running.metrics().splitlines() if line.startswith("kaito_chat_refused_total{")]
        assert refused
        assert [line for line in refused if not line.endswith(" 0.0")] == []


def test_the_form_asks_for_a_user_name(kept: Running, visit: Visit) -> None:
    for locale, language in (("en-US", "en-US"), ("fr-CA", "fr-FR")):
        page = visit(kept.url, locale=locale)
        field = page.get_by_label(texts_for(language).say("login.user_name"), exact=True)
        expect(field).to_be_visible()
        expect(field).to_have_attribute("placeholder", "")


def test_colours_follow_the_operating_system(app: Running, visit: Visit) -> None:
    page = visit(app.url, color_scheme="light")
    status(page, "ready")
    expect(page.locator("html")).to_have_class("light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_class("dark")
    page.locator("#theme-toggle").click()
    page.get_by_role("menuitem", name="Light").click()
    page.reload()
    expect(page.locator("html")).to_have_class("light")


def test_on_a_phone_a_conversation_has_its_address(kept: Running, user: str, visit: Visit) -> None:
    page = visit(kept.url, 390, 844, user=user)
    status(page, "ready")
    ask(page, "count to 300")
    expect(page.get_by_text("20 21 22")).to_be_visible()
    assert "/thread/" in page.url
    page.reload()
    expect(page.get_by_text("20 21 22")).to_be_visible()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    page.locator("#sidebar-trigger-button").click()
    expect(listed(page, "count to 300")).to_be_visible()
    page.wait_for_timeout(1000)  # Chainlit's page would go to the conversation's address now, and close the list
    expect(listed(page, "count to 300")).to_be_visible()


def test_under_a_sub_path_the_page_asks_for_nothing_outside(scripted: Running, folder: Path, visit: Visit) -> None:
    database = f"sqlite:///{folder}/h.db"
    with chat(scripted.url, folder, root_path="/chat", database_url=database, **SIGN_IN) as running:
        page = visit(running.url + "/chat")
        page.get_by_label("User name").fill("ada")
        page.get_by_label("Password", exact=True).fill("not-a-secret")
        page.get_by_role("button", name="Sign In").click()
        status(page, "ready")
        ask(page, "Show me some code")
        answered(page)
        page.reload()
        answered(page)
        assert "/chat/thread/" in page.url
