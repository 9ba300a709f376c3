"""Generator of the chart's Grafana dashboards from the panels below.

A panel has a title, a unit, and queries with their legends. A metric of vLLM has up to four names: vLLM has renamed
some since KAITO 0.6, and serves `vllm_name` instead of `vllm:name` to a Prometheus that does not ask for names in
UTF-8, such as Prometheus 2. Queries select all of them with `or`, which takes the first of equal series.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parents[1] / "charts" / "kaito-chat" / "files" / "dashboards"
WIDTH, HEIGHT, COLUMNS = 8, 7, 3
NAMESPACE = '{namespace=~"$namespace"}'
# Azure's scrape job of the exporter keeps no other labels than cluster, instance, gpu and job.
NODES = '{instance=~".+"}'


class Panel(NamedTuple):
    """A graph."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]


def vllm(*names: str) -> tuple[str, ...]:
    """Return all names of a metric of vLLM, the newest first."""
    return tuple(f"vllm{separator}{name}" for name in names for separator in ":_")


def selected(metrics: str | tuple[str, ...], labels: str, suffix: str = "") -> str:
    """Return a selector of a metric, or of the first of several that exists."""
    names = (metrics,) if isinstance(metrics, str) else metrics
    return " or ".join(f"{name}{suffix}{labels}" for name in names)


def rates(metrics: str | tuple[str, ...], by: str, suffix: str = "") -> str:
    """Return the sum of a counter's rates per second."""
    names = (metrics,) if isinstance(metrics, str) else metrics
    each = (f"rate({name}{suffix}{NAMESPACE}[$__rate_interval])" for name in names)
    return f"sum by ({by}) ({' or '.join(each)})"


def quantiles(metrics: str | tuple[str, ...], by: str) -> tuple[tuple[str, str], ...]:
    """Return queries of the median and the 95th percentile of a histogram."""
    return tuple(
        (f"histogram_quantile({share}, {rates(metrics, f'{by}, le', '_bucket')})", f"{name} {{{{{by}}}}}")
        for share, name in ((0.5, "p50"), (0.95, "p95"))
    )


def legend(by: str) -> str:
    """Return the legend of a query that is grouped by these labels."""
    return " ".join(f"{{{{{label}}}}}" for label in by.split(", "))


def rate(metrics: str | tuple[str, ...], by: str) -> tuple[tuple[str, str], ...]:
    """Return a query of a counter's rate per second."""
    return ((rates(metrics, by), legend(by)),)


def level(
    metrics: str | tuple[str, ...], by: str, labels: str = NAMESPACE, how: str = "sum"
) -> tuple[tuple[str, str], ...]:
    """Return a query of a gauge."""
    return ((f"{how} by ({by}) ({selected(metrics, labels)})", legend(by)),)


def gpu(metric: str, how: str = "max") -> tuple[tuple[str, str], ...]:
    """Return a query of a gauge of NVIDIA's exporter."""
    return level(metric, "instance, gpu", NODES, how)


