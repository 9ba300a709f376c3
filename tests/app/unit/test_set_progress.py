"""The warm-up of an InferenceSet: the progress of its most advanced Workspace, at a fake API server."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kaito_chat.kubernetes.api_server import ApiServer
from kaito_chat.kubernetes.conditions import most_advanced
from kaito_chat.kubernetes.failures import Failure
from kaito_chat.kubernetes.inference_sets import InferenceSets
from kaito_chat.kubernetes.resources import REASONS
from kaito_chat.kubernetes.workspace import Workspaces, conditions_of
from kaito_chat.models.objects import Objects
from kaito_chat.models.readiness import Model
from kaito_chat.models.states import State
from kaito_chat.telemetry import metrics
from kaito_chat.texts import texts_for
from support.chat.backends import endpoint, model_settings
from support.chat.fakes.kaito import VLLM, Answer, Fake
from support.chat.scales import PREFIX, WORKSPACES, Scales, service_account, serving
from support.chat.workspaces import (
    CLAIMS,
    CREATED,
    DEPLOYED,
    INFERENCE_WAITS,
    LATER,
    NO_NODES,
    NODES,
    QUOTA,
    RESOURCE,
    SUCCEEDED,
    WAITS,
    claims,
    condition,
    inference,
    workspace,
)

ENGLISH = texts_for("en-US")
LISTED = f"{WORKSPACES}?labelSelector=inferenceset.kaito.sh%2Fcreated-by%3Dphi"
PENDING = workspace(*claims("NodeClaimNotReady", "Ready NodeClaims are not enough"), NO_NODES, INFERENCE_WAITS, WAITS)
NO_QUOTA = workspace(*claims("LaunchFailed", QUOTA), NO_NODES, INFERENCE_WAITS, WAITS)
LOADING = workspace(CLAIMS, NODES, RESOURCE, INFERENCE_WAITS, WAITS)
CRASHED = workspace(CLAIMS, NODES, RESOURCE, inference("ContainerCrashLoopBackOff", "exit 1"), WAITS)
WORKS = workspace(CLAIMS, NODES, RESOURCE, DEPLOYED, SUCCEEDED)
NOT_READY = condition("InferenceSetReady", "False", "inferencesetNotReady", "0/2 replicas are ready", LATER)


class Switch:
    """A model server that a test starts."""

    def __init__(self) -> None:
        self.now: Fake | None = None

    def __call__(self, request: httpx.Request) -> Answer:
        if self.now is None:
            raise httpx.ConnectError("refused", request=request)
        return self.now(request)


@pytest.fixture
def api() -> Iterator[Scales]:
    with serving(phi=2) as scales:
        yield scales


@pytest.fixture
def server() -> Switch:
    return Switch()


@pytest.fixture
async def model(api: Scales, server: Switch, tmp_path: Path) -> AsyncIterator[Model]:
    cluster = ApiServer(api.url, service_account(tmp_path))
    settings = model_settings(inference_set_name="phi")
    place = (cluster, "kaito.sh/v1beta1", None)
    yield Model(settings, [endpoint(server)], 1, Objects(settings, Workspaces(*place), InferenceSets(*place)))
    await cluster.close()


def paths(api: Scales) -> list[str]:
    return [each.path for each in api.asked]


def errors() -> dict[tuple[str, str], float]:
    """Return the counts of failures that are not 0, by resource and reason."""
    found = {
        (each.labels["resource"], each.labels["reason"]): each.value
        for family in metrics.KUBERNETES_ERRORS.collect()
        for each in family.samples
        if each.name.endswith("_total")
    }
    return {key: value for key, value in found.items() if value}


def added(before: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    return {key: value - before.get(key, 0) for key, value in errors().items() if value != before.get(key, 0)}


async def test_the_steps_are_those_of_the_most_advanced_replica(api: Scales, model: Model) -> None:
    api.make("phi", PENDING)
    await model.check()
    assert paths(api) == [f"{PREFIX}phi", LISTED]
    assert ENGLISH.warming_up(model).splitlines()[2].startswith("▸ GPU node: provisioning")
    api.make("phi", LOADING)
    api.make("other", WORKS)
    await model.check()
    node, server, ready = ENGLISH.steps(model)
    assert (node.name, node.state, server.name, server.state) == ("GPU node", "done", "Model server", "now")
    assert ready.state == "later"


async def test_nothing_is_read_or_shown_while_one_replica_answers(api: Scales, model: Model, server: Switch) -> None:
    api.make("phi", NO_QUOTA)
    await model.check()
    assert "quota for this size of GPU node is used up" in ENGLISH.warming_up(model)
    server.now = VLLM()
    api.asked.clear()
    await model.check()
    assert (model.state, model.conditions, paths(api)) == (State.READY, None, [])
    assert [step.state for step in ENGLISH.steps(model)] == ["done"]


@pytest.mark.parametrize(
    ("replicas", "expected"),
    [
        ([PENDING, LOADING], LOADING),
        ([NO_QUOTA, PENDING], PENDING),
        ([CRASHED, PENDING], CRASHED),
        ([CRASHED, LOADING], LOADING),
        ([LOADING, WORKS], WORKS),
        ([NO_QUOTA], NO_QUOTA),
        ([{}, PENDING], PENDING),
        ([{"metadata": {"creationTimestamp": LATER}}, {"metadata": {"creationTimestamp": CREATED}}], None),
    ],
)
def test_the_order_of_replicas(replicas: list[dict[str, Any]], expected: dict[str, Any] | None) -> None:
    expected = replicas[-1] if expected is None else expected
    for given in (replicas, replicas[::-1]):
        assert most_advanced(map(conditions_of, given)) == conditions_of(expected)


async def test_a_replica_that_is_being_deleted_does_not_count(api: Scales, model: Model) -> None:
    api.make("phi", LOADING, deletionTimestamp=LATER)
    api.make("phi", PENDING)
    await model.check()
    assert model.conditions == conditions_of(PENDING)


@pytest.mark.parametrize(
    ("status", "since", "failure", "said"),
    [
        (None, "2026-11-01 00:00", None, ""),
        (NOT_READY, "2026-11-24 10:30", None, "0/2 replicas are ready"),
        (
            NOT_READY | {"reason": "inferencesetFailed", "message": "no Flux"},
            "2026-11-24 10:30",
            Failure.FAILED,
            "no Flux",
        ),
        (condition("InferenceSetReady", "True", "inferencesetReady", "inferenceset is ready"), None, None, ""),
    ],
)
async def test_before_its_replicas_exist_the_sets_own_condition_is_shown(
    api: Scales, model: Model, status: dict[str, str] | None, since: str | None, failure: Failure | None, said: str
) -> None:
    """It has been true since before a sleeping model was woken, so its time tells nothing then."""
    if status:
        api.status["phi"] = {"conditions": [status]}
    await model.check()
    found = model.conditions
    assert found
    assert (found.node_ready, found.server_ready, found.failure, found.message) == (False, False, failure, said)
    assert (f"{found.since:%Y-%m-%d %H:%M}" if found.since else None) == since
    assert "▸ GPU node: provisioning" in ENGLISH.warming_up(model)


async def test_a_set_that_sleeps_has_no_steps(api: Scales, model: Model) -> None:
    api.make("phi", LOADING, deletionTimestamp=LATER)
    api.replicas["phi"] = 0
    await model.check()
    assert (model.state, model.conditions, ENGLISH.steps(model)) == (State.ASLEEP, None, [])
    assert paths(api) == [f"{PREFIX}phi"]


def broken(api: Scales) -> None:
    api.broken = True


def forbidden(api: Scales) -> None:
    api.permitted.clear()


def gone(api: Scales) -> None:
    api.replicas.clear()


def no_list(api: Scales) -> None:
    api.lists = False


def junk(api: Scales) -> None:
    api.replicas["phi"] = "two"  # type: ignore[assignment]


def junk_list(api: Scales) -> None:
    api.workspaces = [{"metadata": {"labels": {"inferenceset.kaito.sh/created-by": "phi"}}, "status": 7}]


@pytest.mark.parametrize(
    ("fault", "counted"),
    [
        (broken, {("inferencesets", "failed"): 2}),
        (forbidden, {("inferencesets", "forbidden"): 2}),
        (gone, {("inferencesets", "missing"): 2}),
        (junk, {("inferencesets", "failed"): 2}),
        (no_list, {("workspaces", "forbidden"): 2}),
        (junk_list, {}),
    ],
)
async def test_failures_are_survived_counted_and_logged_once(
    api: Scales, model: Model, server: Switch, caplog: pytest.LogCaptureFixture, fault: Any, counted: dict[Any, float]
) -> None:
    fault(api)
    before = errors()
    await model.check()
    await model.check()
    assert added(before) == counted
    logged = [each.message for each in caplog.records if each.levelno == logging.WARNING]
    assert logged == [f"{resource} cannot be read" for resource, _ in counted]
    assert not model.ready
    if counted:
        assert model.conditions is None
        assert [step.name for step in ENGLISH.steps(model)] == ["Model server", "Model ready"]
    server.now = VLLM()
    await model.check()
    assert model.state is State.READY


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, text="<html>"),
        Answer(200, json=[]),
        Answer(200, json={"kind": "WorkspaceList", "items": 7}),
        Answer(302, headers={"location": "https://elsewhere"}),
        httpx.ReadTimeout("slow"),
        OSError("no certificate"),
    ],
)
async def test_other_responses_are_no_workspaces(tmp_path: Path, answer: Answer | Exception) -> None:
    def respond(_: httpx.Request) -> Answer:
        if isinstance(answer, Exception):
            raise answer
        return answer

    cluster = ApiServer("https://api", service_account(tmp_path))
    cluster._client = httpx.AsyncClient(transport=httpx.MockTransport(respond))  # noqa: SLF001
    before = errors()
    assert await Workspaces(cluster, "kaito.sh/v1beta1", None).created_by("phi") is None
    reason = "failed" if isinstance(answer, Answer) else "unreachable"
    assert added(before) == {("workspaces", reason): 1}


async def test_an_address_that_is_none_is_unreachable(tmp_path: Path) -> None:
    cluster = ApiServer("http://[", service_account(tmp_path))
    assert await InferenceSets(cluster, "kaito.sh/v1beta1", None).find("phi") is None


def test_every_reason_has_a_series() -> None:
    reasons = {*REASONS.values(), "unreachable", "failed"} - {"conflict"}  # only a change meets one
    expected = {(resource, reason) for resource in ("inferencesets", "workspaces") for reason in reasons}
    samples = [each for family in metrics.KUBERNETES_ERRORS.collect() for each in family.samples]
    assert expected <= {(each.labels["resource"], each.labels["reason"]) for each in samples}
