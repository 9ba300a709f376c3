"""Monitors, rules and dashboards: their metrics are exported, and their objects exist."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.pages import RUNBOOKS
from support.project import ROOT
from support.rendering import CHART, RenderError, at, case, default, merged, one, render

FILES = CHART / "files"
DASHBOARDS = sorted((FILES / "dashboards").glob("*.json"))
# Metrics of other exporters. vLLM has two names of the caches and of the time between tokens: those of KAITO 0.6's
# version and newer ones.
VLLM = {
    "e2e_request_latency_seconds_bucket",
    "generation_tokens_total",
    "gpu_cache_usage_perc",
    "gpu_prefix_cache_hits_total",
    "gpu_prefix_cache_queries_total",
    "inter_token_latency_seconds_bucket",
    "kv_cache_usage_perc",
    "num_preemptions_total",
    "num_requests_running",
    "num_requests_waiting",
    "prefix_cache_hits_total",
    "prefix_cache_queries_total",
    "prompt_tokens_total",
    "request_queue_time_seconds_bucket",
    "request_success_total",
    "time_per_output_token_seconds_bucket",
    "time_to_first_token_seconds_bucket",
}
KAITO = {"kaito_model_download_remaining_seconds", "kaito_model_download_speed_bytes_per_second"}
DCGM = {
    "DCGM_FI_DEV_FB_FREE",
    "DCGM_FI_DEV_FB_USED",
    "DCGM_FI_DEV_GPU_TEMP",
    "DCGM_FI_DEV_GPU_UTIL",
    "DCGM_FI_DEV_POWER_USAGE",
    "DCGM_FI_DEV_XID_ERRORS",
}
OTHERS = {"kube_node_status_condition", "kube_node_status_allocatable", "process_resident_memory_bytes"}


def app_metrics() -> set[str]:
    """Return the metrics in the application's source."""
    source = (ROOT / "app" / "kaito_chat" / "telemetry" / "metrics.py").read_text(encoding="utf-8")
    found = set()
    for kind, name in re.findall(r"= (Counter|Gauge|Histogram)\(\s*\"(\w+)\"", source):
        found.add({"Counter": f"{name}_total", "Gauge": name, "Histogram": f"{name}_bucket"}[kind])
    return found


def metrics_of(expression: str) -> set[str]:
    """Return the metrics in an expression."""
    plain = re.sub(r"\{[^}]*\}|\([a-zA-Z_, ]+\)(?= *\()|by \([^)]*\)|\$__\w+|\[[^]]*\]", "", expression)
    return set(re.findall(r"kaito_\w+|vllm[:_]\w+|DCGM_\w+|kube_\w+|process_\w+", plain))


def known() -> set[str]:
    """Return all exported metrics."""
    vllm = {f"vllm{separator}{name}" for name in VLLM for separator in ":_"}
    return app_metrics() | vllm | KAITO | DCGM | OTHERS


def expressions(path: Path) -> list[str]:
    """Return the queries of a dashboard."""
    panels = json.loads(path.read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def rules() -> list[dict[str, Any]]:
    """Return the alert rules."""
    content = yaml.safe_load((FILES / "alerts.yaml").read_text(encoding="utf-8"))
    return [rule for group in content["groups"] for rule in group["rules"]]


def test_the_rules_are_about_what_the_operator_must_know() -> None:
    assert {
        "KaitoGpuNodeNotReady",
        "KaitoModelDown",
        "KaitoModelQueue",
        "KaitoChatErrors",
        "KaitoChatHistoryWaits",
        "KaitoChatHistoryLost",
        "KaitoChatSignInFailures",
        "KaitoChatRefusals",
    } <= {rule["alert"] for rule in rules()}
    assert all(rule["annotations"] and rule["labels"] and rule["for"] for rule in rules())


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_rules_ask_for_metrics_that_exist(rule: dict[str, object]) -> None:
    found = metrics_of(str(rule["expr"]))
    assert found
    assert found <= known()


def test_rules_name_values_of_labels_that_the_application_sets() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "app" / "kaito_chat").rglob("*.py"))
    selectors = [found for rule in rules() for found in re.findall(r"kaito_chat_\w+\{([^}]*)\}", str(rule["expr"]))]
    values = {value for selector in selectors for value in re.findall(r'"([^"]*)"', selector)}
    assert values == {"ok", "foreign"}
    assert [value for value in values if f'"{value}"' not in source] == []


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboards_ask_for_metrics_that_exist(path: Path) -> None:
    for expression in expressions(path):
        found = metrics_of(expression)
        assert found, expression
        assert found <= known(), expression
        assert expression.count("(") == expression.count(")")