PREFIX_HITS = (
    rates(vllm("prefix_cache_hits_total", "gpu_prefix_cache_hits_total"), "model_name")
    + " / "
    + rates(vllm("prefix_cache_queries_total", "gpu_prefix_cache_queries_total"), "model_name")
)
# -1 stands for an unknown time.
DOWNLOAD = f"max by (pod) (kaito_model_download_remaining_seconds{NAMESPACE} >= 0)"
MEMORY = f"max by (pod) (process_resident_memory_bytes{NAMESPACE} and on (pod) kaito_chat_sessions)"
DASHBOARDS: dict[str, tuple[str, tuple[Panel, ...]]] = {
    "chat": (
        "KAITO / Chat",
        (
            Panel("Questions", "reqps", rate("kaito_chat_requests_total", "outcome")),
            Panel("Incomplete answers", "reqps", rate("kaito_chat_errors_total", "kind")),
            Panel("Time to first token", "s", quantiles("kaito_chat_time_to_first_token_seconds", "model")),
            Panel("Time to the whole answer", "s", quantiles("kaito_chat_answer_seconds", "model")),
            Panel("Tokens", "short", rate("kaito_chat_tokens_total", "direction")),
            Panel("Answers being generated", "short", level("kaito_chat_active_streams", "model")),
            Panel("Open pages", "short", level("kaito_chat_sessions", "pod")),
            Panel("Questions that wait for the model", "short", level("kaito_chat_waiting_questions", "model")),
            Panel("Model ready", "bool_yes_no", level("kaito_chat_model_ready", "model", how="max")),
            Panel("Model asleep", "bool_yes_no", level("kaito_chat_model_asleep", "model", how="max")),
            Panel("Servers ready", "short", level("kaito_chat_replica_ready", "model, replica", how="min")),
            Panel("Answers per server", "short", level("kaito_chat_replica_active_streams", "model, replica")),
            Panel("Retries", "reqps", rate("kaito_chat_retries_total", "model")),
            Panel("History errors", "reqps", rate("kaito_chat_history_errors_total", "pod")),
            Panel("History: pending writes", "short", level("kaito_chat_history_pending", "pod")),
            Panel(
                "History: oldest pending write",
                "s",
                level("kaito_chat_history_oldest_pending_seconds", "pod", how="max"),
            ),
            Panel("History: lost writes", "reqps", rate("kaito_chat_history_dropped_total", "reason")),
            Panel("Sign-ins", "reqps", rate("kaito_chat_sign_ins_total", "outcome")),
            Panel("Refused", "reqps", rate("kaito_chat_refused_total", "reason")),
            Panel("Kubernetes: failed reads", "reqps", rate("kaito_chat_kubernetes_errors_total", "resource")),
            Panel("Memory of the application", "bytes", ((MEMORY, "{{pod}}"),)),
        ),
    ),
    "vllm": (
        "KAITO / vLLM",
        (
            Panel("Requests running", "short", level(vllm("num_requests_running"), "model_name")),
            Panel("Requests waiting", "short", level(vllm("num_requests_waiting"), "model_name")),
            Panel("Preempted requests", "reqps", rate(vllm("num_preemptions_total"), "model_name")),
            Panel(
                "Key-value cache used",
                "percentunit",
                level(vllm("kv_cache_usage_perc", "gpu_cache_usage_perc"), "model_name", how="max"),
            ),
            Panel("Prefix cache: hits", "percentunit", ((PREFIX_HITS, "{{model_name}}"),)),
            Panel("Time to first token", "s", quantiles(vllm("time_to_first_token_seconds"), "model_name")),
            Panel(
                "Time between tokens",
                "s",
                quantiles(vllm("inter_token_latency_seconds", "time_per_output_token_seconds"), "model_name"),
            ),
            Panel("Whole request", "s", quantiles(vllm("e2e_request_latency_seconds"), "model_name")),
            Panel("Time in the queue", "s", quantiles(vllm("request_queue_time_seconds"), "model_name")),
            Panel("Prompt tokens per second", "short", rate(vllm("prompt_tokens_total"), "model_name")),
            Panel("Generated tokens per second", "short", rate(vllm("generation_tokens_total"), "model_name")),
            Panel("Finished requests", "reqps", rate(vllm("request_success_total"), "finished_reason")),
            Panel("Download: remaining time", "s", ((DOWNLOAD, "{{pod}}"),)),
            Panel("Download: speed", "Bps", level("kaito_model_download_speed_bytes_per_second", "pod", how="max")),
        ),
    ),
    "gpu": (
        "KAITO / GPU",
        (
            Panel("GPU used", "percent", gpu("DCGM_FI_DEV_GPU_UTIL")),
            Panel("Memory used", "mbytes", gpu("DCGM_FI_DEV_FB_USED")),
            Panel("Memory free", "mbytes", gpu("DCGM_FI_DEV_FB_FREE", "min")),
            Panel("Temperature", "celsius", gpu("DCGM_FI_DEV_GPU_TEMP")),
            Panel("Power", "watt", gpu("DCGM_FI_DEV_POWER_USAGE")),
            Panel("Last XID error", "short", gpu("DCGM_FI_DEV_XID_ERRORS")),
        ),
    ),
}
# The metrics that list the namespaces of a dashboard. While a model is downloaded, KAITO's are the only ones. The query
# selects each by its name: a pattern of names is not portable to every store of metrics.
LISTED_BY = {
    "chat": ("kaito_chat_sessions",),
    "vllm": (*vllm("num_requests_running"), "kaito_model_download_remaining_seconds"),
}


def panel_json(number: int, panel: Panel) -> dict[str, Any]:
    """Return a panel, placed in a grid of three columns."""
    source = {"type": "prometheus", "uid": "${datasource}"}
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": source,
        "gridPos": {"x": number % COLUMNS * WIDTH, "y": number // COLUMNS * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(65 + index), "datasource": source, "expr": query, "legendFormat": legend}
            for index, (query, legend) in enumerate(panel.queries)
        ],
    }


def variable(name: str, kind: str, **more: object) -> dict[str, Any]:
    """Return a variable, which Grafana shows as a list at the top of a dashboard."""
    return {"name": name, "type": kind, "label": name.capitalize(), **more}


def dashboard(name: str) -> str:
    """Return a dashboard in Grafana's import format."""
    title, panels = DASHBOARDS[name]
    variables = [variable("datasource", "datasource", query="prometheus")]
    if metrics := LISTED_BY.get(name):
        query = f"query_result(count by (namespace) ({' or '.join(metrics)}))"
        source = {"type": "prometheus", "uid": "${datasource}"}
        variables.append(
            variable(
                "namespace",
                "query",
                query=query,
                # A result reads {namespace="chat"} 2 1764201600000.
                regex='/namespace="([^"]+)"/',
                datasource=source,
                includeAll=True,
                multi=True,
                allValue=".+",
                refresh=2,
            )
        )
    content = {
        "uid": f"kaito-{name}",
        "title": title,
        "tags": ["kaito"],
        "schemaVersion": 39,
        "timezone": "browser",
        "time": {"from": "now-3h", "to": "now"},
        "refresh": "1m",
        "templating": {"list": variables},
        "panels": [panel_json(number, panel) for number, panel in enumerate(panels)],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def pages() -> dict[Path, str]:
    """Return the text of each dashboard's file."""
    return {FOLDER / f"{name}.json": dashboard(name) for name in DASHBOARDS}
