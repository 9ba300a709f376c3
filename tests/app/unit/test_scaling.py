"""The Jobs of a model's schedule, at a fake API server with KEDA and beside the metrics of the chat's pods."""

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kaito_chat import scaling
from kaito_chat.kubernetes import scaled_objects
from kaito_chat.telemetry import metrics
from support.chat.scales import PREFIX, Scales, service_account, serving

SCALED = "/apis/keda.sh/v1alpha1/namespaces/chats/scaledobjects/"
PAUSED = "autoscaling.keda.sh/paused"
ALWAYS = ["--wakes", "0 0 1 1 *", "--sleeps", "1 0 1 1 *"]


class Keda(Scales):
    """The API server with ScaledObjects.

    Attributes:
        scaled: The annotations of each ScaledObject.
        deaf: KEDA does not react to annotations.
    """

    def __init__(self, **replicas: int) -> None:
        super().__init__(**replicas)
        self.scaled: dict[str, dict[str, str]] = {}
        self.deaf = False
        self.order: list[str] = []

    def answer(self, asked: Any, authorization: str | None) -> tuple[int, dict[str, Any]]:
        if not asked.path.startswith(SCALED):
            if asked.method == "PATCH":
                self.order.append(f"replicas={asked.body['spec']['replicas']}")
            return super().answer(asked, authorization)
        name = asked.path.removeprefix(SCALED)
        if name not in self.scaled:
            return 404, {"kind": "Status", "message": "not found"}
        if asked.method == "PATCH":
            for key, value in asked.body["metadata"]["annotations"].items():
                self.order.append(f"paused={value}")
                if value is None:
                    self.scaled[name].pop(key, None)
                else:
                    self.scaled[name][key] = value
        paused = self.scaled[name].get(PAUSED) == "true" and not self.deaf
        condition = {"type": "Paused", "status": "True" if paused else "False"}
        return 200, {"kind": "ScaledObject", "status": {"conditions": [condition]}}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keda]:
    monkeypatch.setattr(scaled_objects, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr("support.chat.scales.Scales", Keda)
    with serving(phi=2, qwen=0) as found:
        assert isinstance(found, Keda)
        yield found


@pytest.fixture
def run(
    api: Keda, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    folder = service_account(tmp_path)

    def call(*arguments: str) -> tuple[int, str]:
        known = ["--api-url", api.url, "--service-account-dir", str(folder)]
        monkeypatch.setattr("sys.argv", ["scaling", *arguments, *known])
        code = scaling.main()
        captured = capsys.readouterr()
        return code, (captured.out + captured.err).strip()

    return call


Run = Callable[..., tuple[int, str]]


def test_sleeping_pauses_keda_before_it_scales(api: Keda, run: Run) -> None:
    api.scaled["phi"] = {}
    assert run("sleep", "phi", "--keda") == (0, "phi sleeps")
    assert api.order == ["paused=true", "replicas=0"]
    assert (api.replicas["phi"], api.scaled["phi"]) == (0, {PAUSED: "true"})


def test_waking_scales_before_keda_goes_on(api: Keda, run: Run) -> None:
    api.scaled["qwen"] = {PAUSED: "true", "other": "kept"}
    assert run("wake", "qwen", "--replicas", "3", "--keda") == (0, "qwen has 3 replicas")
    assert api.order == ["replicas=3", "paused=None"]
    assert (api.replicas["qwen"], api.scaled["qwen"]) == (3, {"other": "kept"})


def test_waking_takes_no_replicas_away(api: Keda, run: Run) -> None:
    assert run("wake", "phi", "--replicas", "1") == (0, "phi has 1 or more already")
    assert api.replicas["phi"] == 2
    assert run("wake", "phi", "--replicas", "3") == (0, "phi has 3 replicas")


def test_a_model_without_keda_is_scaled_alone(api: Keda, run: Run) -> None:
    assert run("sleep", "phi") == (0, "phi sleeps")
    assert run("sleep", "phi") == (0, "phi slept already")
    assert {each.path for each in api.asked} == {f"{PREFIX}phi/scale"}


def test_a_model_that_keda_does_not_know_yet_sleeps(api: Keda, run: Run) -> None:
    assert run("sleep", "phi", "--keda") == (0, "phi sleeps")
    assert api.replicas["phi"] == 0


def test_a_model_that_keda_goes_on_scaling_stays(api: Keda, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaled_objects, "LONGEST_SECONDS", 0.05)
    api.scaled["phi"], api.deaf = {}, True
    code, said = run("sleep", "phi", "--keda")
    assert (code, api.replicas["phi"]) == (1, 2)
    assert "KEDA did not pause ScaledObject phi" in said


def test_a_refusal_is_an_exit_status_with_the_servers_words(api: Keda, run: Run) -> None:
    api.permitted.clear()
    code, said = run("sleep", "phi")
    assert code == 1
    assert 'phi was not scaled: forbidden: inferencesets.kaito.sh "phi" is forbidden' in said


def test_outside_a_pod_is_another_exit_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["scaling", "sleep", "phi", "--service-account-dir", str(tmp_path / "none")])
    assert scaling.main() == 2


@pytest.fixture
def pods() -> Iterator[tuple[str, dict[str, float]]]:
    """Serve the metrics of a pod: its address, and when each model was used."""
    uses: dict[str, float] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            lines = [f'{scaling.LAST_USE}{{model="{name}"}} {at}' for name, at in uses.items()]
            text = "\n".join([f"# TYPE {scaling.LAST_USE} gauge", *lines, ""]).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/metrics", uses
    server.shutdown()
    server.server_close()
    thread.join()


def doze(run: Run, url: str, *more: str, seconds: str = "3600") -> tuple[int, str]:
    return run("doze", "phi", "--model", "Phi 4", "--seconds", seconds, "--metrics-url", url, *(more or ALWAYS))


def test_a_woken_model_sleeps_again_when_nobody_used_it(
    api: Keda, run: Run, pods: tuple[str, dict[str, float]]
) -> None:
    url, uses = pods
    api.scaled["phi"] = {PAUSED: "true"}
    uses["Phi 4"] = time.time() - 100
    code, said = doze(run, url)
    latest = time.time() - uses["Phi 4"]
    assert (code, api.replicas["phi"]) == (0, 2)
    found = re.match(r"phi stays: it was used (\d+) s ago, which is less than 3600 s", said)
    assert found
    assert 100 <= int(found[1]) <= round(latest)
    uses["Phi 4"] = time.time() - 3601
    assert doze(run, url, *ALWAYS, "--keda") == (0, "phi sleeps")
    assert api.replicas["phi"] == 0
    assert doze(run, url) == (0, "phi sleeps")


def test_a_model_within_its_times_stays(api: Keda, run: Run, pods: tuple[str, dict[str, float]]) -> None:
    url, uses = pods
    uses["Phi 4"] = 1.0
    # It sleeps for one minute a year.
    code, said = doze(run, url, "--wakes", "1 0 1 1 *", "--sleeps", "0 0 1 1 *")
    assert (code, said, api.replicas["phi"]) == (0, "phi is within its times", 2)


@pytest.mark.parametrize("what", ["another model", "no pod"])
def test_a_model_stays_if_its_use_is_unknown(
    api: Keda, run: Run, pods: tuple[str, dict[str, float]], what: str
) -> None:
    url, uses = pods
    uses["other"] = 1.0
    code, said = doze(run, url if what == "another model" else "http://127.0.0.1:1/metrics")
    assert (code, api.replicas["phi"]) == (0, 2)
    assert said.startswith("phi stays: a pod of the chat does not tell when it was used")


def test_the_last_use_begins_with_the_process_and_ends_with_a_renaming() -> None:
    before = time.time()
    metrics.begin("scaled", outcomes=(), errors=())
    assert metrics.LAST_USE.labels("scaled")._value.get() >= before  # noqa: SLF001 - has no other reader
    metrics.MODEL_READY.labels("scaled")
    metrics.MODEL_ASLEEP.labels("scaled")
    metrics.end("scaled", [])
    assert f'{scaling.LAST_USE}{{model="scaled"}}' not in metrics.exposition().decode()


def test_the_arguments_are_those_of_the_charts_cron_jobs() -> None:
    """Every verb parses the arguments that the chart writes (tests/chart/test_schedule.py)."""
    parser = scaling._parser()  # noqa: SLF001 - the contract between the chart and this program
    for line in json.loads((Path(__file__).parents[2] / "chart" / "scaling-arguments.json").read_text("utf-8")):
        parser.parse_args(line)
    assert asyncio.iscoroutinefunction(scaling.Unused("m", 1, "http://a").reason)
