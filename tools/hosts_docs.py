"""Generator of docs/reference/hosts-and-images.md, from tools/hosts.toml, the pinned charts and the values of ours."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from aks_kaito import __version__
from aks_kaito.charts import theirs

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "tools" / "hosts.toml"
PAGE = ROOT / "docs" / "reference" / "hosts-and-images.md"
LOCKS = tomllib.loads((ROOT / "locks" / "charts.toml").read_text(encoding="utf-8"))
CHARTS = (
    theirs.CERT_MANAGER,
    theirs.NGINX,
    theirs.KUBE_PROMETHEUS_STACK,
    theirs.KAITO,
    theirs.GPU_PROVISIONER_CHART,
    theirs.KEDA_KAITO_SCALER,
)
_HEADER = """\
# Hosts and images

The hosts that a deployment connects to, and the images of other projects that it runs. This page is
generated from `tools/hosts.toml` and the pinned charts (`make docs`); do not edit it.

## Hosts

| From | Host | Port | Needed for |
|---|---|---|---|
"""
_IMAGES = """
## Images

cert-manager is installed unless `workloads.cert_manager_enabled = false`, nginx-ingress with `ingress.mode = "nginx"`,
kube-prometheus-stack with `workloads.kube_prometheus_stack_enabled = true`, workspace and keda-kaito-scaler with
`kaito.distribution = "helm"` (the latter unless `cluster.keda_enabled = false`), gpu-provisioner with
`kaito.provisioner = "gpu-provisioner"` too; of kaito-chat
dcgm-exporter with `monitoring.gpu_exporter_enabled = true`, and llm-d-router-endpoint-picker with
`kaito.routing = "gateway"`. KAITO runs its models from
`mcr.microsoft.com/aks/kaito`. An image without a tag has the chart's; images of workspace marked † belong to the
feature gates `disableNodeAutoProvisioning` (existing nodes) and `gatewayAPIInferenceExtension`.

| Chart | Version | Image |
|---|---|---|
"""
_COPY = """
## Charts from your own registry

`charts.registry = "contoso.azurecr.io/charts"` takes every chart of another project from there, with the same names and
versions. Sign in on the deploying machine (`helm registry login`, or `az acr login --name contoso`), and copy the
charts once for each version. The hashes are those of [`locks/charts.toml`](../../locks/README.md). Without its schema,
nginx-ingress needs no other host:

> [!NOTE]
> No test runs these commands.

```console
"""
_PULL = "helm pull {place} --version {version}"
_CHECK = "echo {sha256}  {name}-{version}.tgz | sha256sum --check"
_PUSH = "helm push {name}-{version}.tgz oci://contoso.azurecr.io/charts"


def pages() -> dict[Path, str]:
    """Return the text of the page."""
    found = tomllib.loads(SOURCE.read_text(encoding="utf-8"))
    hosts = (
        f"| {each['from']} | {_codes(each['names'])} | {each.get('port', 443)} | {each['needed_for']} |"
        for each in found["hosts"]
    )
    images = (
        f"| {chart['name']} | {chart['version']} | `{image}` |"
        for chart in found["charts"]
        for image in chart["images"]
    )
    gated = (
        f"| {chart['name']} | {chart['version']} | `{image}` † |"
        for chart in found["charts"]
        for image in chart.get("gated", [])
    )
    own = (f"| {name} | {version} | `{image}` |" for name, version, image in _own_images())
    commands = (line for chart in found["charts"] for line in _copied(chart))
    text = [
        _HEADER,
        *_lines(hosts),
        _IMAGES,
        *_lines(images),
        *_lines(gated),
        *_lines(own),
        _COPY,
        *_lines(commands),
        "```\n",
    ]
    return {PAGE: "".join(text)}


def place(chart: theirs.Chart) -> str:
    """Return the words with which helm finds a chart."""
    is_oci = chart.repository.startswith("oci://")
    return f"{chart.repository}/{chart.name}" if is_oci else f"{chart.name} --repo {chart.repository}"


def _own_images() -> Iterator[tuple[str, str, str]]:
    """Yield chart, version and image from our charts' values; images of the environment's registry are empty there."""
    for path in sorted(ROOT.glob("charts/*/values.yaml")):
        chart = yaml.safe_load(path.with_name("Chart.yaml").read_text(encoding="utf-8"))
        for image in _images(yaml.safe_load(path.read_text(encoding="utf-8"))):
            yield chart["name"], __version__, image


def _images(values: object) -> Iterator[str]:
    """Yield the images of values, at any depth."""
    if isinstance(values, dict):
        if values.get("repository"):
            yield f"{values['repository']}:{values['tag']}"
        for each in values.values():
            yield from _images(each)


def _lines(rows: Iterator[str]) -> Iterator[str]:
    return (f"{row}\n" for row in rows)


def _codes(names: list[str]) -> str:
    """Return host names as code, and descriptions as text."""
    return ", ".join(name if " " in name else f"`{name}`" for name in names)


def _copied(listed: dict[str, Any]) -> Iterator[str]:
    """Yield the commands that copy a chart, without a schema that needs a host."""
    (chart,) = [each for each in CHARTS if each.name == listed["name"]]
    facts = {"place": place(chart), "name": chart.name, "version": chart.version}
    if listed.get("schema_needs_github"):
        yield f"{_PULL.format(**facts)} --untar"
        yield f"rm {chart.name}/values.schema.json"
        yield f"helm package {chart.name}"
    else:
        yield _PULL.format(**facts)
        lock = LOCKS.get(chart.name)
        if lock is not None and lock["version"] == chart.version:
            yield _CHECK.format(**facts, sha256=lock["sha256"])
    yield _PUSH.format(**facts)
