"""Upgrades of a release with several models, which delete none of them."""

import subprocess
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.helm_releases import HelmRelease, ReleaseError
from support.kubernetes_api import kubernetes_api
from support.needs import needs
from support.project import ROOT
from support.rendering import at, merged
from support.upgrades import upgrade

FIRST = "demo-phi-4-mini-instruct-4aa2b0"
READY = {"conditions": [{"type": "WorkspaceSucceeded", "status": "True"}]}
SECOND: dict[str, Any] = {"models": {"second": {"preset": "phi-4"}}}
# The commit of the chart before it had `models`.
BEFORE = "0dbe330"
# Labels with the version of the chart, at an object and at the pods that the GPU exporter replaces one after the other.
VERSIONS = tuple(
    f"{place}metadata.labels.{label}"
    for place in ("", "spec.template.")
    for label in ("app.kubernetes.io/version", "helm.sh/chart")
)


@pytest.fixture(scope="module")
def earlier_chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the chart of the commit before `models`."""
    archive = ["git", "archive", BEFORE, "charts/kaito-chat"]
    done = subprocess.run(archive, cwd=ROOT, capture_output=True, check=False)
    needs("" if done.returncode else "git", f"the commit {BEFORE} in the history")
    folder = tmp_path_factory.mktemp("earlier")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return folder / "charts" / "kaito-chat"


@pytest.mark.parametrize("given", ["default", "everything", "external", "gateway", "switch"])
def test_an_upgrade_from_the_chart_without_models_deletes_and_renames_nothing(given: str, earlier_chart: Path) -> None:
    before = yaml.safe_load((earlier_chart / "ci" / f"{given}-values.yaml").read_text(encoding="utf-8"))
    found = upgrade(before, before, old_chart=earlier_chart)
    # The chat of an InferenceSet reads its progress, and the policy of a model that KEDA scales admits less.
    scaled = "autoscaling" in before.get("model", {})
    assert found.created == (frozenset({f"Role/{given}", f"RoleBinding/{given}"}) if scaled else frozenset())
    assert found.deleted == found.left == frozenset()
    of_the_set = ["NetworkPolicy/", f"ConfigMap/{given}", f"Deployment/{given}"] if scaled else []
    # Alerts and dashboards change with the application's metrics.
    changing = ("PrometheusRule/", f"ConfigMap/{given}-dashboard-", *of_the_set)
    assert [name for name in found.changes(*VERSIONS) if not name.startswith(changing)] == []
    after = merged(before, {"models": {"second": {"preset": "phi-3.5-mini-instruct"}}})
    more = upgrade(before, after, old_chart=earlier_chart)
    assert more.deleted == more.left == frozenset()
    assert not any(name.startswith(("Workspace", "InferenceSet")) for name in more.changes(*VERSIONS))


@pytest.fixture
def release(tmp_path: Path) -> Iterator[HelmRelease]:
    with kubernetes_api() as api:
        yield HelmRelease(api, tmp_path)


def test_an_installed_release_of_the_chart_without_models_gets_a_second_one(
    release: HelmRelease, earlier_chart: Path
) -> None:
    release.upgrade(chart=earlier_chart)
    release.api.set_status("Workspace", FIRST, READY)
    release.upgrade(SECOND, reuse="reuse-values")
    assert FIRST in release.api.models()
    assert len(release.api.models()) == 2
    assert release.api.deleted == []


def test_a_running_model_among_several_is_not_taken_away(release: HelmRelease) -> None:
    release.upgrade(SECOND)
    (second,) = release.api.models() - {FIRST}
    for name in (FIRST, second):
        release.api.set_status("Workspace", name, READY)
    other = {"models": {"second": {"preset": "phi-3.5-mini-instruct"}}}
    with pytest.raises(ReleaseError, match=r"describe the new model in models\.second\.standby") as raised:
        release.upgrade(other)
    assert second in str(raised.value)
    with pytest.raises(ReleaseError, match=r"describe the new model in model\.standby"):
        release.upgrade(SECOND, at("model.preset", "phi-2"))
    assert (release.api.models(), release.api.deleted) == ({FIRST, second}, [])
    release.upgrade(merged(other, at("models.second.allowInterruption", True)))
    assert release.api.deleted == [second]


def test_models_are_exchanged_with_their_standbys(release: HelmRelease) -> None:
    release.upgrade(SECOND)
    (second,) = release.api.models() - {FIRST}
    release.api.set_status("Workspace", second, READY)
    third = "phi-3.5-mini-instruct"
    release.upgrade(merged(SECOND, at("models.second.standby.preset", third)))
    (standby,) = release.api.models() - {FIRST, second}
    release.api.set_status("Workspace", standby, READY)
    release.upgrade({"models": {"second": {"preset": third}}})
    assert (release.api.models(), release.api.deleted) == ({FIRST, standby}, [second])


def test_a_model_that_leaves_the_values_is_deleted_alone(release: HelmRelease) -> None:
    release.upgrade(SECOND)
    (second,) = release.api.models() - {FIRST}
    for name in (FIRST, second):
        release.api.set_status("Workspace", name, READY)
    release.upgrade()
    assert (release.api.models(), release.api.deleted) == ({FIRST}, [second])


def test_a_kept_model_does_not_leave_with_its_entry(release: HelmRelease) -> None:
    kept = at("models.second.keep", True)
    release.upgrade(SECOND, kept)
    for gone in ([], [merged(SECOND, kept, at("models.second.enabled", False))]):
        with pytest.raises(ReleaseError, match=r"Release models\.second\.keep: false first"):
            release.upgrade(*gone)
    release.upgrade(SECOND)
    release.upgrade()
    assert release.api.models() == {FIRST}
