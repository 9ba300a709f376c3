"""Faults of a model server: the page shows each, the conversation goes on, and the application leaks nothing."""

import asyncio
import itertools
from collections.abc import Iterator

import httpx
import pytest

from kaito_chat.chainlit_client import Heard, Page
from kaito_chat.chat.transcript import LEFT_OUT
from support.chat.fakes.faults import FAULTS
from support.chat.processes import Running, chat, get, misbehaving

WORKS: tuple[str, None, list[str]] = ("It works.", None, ["regenerate"])
HALF = ("Half", "cut_off", ["continue", "regenerate"])
ENDS: dict[str, tuple[str | None, str | None, list[str]]] = {
    "hang-before-headers": (None, "slow", ["again"]),
    "hang-after-headers": (None, "slow", ["again"]),
    "hang-mid-stream": HALF,
    "reset-before-headers": (None, "not_ready", ["again"]),
    "reset-mid-stream": HALF,
    "cut-without-a-reason": HALF,
    "cut-in-a-chunk": HALF,
    "garbage": (None, "not_ready", ["again"]),
    "html": (None, "not_api", ["again"]),
    "redirect": (None, "not_api", ["again"]),
    "json-without-an-answer": (None, "garbled", ["again"]),
    "json-instead-of-a-stream": WORKS,
    "hang-in-json": (None, "slow", ["again"]),
    "refused-in-the-stream": (None, "refused", ["again"]),
    "too-long-in-the-stream": (None, "too_long", ["again"]),
    "busy-in-the-stream": WORKS,
    "less-room": WORKS,
    "no-system-role": WORKS,
    "broken-json": HALF,
    "error-in-the-stream": HALF,
    "busy-for-ever": (None, "busy", ["again"]),
    "busy-for-long": (None, "busy", ["again"]),
    "busy-twice": WORKS,
    "broken": (None, "failed", ["again"]),
    "unavailable-twice": WORKS,
    "unavailable-for-ever": (None, "not_ready", ["again"]),
    "unauthorized": (None, "forbidden", ["again"]),
    "too-long": (None, "too_long", ["again"]),
    "refused": (None, "refused", ["again"]),
    "unknown-field": WORKS,
    "huge-line": (None, "garbled", ["again"]),
    "endless": ("and so on", "cut_off", ["continue", "regenerate"]),
    "endless-comments": (None, "slow", ["again"]),
    "nothing": (None, "empty", ["again"]),
    "white-space": (None, "empty", ["again"]),
    "filtered": (None, "filtered", ["again"]),
    "filtered-midway": ("Half", "filtered", ["regenerate"]),
    "aborted": ("Half", "aborted", ["continue", "regenerate"]),
    "thinking-in-tags": WORKS,
    "thought-out": (None, "thought_out", ["continue"]),
    "parts": WORKS,
    "slow": WORKS,
    "slow-thinking": WORKS,
    "byte-by-byte": ("It wörks 模型 \U0001f600.", None, ["regenerate"]),
    "split-utf-8": ("It wörks 模型 \U0001f600.", None, ["regenerate"]),
    "crlf": WORKS,
    "no-done": WORKS,
    "null-content": WORKS,
    "limit": ("Half", None, ["continue", "regenerate"]),
    "reasoning": WORKS,
    "formulas": ("It costs $5 today", None, ["regenerate"]),
    "image": ("Look: ", None, ["regenerate"]),
    **{f"nested-{kind}": WORKS for kind in ("quotations", "lists", "emphasis", "images", "thinking")},
}
# Faults whose answers are longer than `ENDS` names.
LONGER = ("endless", "formulas", "image", *(kind for kind in ENDS if kind.startswith("nested-")))
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with misbehaving(tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.fixture(scope="module")
def patient(faulty: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with chat(
        faulty.url,
        tmp_path_factory.mktemp("patient"),
        connect_timeout_seconds="1",
        first_token_timeout_seconds="1.5",  # noqa: S106 - no password
        token_timeout_seconds="1",  # noqa: S106
        answer_timeout_seconds="8",
        max_answer_characters="20000",
    ) as running:
        yield running


def attempts(faulty: Running, number: int) -> int:
    found: int = get(faulty.url + "/open").json()["attempts"].get(f"q{number}", 0)
    return found


async def suffer(app: Running, kind: str) -> tuple[Heard, Heard, int]:
    """Return the responses to a fault and to the next question of the page, and the fault's number."""
    number = next(NUMBERS)
    page = Page(app.url)
    await page.open()
    first = await page.ask(f"fault: {kind} q{number}", 20)
    second = await page.ask("and now?", 20)
    await page.close()
    return first, second, number


def test_every_fault_has_an_expected_outcome() -> None:
    assert set(ENDS) == set(FAULTS)
    assert len(FAULTS) >= 20


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_fault_is_reported_and_the_conversation_continues(patient: Running, faulty: Running, kind: str) -> None:
    first, second, number = await suffer(patient, kind)
    answer, notice, actions = ENDS[kind]
    assert (first.answer or "").startswith(answer) if answer else first.answer is None
    assert first.answer in (answer, first.answer if kind in LONGER else answer)
    assert (first.notice, first.actions) == (notice, actions)
    # The failed question stays in the conversation, unless it would make the next one fail too.
    assert second.answer == ("seen 0" if notice in LEFT_OUT and answer is None else "seen 1")
    if answer and not FAULTS[kind][1:]:
        assert attempts(faulty, number) == 1, "nothing is tried again after the first token"
    if kind.endswith("for-ever"):
        assert attempts(faulty, number) == 3


async def test_nothing_leaks(patient: Running, faulty: Running) -> None:
    process = patient.measure()
    sizes = []
    for _ in range(3):
        for part in [list(FAULTS)]:
            await asyncio.gather(*(suffer(patient, kind) for kind in part))
        await asyncio.sleep(1)
        assert get(faulty.url + "/open").json()["open"] == 0
        sizes.append((process.memory_info().rss / 2**20, process.num_fds(), process.num_threads()))
    assert 'kaito_chat_active_streams{model="faulty"} 0.0' in patient.metrics()
    assert sizes[2][0] - sizes[0][0] < 15, sizes
    assert sizes[2][1] <= sizes[0][1] + 5, sizes
    assert sizes[2][2] <= sizes[0][2], sizes


async def test_try_again_and_continue_work(patient: Running) -> None:
    page = Page(patient.url)
    await page.open()
    heard = await page.ask("fault: limit q-continue", 20)
    assert heard.actions == ["continue", "regenerate"]
    async with httpx.AsyncClient() as client:
        body = {"sessionId": page.session_id, "action": page.actions[-2]}
        assert (await client.post(patient.url + "/project/action", json=body, timeout=20)).is_success
    async with asyncio.timeout(10):  # the event may arrive after the response
        while page.heard.answer != "seen 1":
            await asyncio.sleep(0.02)
    await page.close()
