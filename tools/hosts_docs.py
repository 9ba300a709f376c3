"""Generator of docs/reference/hosts-and-images.md, from tools/hosts.toml, the pinned charts and the values of ours."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from aks_kaito.charts import theirs

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "tools" / "hosts.toml"
PAGE = ROOT / "docs" / "reference" / "hosts-and-images.md"
CHARTS = (theirs.CERT_MANAGER, theirs.KEDA_KAITO_SCALER, theirs.KUBE_PROMETHEUS_STACK, theirs.NGINX)
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
kube-prometheus-stack with `workloads.kube_prometheus_stack_enabled = true`, dcgm-exporter of kaito-chat with
`monitoring.gpu_exporter_enabled = true`, and keda-kaito-scaler if a model has `max_replicas`. An image without a tag
has the chart's.

| Chart | Version | Image |
|---|---|---|
"""
_COPY = """
## Charts from your own registry

`charts.registry = "contoso.azurecr.io/charts"` takes every chart of another project from there, with the same names and
versions. Sign in on the deploying machine (`helm registry login`, or `az acr login --name contoso`), and copy the
charts once for each version. Without its schema, nginx-ingress needs no other host:

> [!NOTE]
> No test runs these commands.

```console
"""
_PULL = "helm pull {repository}/{name} --version {version}"
_PULL_FROM_HTTPS = "helm pull {name} --repo {repository} --version {version}"
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
    own = (f"| {name} | {version} | `{image}` |" for name, version, image in _own_images())
    commands = (line for chart in found["charts"] for line in _copied(chart))
    text = [_HEADER, *_lines(hosts), _IMAGES, *_lines(images), *_lines(own), _COPY, *_lines(commands), "```\n"]
    return {PAGE: "".join(text)}


def _own_images() -> Iterator[tuple[str, str, str]]:
    """Yield chart, version and image from our charts' values; images of the environment's registry are empty there."""
    for path in sorted(ROOT.glob("charts/*/values.yaml")):
        chart = yaml.safe_load(path.with_name("Chart.yaml").read_text(encoding="utf-8"))
        for image in _images(yaml.safe_load(path.read_text(encoding="utf-8"))):
            yield chart["name"], chart["version"], image


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
    facts = {"repository": chart.repository, "name": chart.name, "version": chart.version}
    if listed.get("schema_needs_github"):
        yield f"{_PULL.format(**facts)} --untar"
        yield f"rm {chart.name}/values.schema.json"
        yield f"helm package {chart.name}"
    else:
        yield (_PULL if chart.repository.startswith("oci://") else _PULL_FROM_HTTPS).format(**facts)
    yield _PUSH.format(**facts)
