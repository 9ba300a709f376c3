"""Dashboards and alerts in a genuine Prometheus, which scrapes the running chat and recorded metrics of others."""

import asyncio
import json
import math
import re
from collections.abc import Iterator
from typing import Any

import pytest

from kaito_chat.chainlit_client import Page
from support.chat.processes import Running, chat, misbehaving
from support.chat.prometheus import Prometheus, running
from support.chat.recordings import served
from support.project import ROOT

FILES = ROOT / "charts" / "kaito-chat" / "files"
NODE = "aks-ws5f3a-12345678-vmss000000"
ERRORS = 6
# The recordings, each as the model of a namespace of its own.
MODELS = {"vllm-0.9.prom": "old", "vllm-0.25.prom": "new", "vllm-0.25.openmetrics": "escaped"}
# The labels that Azure's own scrape job keeps.
# See: https://github.com/Azure/prometheus-collector (dcgmExporterDefault.yml)
KEPT = "cluster|instance|gpu|job|__name__"
QUERIES = [
    pytest.param(path.stem, target["expr"], id=f"{path.stem}-{panel['title']}-{target['refId']}")
    for path in sorted((FILES / "dashboards").glob("*.json"))
    for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]
    for target in panel["targets"]
]


def job(name: str, address: str, *, path: str = "/metrics", **more: Any) -> dict[str, Any]:
    """Return a scrape job of one target, with the labels that a PodMonitor would add."""
    labels = {"namespace": name, "pod": f"{name}-1"}
    return {
        "job_name": name,
        "metrics_path": path,
        "static_configs": [{"targets": [address], "labels": labels}],
        **more,
    }


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A chat in front of a model server with faults on demand."""
    folder = tmp_path_factory.mktemp("faulty")
    with misbehaving(folder) as server, chat(server.url, folder, max_retries="0") as app:
        yield app


@pytest.fixture(scope="module")
def prometheus(faulty: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has scraped all targets before and after some questions."""
    with served() as recordings:
        jobs = [job("chat", faulty.management.removeprefix("http://"))]
        jobs += [job(namespace, recordings, path=f"/{name}/metrics") for name, namespace in MODELS.items()]
        jobs.append(job("downloading", recordings, path="/kaito-download.prom/metrics"))
        node = {"targets": [recordings], "labels": {"instance": NODE, "cluster": "aks"}}
        azure = {"metric_relabel_configs": [{"regex": KEPT, "action": "labelkeep"}], "static_configs": [node]}
        jobs.append(job("dcgm-exporter", recordings, path="/dcgm.prom/metrics") | azure)
        with running(jobs, FILES / "alerts.yaml", tmp_path_factory.mktemp("prometheus")) as server:
            assert server.until('kaito_chat_errors_total{kind="busy"} == 0')
            asyncio.run(ask(faulty, ["hello"]))
            yield server


async def ask(app: Running, questions: list[str]) -> None:
    """Ask questions, one after the other."""
    page = Page(app.url)
    await page.open()
    for question in questions:
        await page.ask(question)
    await page.close()


def valued(found: dict[str, float]) -> dict[str, float]:
    """Return the series that have a value."""
    return {labels: value for labels, value in found.items() if not math.isnan(value)}


@pytest.mark.parametrize(("dashboard", "query"), QUERIES)
def test_every_query_of_a_dashboard_has_values(prometheus: Prometheus, dashboard: str, query: str) -> None:
    asked = query.replace("$__rate_interval", "1m").replace("$namespace", ".+")
    found = prometheus.until(f"({asked}) >= 0")
    assert valued(found), asked
    if dashboard == "gpu":
        assert {(json.loads(each)["instance"], json.loads(each)["gpu"]) for each in found} == {(NODE, "0"), (NODE, "1")}


@pytest.mark.parametrize("namespace", MODELS.values())
@pytest.mark.parametrize(
    ("title", "value"),
    [
        ("Requests running", 3),
        ("Requests waiting", 2),
        ("Key-value cache used", 0.25),
        ("Prefix cache: hits", 0.25),
        ("Time between tokens", 0.0175),
    ],
)
def test_metrics_of_vllm_have_the_same_values_under_all_names(
    prometheus: Prometheus, namespace: str, title: str, value: float
) -> None:
    (query, *_) = [each.values[1] for each in QUERIES if title in str(each.id)]
    asked = str(query).replace("$__rate_interval", "1m").replace("$namespace", namespace)
    assert prometheus.until(f"({asked}) >= 0") == {'{"model_name": "phi-4-mini-instruct"}': pytest.approx(value)}


def test_dashboards_list_the_namespaces_of_models_under_all_names_and_of_downloads(prometheus: Prometheus) -> None:
    variables = json.loads((FILES / "dashboards" / "vllm.json").read_text(encoding="utf-8"))["templating"]["list"]
    (variable,) = [each for each in variables if each["name"] == "namespace"]
    found = prometheus.query(variable["query"].removeprefix("query_result(").removesuffix(")"))
    # Grafana's form of a result.
    shown = [f'{{namespace="{json.loads(each)["namespace"]}"}} {value} 1764201600000' for each, value in found.items()]
    listed = {re.search(variable["regex"].strip("/"), each)[1] for each in shown}  # type: ignore[index]
    assert listed == {*MODELS.values(), "downloading"}


def test_every_alert_is_evaluated_without_an_error(prometheus: Prometheus) -> None:
    rules = prometheus.rules()
    assert len(rules) == (FILES / "alerts.yaml").read_text(encoding="utf-8").count("- alert: ")
    assert {name: rule.get("lastError") for name, rule in rules.items()} == dict.fromkeys(rules)
    assert {rule["health"] for rule in rules.values()} == {"ok"}


async def test_the_first_errors_of_a_pod_are_visible_and_long_questions_are_none(
    prometheus: Prometheus, faulty: Running
) -> None:
    expression = prometheus.rules()["KaitoChatErrors"]["query"]
    await ask(faulty, ["fault: too-long q1"])
    assert prometheus.until('increase(kaito_chat_requests_total{outcome="too_long"}[1m]) > 0')
    assert prometheus.query(expression) == {}
    await ask(faulty, [f"fault: refused q{number}" for number in range(10, 10 + ERRORS)])
    found = prometheus.until(expression)
    assert list(found) == ['{"namespace": "chat"}']
    assert 0.5 < next(iter(found.values())) < 1
    assert prometheus.until('increase(kaito_chat_errors_total{kind="refused"}[1m]) > 5')


def test_the_first_value_of_an_xid_error_fires(prometheus: Prometheus) -> None:
    expression = prometheus.rules()["KaitoGpuError"]["query"]
    assert prometheus.query(expression) == {f'{{"gpu": "1", "instance": "{NODE}"}}': 79}
