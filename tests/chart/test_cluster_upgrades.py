"""The wait for KAITO in a cluster: its rights end with it, whatever happens, with both versions of helm."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.kubernetes_api import KubernetesApi, kubernetes_api
from support.project import ROOT
from support.rendering import GO, HELMS, helm_path

CHART = ROOT / "charts" / "kaito-cluster"
RIGHTS = {"serviceaccounts", "roles", "rolebindings"}


class Cluster:
    """A release of the cluster's chart, by one version of helm."""

    def __init__(self, api: KubernetesApi, helm: str, home: Path) -> None:
        self.api, self.helm = api, helm
        self._home = str(home)

    def run(self, action: str, *arguments: str, image: str = "") -> int:
        """Run a command of helm and return its exit code; upgrades and installations enable the wait."""
        values = {"awaitKaito": {"enabled": True, "image": {"repository": f"example.com/{image}", "tag": "1"}}}
        command = [helm_path(self.helm), action, "kaito", *arguments, "--namespace", "chat", "--timeout", "5s"]
        done = subprocess.run(
            [*command, "--kube-apiserver", self.api.address, *(["--values", "-"] if image else [])],
            input=json.dumps(values),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={"HOME": self._home, "PATH": os.environ["PATH"], **GO},
        )
        return done.returncode

    def left(self) -> set[str]:
        """Return the resources in the cluster, except the storage of helm."""
        return {resource for resource, _ in self.api.objects} - {"secrets"}


@pytest.fixture(params=HELMS)
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    with kubernetes_api() as api:
        yield Cluster(api, request.param, tmp_path)


def earlier(folder: Path) -> Path:
    """Return a copy of the chart in which Job and rights are part of the release, as they once were."""
    chart = folder / "kaito-cluster"
    shutil.copytree(CHART, chart)
    template = chart / "templates" / "await-kaito.yaml"
    text = re.sub(r"  annotations:\n(    .*\n)+", "", template.read_text(encoding="utf-8"))
    assert "annotations" not in text
    template.write_text(text, encoding="utf-8")
    return chart


def test_nothing_is_left_of_a_wait_that_succeeded(cluster: Cluster) -> None:
    for _ in range(2):
        assert cluster.run("upgrade", str(CHART), "--install", image="good") == 0
        assert cluster.left() == set()
    assert cluster.run("uninstall") == 0
    assert cluster.left() == set()


def test_an_upgrade_removes_the_rights_of_an_earlier_release(cluster: Cluster, tmp_path: Path) -> None:
    assert cluster.run("install", str(earlier(tmp_path)), image="good") == 0
    assert cluster.left() == RIGHTS | {"jobs"}
    assert cluster.run("upgrade", str(CHART), image="good") == 0
    assert cluster.left() == set()


def test_a_failed_installation_that_is_rolled_back_leaves_the_job_alone(cluster: Cluster) -> None:
    atomic = "--atomic" if cluster.helm == "helm3" else "--rollback-on-failure"
    assert cluster.run("install", str(CHART), atomic, image="broken") == 1
    assert cluster.left() == {"jobs"}


def test_a_failed_upgrade_that_is_rolled_back_leaves_the_job_alone(cluster: Cluster) -> None:
    atomic = "--atomic" if cluster.helm == "helm3" else "--rollback-on-failure"
    assert cluster.run("install", str(CHART), image="good") == 0
    assert cluster.run("upgrade", str(CHART), atomic, image="broken") == 1
    assert cluster.left() == {"jobs"}


def test_rights_that_an_interrupted_helm_left_end_with_the_release(cluster: Cluster) -> None:
    # Helm 3.17, which tests use, leaves them after each failed hook.
    assert cluster.run("install", str(CHART), image="broken") == 1
    assert cluster.left() in (RIGHTS | {"jobs"}, {"jobs"})
    assert cluster.run("uninstall") == 0
    assert cluster.left() == {"jobs"}


def test_the_next_upgrade_waits_again_after_a_failure(cluster: Cluster) -> None:
    assert cluster.run("install", str(CHART), image="broken") == 1
    (job,) = [name for resource, name in cluster.api.objects if resource == "jobs"]
    assert cluster.run("upgrade", str(CHART), "--install", image="good") == 0
    assert {name for resource, name in cluster.api.objects if resource in RIGHTS | {"jobs"}} == {job}
