"""Render the charts with helm; cache the results."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from aks_kaito import __version__
from support.needs import needs
from support.project import ROOT

CHART = ROOT / "charts" / "kaito-chat"
CASES = tuple(path.name.removesuffix("-values.yaml") for path in sorted((CHART / "ci").glob("*-values.yaml")))
INFERENCE_SET = "kaito.sh/v1beta1/InferenceSet"
INFERENCE_POOL = "inference.networking.k8s.io/v1/InferencePool"
GATEWAY = "gateway.networking.k8s.io/v1/Gateway"
# Kinds beside Kubernetes's own that the cluster serves and templates ask for.
SERVED = (INFERENCE_SET, INFERENCE_POOL, GATEWAY)
KUBERNETES = ("1.33", "1.34", "1.35", "1.36", "1.37")
HELMS = ("helm", "helm3")
# A run of a program in Go is too short to collect garbage as often as it would.
GO = {"GOGC": "400"}
IMAGE = {"repository": "example.azurecr.io/kaito-chat", "tag": __version__}

Object = dict[str, Any]


class RenderError(Exception):
    """Helm's error message."""


def helm_path(name: str) -> str:
    """Return the path of helm 4 or helm 3: from the virtual environment, or for helm 4 from the PATH."""
    ours = Path(sys.prefix) / "bin" / name
    if ours.exists():
        return str(ours)
    theirs = (os.environ.get("HELM_BIN") or shutil.which("helm")) if name == "helm" else None
    return needs(theirs, f"{name} (make test installs it on Linux/amd64; elsewhere install Helm)")


def case(name: str, chart: Path = CHART) -> dict[str, Any]:
    """Return the values of a file in ci/."""
    values: dict[str, Any] = yaml.load((chart / "ci" / f"{name}-values.yaml").read_bytes(), yaml.CSafeLoader)
    return values


def merged(base: dict[str, Any], *changes: dict[str, Any]) -> dict[str, Any]:
    """Merge changes into values as helm does."""
    found = dict(base)
    for change in changes:
        for key, value in change.items():
            old = found.get(key)
            found[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return found


def default(*changes: dict[str, Any]) -> dict[str, Any]:
    """Return the default values with changes."""
    return merged(case("default"), *changes)


def at(path: str, value: object) -> dict[str, Any]:
    """Return values with one key, given by its dotted path."""
    for key in reversed(path.split(".")):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def render(
    values: dict[str, Any] | None = None,
    *,
    show_only: str | None = None,
    api_versions: tuple[str, ...] = SERVED,
    kube_version: str = "1.35",
    helm: str = "helm",
    release: str = "demo",
    namespace: str = "chat",
    chart: Path = CHART,
) -> list[Object]:
    """Return the objects that helm renders; the values default to `default-values.yaml`.

    Raises:
        RenderError: Helm fails.
    """
    text = json.dumps(case("default") if values is None else values, sort_keys=True, ensure_ascii=False)
    asked = (text, show_only, api_versions, kube_version, helm, release, namespace, chart)
    return [json.loads(each) for each in _rendered(*asked)]


@cache
def _rendered(
    values: str,
    show_only: str | None,
    api_versions: tuple[str, ...],
    kube: str,
    helm: str,
    release: str,
    namespace: str,
    chart: Path,
) -> tuple[str, ...]:
    command = [helm_path(helm), "template", release, str(chart), "--namespace", namespace, "--values", "-"]
    command += ["--kube-version", f"{kube}.0"]
    command += [part for version in api_versions for part in ("--api-versions", version)]
    command += ["--show-only", f"templates/{show_only}"] if show_only else []
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            command,
            input=values,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={"HOME": home, "PATH": os.environ["PATH"], **GO},
        )
    if done.returncode:
        raise RenderError(done.stderr)
    return tuple(json.dumps(each) for each in yaml.load_all(done.stdout, yaml.CSafeLoader) if each)


def names(objects: list[Object]) -> set[tuple[str, str]]:
    """Return kind and name of each object."""
    return {(each["kind"], each["metadata"]["name"]) for each in objects}


def one(objects: list[Object], kind: str, name: str | None = None) -> Object:
    """Return the only object of a kind."""
    found = [each for each in objects if each["kind"] == kind and name in (None, each["metadata"]["name"])]
    assert len(found) == 1, (kind, name, names(objects))
    return found[0]


def kinds(objects: list[Object]) -> set[str]:
    """Return the kinds of the objects."""
    return {each["kind"] for each in objects}


def pod(*changes: dict[str, Any]) -> dict[str, Any]:
    """Return the pod template of the application."""
    found: dict[str, Any] = one(render(default(*changes)), "Deployment")["spec"]["template"]
    return found


def container(*changes: dict[str, Any]) -> dict[str, Any]:
    """Return the container of the application."""
    found: dict[str, Any] = pod(*changes)["spec"]["containers"][0]
    return found


def data(*changes: dict[str, Any]) -> dict[str, str]:
    """Return the settings in the ConfigMap of the application."""
    found: dict[str, str] = one(render(default(*changes)), "ConfigMap", "demo")["data"]
    return found


HOST = at("ingress.host", "chat.example.com")
CERTIFICATE = at("ingress.tls.secretName", "certificate")
PUBLISHED: dict[str, dict[str, Any]] = {
    "nginx": merged(at("ingress.mode", "nginx"), HOST, CERTIFICATE),
    "webapprouting": merged(at("ingress.mode", "webapprouting"), HOST, CERTIFICATE),
    "gateway": merged(at("ingress.mode", "gateway"), HOST, at("ingress.gateway.name", "public")),
}
