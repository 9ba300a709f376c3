"""The running application, over Chainlit's own protocol."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from kaito_chat.chainlit_client import Page
from support.chat.processes import Running, chat, engine, free_port, get
from support.chat.waiting import until
from support.chat.warm import Forked, finished
from support.project import ROOT


async def test_a_question_is_answered_while_it_is_generated(app: Running) -> None:
    page = Page(app.url)
    await page.open()
    heard = await page.ask("count to 40")
    await page.close()
    assert heard.answer == " ".join(str(number) for number in range(1, 41))
    assert heard.text == heard.answer
    assert heard.first_text_seconds is not None
    assert heard.first_text_seconds < heard.seconds / 2


async def test_the_model_sees_the_conversation(app: Running) -> None:
    page = Page(app.url)
    await page.open()
    for number in (1, 2, 3):
        heard = await page.ask("hello")
        assert heard.answer
        assert f"answer {number}." in heard.answer
    await page.close()


async def test_stop_ends_the_answer_and_keeps_the_partial_text(app: Running) -> None:
    page = Page(app.url)
    await page.open()
    await page.say("count to 3000")
    await page.first_text()
    await page.stop()
    heard = await page.end_of_turn()
    await asyncio.sleep(0.3)
    assert heard.answer
    assert "3000" not in heard.answer
    again = await page.ask("hello")
    assert "answer 2." in (again.answer or "")
    await page.close()


async def test_an_edited_question_ends_the_answer_to_the_old_one(app: Running) -> None:
    page = Page(app.url)
    await page.open()
    identifier = await page.say("count to 3000")
    await page.first_text()
    await page.edit(identifier, "hello")
    async with asyncio.timeout(10):
        while "answer 1." not in (page.heard.answer or ""):
            await asyncio.sleep(0.05)
    await page.close()


async def test_a_question_waits_for_a_model_that_warms_up(folder: Path) -> None:
    port = free_port()
    with chat(f"http://127.0.0.1:{port}", folder) as app:
        assert httpx.get(app.management + "/readyz").status_code == 200
        page = Page(app.url)
        await page.open()
        await page.say("hello")
        async with asyncio.timeout(10):
            while not any("warming up" in message["output"] for message in page.messages.values()):
                await asyncio.sleep(0.05)
        with engine(folder, port):
            heard = await page.end_of_turn()
            assert heard.answer
        await page.close()


async def test_sigterm_lets_an_answer_end(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, drain_seconds="60") as app:
        page = Page(app.url)
        await page.open()
        await page.say("count to 200")
        await page.first_text()
        app.process.terminate()
        await until(lambda: get(app.management + "/readyz").status_code == 503)
        heard = await page.end_of_turn()
        assert heard.answer
        assert heard.answer.endswith("200")
        assert await asyncio.to_thread(app.process.wait, 10) == 0
        await page.close()


async def test_sigterm_ends_a_long_answer_with_a_message(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, drain_seconds="1") as app:
        page = Page(app.url)
        await page.open()
        await page.say("count to 3000")
        await page.first_text()
        app.process.terminate()
        heard = await page.end_of_turn()
        assert heard.answer
        assert heard.notice == "drained"
        assert heard.actions == ["continue", "regenerate"]
        assert await asyncio.to_thread(app.process.wait, 10) == 0
        await page.close()


async def test_a_lost_connection_ends_the_answer_after_the_grace(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, disconnect_grace_seconds="1") as app:
        page = Page(app.url)
        await page.open()
        await page.say("count to 3000")
        await page.first_text()
        await page.close(forget=False)
        assert 'kaito_chat_active_streams{model="scripted"} 1.0' in app.metrics()
        await until(lambda: 'kaito_chat_active_streams{model="scripted"} 0.0' in app.metrics())


async def test_a_page_that_reconnects_in_time_gets_its_answer(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, disconnect_grace_seconds="3") as app:
        page = Page(app.url)
        await page.open()
        await page.say("count to 400")
        await page.first_text()
        await page.close(forget=False)
        back = Page(app.url, session_id=page.session_id)
        await back.open()
        async with asyncio.timeout(15):
            while not back.heard.answer:
                await asyncio.sleep(0.05)
        assert back.heard.answer.endswith("400")
        await back.close()


def test_the_probe_asks_both(app: Running, scripted: Running) -> None:
    command = [sys.executable, "-m", "kaito_chat.probe", "--chat", app.url, "--model", scripted.url, "--timeout", "20"]
    ran = subprocess.run(command, cwd=ROOT / "app", capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.count("OK") == 2


def probing(url: str, *more: str) -> list[str]:
    """Return the command that probes a chat."""
    return [sys.executable, "-m", "kaito_chat.probe", "--chat", url, "--timeout", "20", *more]


def test_the_probe_waits_for_a_page_that_is_starting(folder: Path, scripted: Running) -> None:
    port = free_port()
    early = subprocess.Popen(probing(f"http://127.0.0.1:{port}", "--reach", "60"), cwd=ROOT / "app")
    with chat(scripted.url, folder, listen_port=str(port)):
        assert early.wait(60) == 0


def test_the_probe_fails_without_a_page() -> None:
    command = probing(f"http://127.0.0.1:{free_port()}", "--reach", "3")
    ran = subprocess.run(command, cwd=ROOT / "app", capture_output=True, text=True, check=False, timeout=30)
    assert (ran.returncode, ran.stdout.startswith("chat: FAILED")) == (1, True)


def probing_models(*more: str, **settings: str) -> tuple[list[str], dict[str, str]]:
    """Return the arguments that probe the models of the settings, and the environment."""
    given = {f"KAITO_CHAT_{key.upper()}": value for key, value in settings.items()}
    return ["--models", "--timeout", "20", *more], {"PYTHONPATH": str(ROOT / "app"), **given}


def test_the_probe_asks_the_models_of_the_applications_own_settings(scripted: Running, folder: Path) -> None:
    several = [{"name": name, "endpoint_url": scripted.url} for name in ("first", "second")]
    arguments, environment = probing_models(models=json.dumps(several))
    ran = finished("kaito_chat.probe", arguments, environment, folder)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.findall(r"^model (\w+): OK", ran.stdout, re.MULTILINE) == ["first", "second"]


def test_the_probe_waits_for_a_model_that_is_starting(folder: Path) -> None:
    port = free_port()
    arguments, environment = probing_models("--reach", "60", endpoint_url=f"http://127.0.0.1:{port}")
    early = Forked("kaito_chat.probe", arguments, environment, folder / "probe.log")
    with engine(folder, port=port):
        assert early.wait(60) == 0


def test_the_probe_says_that_entra_id_gives_no_token(folder: Path) -> None:
    model = {"name": "big", "endpoint_url": "http://127.0.0.1:9", "backend": "azure_openai", "model": "gpt-4o"}
    arguments, environment = probing_models(models=json.dumps([model]))
    # The only credential that fails without a network.
    environment |= {"AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential", "PATH": os.environ["PATH"]}
    ran = finished("kaito_chat.probe", arguments, environment, folder)
    assert (ran.returncode, ran.stdout.startswith("model big: FAILED Entra ID gives no token: ")) == (1, True), (
        ran.stderr
    )
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--models"], 2, "KAITO_CHAT_ENDPOINT_URL"),
        (["--model", "nowhere"], 2, "--model nowhere: must be an http:// or https:// address"),
        (["--model", "http://127.0.0.1:9"], 1, "model: FAILED not_ready"),
        ([], 2, "nothing to probe"),
    ],
)
def test_the_probe_says_what_is_wrong(arguments: list[str], status: int, words: str, folder: Path) -> None:
    environment = {"PYTHONPATH": str(ROOT / "app")}
    ran = finished("kaito_chat.probe", arguments, environment, folder)
    assert (ran.returncode, words in ran.stdout + ran.stderr) == (status, True), ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr


def test_logs_are_json_with_ids_and_without_content(app: Running) -> None:
    assert '"outcome": "answered"' in app.text()
    assert '"session_id"' in app.text()
    assert "count to 40" not in app.text()


def test_wrong_settings_are_named(folder: Path) -> None:
    environment = {"KAITO_CHAT_ENDPOINT_URL": "http://x", "KAITO_CHAT_TOP_P": "3", "PYTHONPATH": str(ROOT / "app")}
    ran = finished("kaito_chat", [], environment, folder)
    assert ran.returncode == 2
    assert ran.stderr.strip() == "KAITO_CHAT_TOP_P='3': Input should be less than or equal to 1"
