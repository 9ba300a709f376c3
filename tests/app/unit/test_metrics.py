"""Metrics: the series that exist before the first event, and the values of their labels."""

import asyncio
import re
from typing import get_args

from prometheus_client import REGISTRY

from kaito_chat.backends.errors import FAULTS, Kind
from kaito_chat.chat import conversations, limits
from kaito_chat.page import gate
from kaito_chat.telemetry import metrics
from support.chat.backends import model_of
from support.chat.fakes.kaito import VLLM
from support.project import ROOT

SOURCES = [path.read_text(encoding="utf-8") for path in (ROOT / "app" / "kaito_chat").rglob("*.py")]


def series(metric: str, **labels: str) -> list[tuple[dict[str, str], float]]:
    """Return the other labels and the value of each series of a metric with these labels."""
    return [
        ({key: value for key, value in sample.labels.items() if key not in labels}, sample.value)
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == metric and labels.items() <= sample.labels.items()
    ]


def values(metric: str, label: str, **labels: str) -> dict[str, float]:
    """Return the value of each series, by one of its labels."""
    return {each[label]: value for each, value in series(metric, **labels)}


async def test_the_series_of_a_model_exist_before_its_first_question() -> None:
    model = model_of(VLLM("never-asked"))
    await model.check()
    assert values("kaito_chat_errors_total", "kind", model="never-asked") == dict.fromkeys(FAULTS, 0)
    outcomes = values("kaito_chat_requests_total", "outcome", model="never-asked")
    assert outcomes == dict.fromkeys((*Kind, "answered", "length", "drained", "stopped", "left"), 0)
    assert values("kaito_chat_tokens_total", "direction", model="never-asked") == {"prompt": 0, "completion": 0}
    for metric in ("kaito_chat_retries_total", "kaito_chat_answer_seconds_count", "kaito_chat_active_streams"):
        assert series(metric, model="never-asked") == [({}, 0)], metric


async def test_they_exist_before_the_first_check() -> None:
    model = model_of(VLLM("never-checked"))
    model.settings = model.settings.model_copy(update={"name": "Never checked"})
    running = asyncio.create_task(model.run())
    await asyncio.sleep(0)
    assert values("kaito_chat_errors_total", "kind", model="Never checked") == dict.fromkeys(FAULTS, 0)
    running.cancel()


async def test_a_renamed_model_has_series_of_its_own() -> None:
    server = VLLM("before-renaming")
    model = model_of(server)
    await model.check()
    metrics.ERRORS.labels("before-renaming", "busy").inc()
    server.model = "after-renaming"
    await model.check()
    assert values("kaito_chat_errors_total", "kind", model="before-renaming")["busy"] == 1
    assert values("kaito_chat_errors_total", "kind", model="after-renaming")["busy"] == 0
    await model.check()
    assert values("kaito_chat_errors_total", "kind", model="before-renaming")["busy"] == 1


def test_faults_are_all_kinds_but_a_question_that_is_too_long() -> None:
    assert set(Kind) - set(FAULTS) == {Kind.TOO_LONG}


def test_outcomes_include_the_ends_of_answers() -> None:
    ends = {conversations.DRAINED, conversations.STOPPED, conversations.LEFT}
    assert set(metrics.OUTCOMES) == ends | {"answered", "length"}


def test_refusals_are_those_of_the_source() -> None:
    literal = {
        reason
        for source in SOURCES
        for reason in re.findall(r"""(?:REFUSED\.labels|_refused)\((?:session, )?"(\w+)"\)""", source)
    }
    used = literal | set(get_args(gate.Refused)) | set(get_args(limits.Reason))
    assert set(metrics.REFUSALS) == used
    assert set(values("kaito_chat_refused_total", "reason")) == used


def test_sign_ins_and_lost_writes_exist_before_the_first() -> None:
    assert set(values("kaito_chat_sign_ins_total", "outcome")) == {"ok", "failed", "limited"}
    assert set(values("kaito_chat_history_dropped_total", "reason")) == {"full", "refused", "foreign", "shutdown"}
