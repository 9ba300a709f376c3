"""Upgrades of a release in a cluster: what the chart keeps of the live objects, with both versions of helm."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.kubernetes_api import KubernetesApi, kubernetes_api
from support.project import ROOT
from support.rendering import CHART, GO, HELMS, Object, at, default, helm_path

AUTOSCALED = at("chat.autoscaling", {"enabled": True, "minReplicas": 2, "maxReplicas": 6})
KEPT = "kaito-chat/keeps-replicas"
UNCHECKED = ("--disable-openapi-validation",)
RELEASED = ROOT / "tests" / "chart" / "releases"
# Resources that helm and controllers add.
OF_HELM = ("secrets", "replicasets")


class Cluster:
    """Releases in a cluster, by one version of helm."""

    def __init__(self, api: KubernetesApi, helm: str, home: str) -> None:
        self.api = api
        self._helm = helm_path(helm)
        self._home = home

    def run(self, *arguments: str, values: dict[str, Any] | None = None, release: str = "demo") -> str:
        """Run a command of helm for a release; raise `AssertionError` with its message if it fails."""
        action, *rest = arguments
        named = [action, *rest, release] if action == "get" else [action, release, *rest]
        command = [self._helm, *named, "--namespace", "chat", "--kube-apiserver", self.api.address]
        if values is not None:
            command += ["--values", "-"]
        done = subprocess.run(
            command,
            input=json.dumps(values),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={"HOME": self._home, "PATH": os.environ["PATH"], **GO},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def upgrade(self, *changes: dict[str, Any], release: str = "demo") -> Object:
        """Install or upgrade a release, and return its Deployment."""
        self.run("upgrade", str(CHART), "--install", *UNCHECKED, values=default(*changes), release=release)
        return self.deployment(release)

    def deployment(self, name: str = "demo") -> Object:
        """Return the live Deployment."""
        return self.api.objects["deployments", name]

    def released(self) -> set[tuple[str, str]]:
        """Return resource and name of all objects that releases made."""
        return {key for key in self.api.objects if key[0] not in OF_HELM}

    def scale(self, replicas: int) -> None:
        """Do what the autoscaler does."""
        self.deployment()["spec"]["replicas"] = replicas


@pytest.fixture(params=HELMS)
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    with kubernetes_api() as api:
        yield Cluster(api, request.param, str(tmp_path))


def test_autoscaling_that_is_switched_on_keeps_the_live_number_of_pods(cluster: Cluster) -> None:
    assert cluster.upgrade(at("chat.replicas", 3))["spec"]["replicas"] == 3
    cluster.scale(5)
    found = cluster.upgrade(AUTOSCALED)
    assert (found["spec"]["replicas"], found["metadata"]["annotations"][KEPT]) == (5, "true")
    assert ("horizontalpodautoscalers", "demo") in cluster.api.objects
    for live in (6, 2):
        cluster.scale(live)
        assert cluster.upgrade(AUTOSCALED)["spec"]["replicas"] == live


def test_an_autoscaled_chat_has_its_least_number_of_pods_at_once(cluster: Cluster) -> None:
    cluster.upgrade(at("chat.replicas", 1))
    assert cluster.upgrade(AUTOSCALED)["spec"]["replicas"] == 2


def test_an_autoscaler_is_not_disabled_by_a_chat_without_pods(cluster: Cluster) -> None:
    cluster.upgrade()
    cluster.scale(0)
    assert cluster.upgrade(AUTOSCALED)["spec"]["replicas"] == 2


def test_a_chat_that_was_always_autoscaled_leaves_the_number_to_the_autoscaler(cluster: Cluster) -> None:
    for _ in range(2):
        cluster.upgrade(AUTOSCALED)
        manifest = cluster.run("get", "manifest")
        (found,) = [each for each in yaml.safe_load_all(manifest) if each["kind"] == "Deployment"]
        assert "replicas" not in found["spec"]
        assert "annotations" not in found["metadata"]
        cluster.scale(5)


def test_autoscaling_that_is_switched_off_returns_to_the_number_of_the_values(cluster: Cluster) -> None:
    cluster.upgrade()
    cluster.upgrade(AUTOSCALED)
    cluster.scale(5)
    found = cluster.upgrade(at("chat.replicas", 3))
    assert found["spec"]["replicas"] == 3
    assert KEPT not in found["metadata"].get("annotations", {})
    assert ("horizontalpodautoscalers", "demo") not in cluster.api.objects
    cluster.scale(4)
    assert cluster.upgrade(AUTOSCALED)["spec"]["replicas"] == 4


def test_releases_whose_names_differ_in_a_dot_live_side_by_side(cluster: Cluster) -> None:
    cluster.upgrade(release="my-chat")
    before = cluster.released()
    cluster.run("upgrade", str(CHART), "--install", *UNCHECKED, values=default(), release="my.chat")
    assert [resource for resource, _ in cluster.released() - before].count("deployments") == 1
    cluster.run("uninstall", release="my.chat")
    assert cluster.released() == before


def test_an_upgrade_that_would_rename_a_deployed_model_is_refused(cluster: Cluster) -> None:
    kept = at("fullnameOverride", "my-chat")  # the names before this chart
    cluster.run("install", str(CHART), *UNCHECKED, values=default(kept), release="my.chat")
    with pytest.raises(AssertionError, match="Set fullnameOverride: my-chat to keep the names"):
        cluster.run("upgrade", str(CHART), *UNCHECKED, values=default(), release="my.chat")
    models = cluster.api.models()
    cluster.run("upgrade", str(CHART), *UNCHECKED, values=default(kept), release="my.chat")
    assert (cluster.api.models(), cluster.api.deleted) == (models, [])


def test_values_are_reused_from_an_earlier_chart(cluster: Cluster, tmp_path: Path) -> None:
    earlier = tmp_path / "kaito-chat"
    shutil.copytree(CHART, earlier)
    shutil.copy(RELEASED / "kaito-chat-2026-11-24-values.yaml", earlier / "values.yaml")
    cluster.run("install", str(earlier), *UNCHECKED, values=default(at("chat.replicas", 4)))
    cluster.run("upgrade", str(CHART), *UNCHECKED, "--reuse-values")
    assert cluster.deployment()["spec"]["replicas"] == 4
