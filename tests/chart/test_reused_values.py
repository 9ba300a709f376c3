"""`helm upgrade --reuse-values` from an earlier chart: added values are missing, removed ones are set."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.project import ROOT
from support.rendering import (
    CASES,
    CHART,
    GO,
    HELMS,
    Object,
    RenderError,
    at,
    case,
    default,
    helm_path,
    merged,
    one,
    render,
)

RELEASED = ROOT / "tests" / "chart" / "releases"
EARLIER = sorted(path.name.removesuffix("-values.yaml") for path in RELEASED.glob("*-values.yaml"))
OF_CHAT = [name for name in EARLIER if name.startswith("kaito-chat-")]
COLLECTOR = at("chat.settings", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.observability.svc"})


def released(name: str) -> dict[str, Any]:
    """Return the default values of an earlier chart."""
    found: dict[str, Any] = yaml.safe_load((RELEASED / f"{name}-values.yaml").read_text(encoding="utf-8"))
    return found


def without_defaults(chart: Path, folder: Path) -> Path:
    """Return a copy of a chart as helm renders it with reused values: the default values are not this chart's."""
    copy = folder / chart.name
    shutil.copytree(chart, copy)
    (copy / "values.yaml").write_text("{}", encoding="utf-8")
    return copy


@pytest.fixture(scope="module")
def chat_chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return without_defaults(CHART, tmp_path_factory.mktemp("chart"))


def test_a_released_chart_of_each_kind_is_kept() -> None:
    assert {name.rsplit("-", 1)[0] for name in EARLIER if name.endswith("0.1.0")} == {"kaito-chat", "kaito-cluster"}


@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize("name", OF_CHAT)
def test_reused_default_values_make_the_objects_of_todays_defaults(chat_chart: Path, name: str, helm: str) -> None:
    values = merged(released(name), case("default"))
    assert render(values, chart=chat_chart, helm=helm) == render(helm=helm)


@pytest.mark.parametrize("given", CASES)
@pytest.mark.parametrize("name", OF_CHAT)
def test_reused_values_make_the_objects_of_todays_defaults_in_every_case(
    chat_chart: Path, name: str, given: str
) -> None:
    added = set(case(given)) - set(released(name))
    assert added <= {"kaito", "models", "registryLogin", "routing", "tuning"}
    assert render(merged(released(name), case(given)), chart=chat_chart) == render(case(given))


@pytest.mark.parametrize("name", [name for name in EARLIER if name not in OF_CHAT])
def test_reused_values_of_the_clusters_chart(tmp_path: Path, name: str) -> None:
    chart = ROOT / "charts" / "kaito-cluster"
    copy = without_defaults(chart, tmp_path)
    for given in ("everything", "nginx"):
        values = case(given, chart)
        assert render(merged(released(name), values), chart=copy) == render(values, chart=chart)


def collector_ports(objects: list[Object]) -> list[int]:
    """Return the ports that the network policy opens in the collector's namespace."""
    wanted = {"kubernetes.io/metadata.name": "observability"}
    return [
        port["port"]
        for rule in one(objects, "NetworkPolicy", "demo")["spec"]["egress"]
        for peer in rule["to"]
        for port in rule["ports"]
        if peer.get("namespaceSelector", {}).get("matchLabels") == wanted
    ]


def test_removed_values_of_the_collector_keep_their_meaning(chat_chart: Path) -> None:
    first = merged(released("kaito-chat-2026-11-24"), case("default"), COLLECTOR)
    assert collector_ports(render(first, chart=chat_chart)) == [80]
    opened = {"networkPolicy": {"otlpNamespace": "observability", "otlpPort": 4319}}
    assert collector_ports(render(merged(first, opened), chart=chat_chart)) == [4319]
    newer = at("networkPolicy.collectorPodPort", 4320)
    assert collector_ports(render(merged(first, opened, newer), chart=chat_chart)) == [4320]
    assert collector_ports(render(default(COLLECTOR))) == [80]


@pytest.mark.parametrize("name", OF_CHAT)
def test_a_part_that_an_earlier_chart_lacked_is_not_enabled_without_its_values(chat_chart: Path, name: str) -> None:
    enabled = at("monitoring.gpuExporter.enabled", value=True)
    with pytest.raises(RenderError, match="--reset-then-reuse-values"):
        render(merged(released(name), case("default"), enabled), chart=chat_chart)


def test_a_former_value_is_named_in_the_notes(tmp_path: Path) -> None:
    for opened, wanted in (({}, 0), ({"networkPolicy": {"otlpNamespace": "observability"}}, 1)):
        values = json.dumps(merged(case("default"), opened))
        command = [helm_path("helm"), "install", "demo", str(CHART), "--dry-run=client", "--values", "-"]
        environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], **GO}
        done = subprocess.run(
            command, input=values, capture_output=True, text=True, check=False, timeout=60, env=environment
        )
        assert done.returncode == 0, done.stderr
        words = "networkPolicy.otlpNamespace is deprecated: set networkPolicy.collectorPodPort instead."
        assert done.stdout.partition("NOTES:")[2].count(words) == wanted