def test_every_metric_of_the_application_is_on_its_dashboard() -> None:
    chat = {name for expression in expressions(FILES / "dashboards" / "chat.json") for name in metrics_of(expression)}
    # A few seconds per pod; and a time, which the Job that ends a wake reads.
    assert app_metrics() - chat == {"kaito_chat_draining", "kaito_chat_model_last_use_timestamp_seconds"}


@pytest.mark.parametrize("alert", RUNBOOKS)
def test_runbooks_name_metrics_that_are_exported(alert: str) -> None:
    code = re.findall(r"^```promql\n(.*?)^```$|`([^`\n]+)`", RUNBOOKS[alert], re.MULTILINE | re.DOTALL)
    found = {metric for query, inline in code for metric in metrics_of(query or inline)}
    assert found - {"kaito_chat_"} <= known()


@pytest.mark.parametrize(
    ("address", "folder"),
    [
        ("", yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))["annotations"]["kaito-chat/runbooks"]),
        (
            "https://git.example.com/mirrors/aks-kaito/docs/runbooks/",
            "https://git.example.com/mirrors/aks-kaito/docs/runbooks",
        ),
    ],
)
def test_the_chart_ships_the_rules_with_a_link_to_the_runbook_of_each(address: str, folder: str) -> None:
    expected = rules()
    for rule in expected:
        rule["annotations"] = {**rule["annotations"], "runbook_url": f"{folder}/{rule['alert']}.md"}
    (group,) = one(render(merged(case("everything"), at("monitoring.runbooksUrl", address))), "PrometheusRule")["spec"][
        "groups"
    ]
    assert (group["name"], group["rules"]) == ("kaito-chat", expected)


@pytest.mark.parametrize(
    "address",
    [
        "git.example.com/runbooks",
        "https://user:password@git.example.com/x",
        "https://git.example.com/{{ $value }}",
        "ftp://x/y",
    ],
)
def test_an_address_of_runbooks_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(RenderError, match="runbooksUrl"):
        render(merged(case("everything"), at("monitoring.runbooksUrl", address)))


def test_the_chart_ships_the_dashboards_as_they_are() -> None:
    objects = render(case("everything"))
    for path in DASHBOARDS:
        found = one(objects, "ConfigMap", f"everything-dashboard-{path.stem}")
        assert json.loads(found["data"][path.name]) == json.loads(path.read_text(encoding="utf-8"))
        assert found["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_monitors_exist_in_both_groups() -> None:
    objects = render(case("everything").copy())
    monitors = [
        (each["kind"], each["apiVersion"].split("/")[0]) for each in objects if each["kind"].endswith("Monitor")
    ]
    assert sorted(monitors) == sorted(
        ("PodMonitor", f"{group}.coreos.com")
        for group in ("monitoring", "azmonitoring")
        for _ in ("chat", "model", "exporter")
    )


def test_monitors_select_what_the_release_has() -> None:
    objects = render(default(at("monitoring.azureMonitor", value=True)))
    pods = one(objects, "Deployment")["spec"]["template"]
    monitor = one(objects, "PodMonitor", "demo")["spec"]
    assert monitor["selector"]["matchLabels"].items() <= pods["metadata"]["labels"].items()
    (endpoint,) = monitor["podMetricsEndpoints"]
    assert endpoint["port"] in {port["name"] for port in pods["spec"]["containers"][0]["ports"]}
    model = one(objects, "Workspace")["metadata"]["name"]
    assert one(objects, "PodMonitor", model)["spec"]["selector"]["matchLabels"] == {"kaito.sh/workspace": model}


def test_the_older_runtime_has_no_metrics_to_measure() -> None:
    changes = default(at("monitoring.azureMonitor", value=True), at("model.runtime", "transformers"))
    monitors = [each["metadata"]["name"] for each in render(changes) if each["kind"] == "PodMonitor"]
    assert monitors == ["demo"]  # the application's
