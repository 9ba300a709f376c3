"""Another model on a running system: helm 3 and 4 with the charts on an API server in memory."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.helm_releases import BROKEN, HelmRelease, ReleaseError
from support.kubernetes_api import kubernetes_api
from support.kubernetes_wire import KINDS
from support.rendering import CHART, HELMS, at, default, one, render

OLD = "demo-phi-4-mini-instruct-4aa2b0"
NEW = "demo-phi-4-c50643"
READY = {"conditions": [{"type": "WorkspaceSucceeded", "status": "True"}]}
STANDBY = at("model.standby.preset", "phi-4")
EXCHANGED: dict[str, Any] = {"model": {"preset": "phi-4", "standby": {"preset": "phi-4-mini-instruct"}}}
SWITCHED = at("model.preset", "phi-4")
KEPT = at("model.keep", True)
ACCEPTED = at("model.allowInterruption", True)


@pytest.fixture(params=HELMS)
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HelmRelease]:
    """Run a server without objects, for one of both versions of helm."""
    with kubernetes_api() as api:
        yield HelmRelease(api, tmp_path, request.param)


@pytest.fixture
def release_of_helm(tmp_path: Path) -> Iterator[HelmRelease]:
    """Run a server without objects, for the newer helm alone."""
    with kubernetes_api() as api:
        yield HelmRelease(api, tmp_path)


def with_running_model(release: HelmRelease, *changes: dict[str, Any]) -> None:
    """Install a release whose Workspace is ready."""
    release.upgrade(*changes)
    release.api.set_status("Workspace", OLD, READY)


@pytest.mark.parametrize("kept", [False, True])
def test_a_switch_that_takes_the_running_model_away_is_refused(release: HelmRelease, *, kept: bool) -> None:
    with_running_model(release, at("model.keep", kept))
    with pytest.raises(ReleaseError, match=r"model\.standby") as raised:
        release.upgrade(at("model.keep", kept), SWITCHED)
    assert OLD in str(raised.value)
    assert (release.api.models(), release.api.deleted, release.model()) == ({OLD}, [], OLD)
    assert release.status() == "deployed"


def test_a_switch_brings_the_new_model_up_first(release: HelmRelease) -> None:
    with_running_model(release)
    before = release.pod()
    release.upgrade(STANDBY)
    assert (release.api.models(), release.model(), release.pod()) == ({OLD, NEW}, OLD, before)
    with pytest.raises(ReleaseError, match=f"Workspace {NEW}, which is not ready"):
        release.upgrade(EXCHANGED)
    assert release.model() == OLD
    release.api.set_status("Workspace", NEW, READY)
    notes = release.upgrade(EXCHANGED)
    assert f"from workspace/{OLD} to workspace/{NEW}.\n   The old one is the standby and stays ready." in notes
    assert (release.api.models(), release.api.deleted, release.model()) == ({OLD, NEW}, [], NEW)
    after = release.pod()
    release.upgrade(SWITCHED)
    assert (release.api.models(), release.api.deleted, release.pod()) == ({NEW}, [OLD], after)


def test_a_ready_standby_may_take_over_in_one_step(release_of_helm: HelmRelease) -> None:
    release = release_of_helm
    with_running_model(release)
    release.upgrade(STANDBY)
    release.api.set_status("Workspace", NEW, READY)
    release.upgrade(SWITCHED)
    assert (release.api.models(), release.model()) == ({NEW}, NEW)


@pytest.mark.parametrize("kept", [False, True])
def test_a_failed_start_of_the_standby_leaves_the_release_as_it_was(release: HelmRelease, *, kept: bool) -> None:
    with_running_model(release, at("model.keep", kept))
    with pytest.raises(ReleaseError, match="deadline"):
        release.upgrade(at("model.keep", kept), STANDBY, BROKEN)
    assert release.status() == "deployed"
    assert (release.api.models(), release.api.deleted, release.model()) == ({OLD}, [NEW], OLD)


@pytest.mark.parametrize("kept", [False, True])
def test_a_failed_exchange_returns_to_the_old_model_which_never_stopped(release: HelmRelease, *, kept: bool) -> None:
    keep = at("model.keep", kept)
    with_running_model(release, keep)
    release.upgrade(keep, STANDBY)
    release.api.set_status("Workspace", NEW, READY)
    with pytest.raises(ReleaseError, match="deadline"):
        release.upgrade(keep, EXCHANGED, BROKEN)
    assert release.status() == "deployed"
    assert (release.api.models(), release.api.deleted, release.model()) == ({OLD, NEW}, [], OLD)


def test_a_kept_model_leaves_through_the_standby(release: HelmRelease) -> None:
    with_running_model(release, KEPT)
    release.upgrade(KEPT, STANDBY)
    release.api.set_status("Workspace", NEW, READY)
    for refused in (SWITCHED, at("model.enabled", False)):
        with pytest.raises(ReleaseError, match=r"model\.keep: Workspace .* would leave the release and remain"):
            release.upgrade(KEPT, refused, ACCEPTED, external())
    release.upgrade(KEPT, EXCHANGED)
    with pytest.raises(ReleaseError, match="deadline"):
        release.upgrade(KEPT, SWITCHED, BROKEN)
    assert (release.status(), release.model()) == ("deployed", NEW)
    release.upgrade(KEPT, SWITCHED)
    assert release.api.models() == {NEW}


def external() -> dict[str, Any]:
    """Return values with a model of another place."""
    return at("chat.models", [{"name": "other", "endpointUrl": "https://models.example.com"}])


def test_an_accepted_interruption_replaces_the_model_at_once(release: HelmRelease) -> None:
    with_running_model(release)
    notes = release.upgrade(SWITCHED, ACCEPTED)
    assert "The old one is deleted. helm rollback starts it from the beginning: about 20 minutes without" in notes
    assert (release.api.models(), release.api.deleted, release.model()) == ({NEW}, [OLD], NEW)


@pytest.mark.parametrize(
    ("status", "refused"),
    [
        ({}, True),
        ({"conditions": [{"type": "WorkspaceSucceeded", "status": "False"}]}, False),
        ({"conditions": [{"type": "WorkspaceSucceeded", "status": "False"}], "state": "Pending"}, False),
        ({"conditions": [{"type": "WorkspaceSucceeded", "status": "False"}], "state": "NotReady"}, True),
        (
            {
                "conditions": [
                    {"type": "WorkspaceSucceeded", "status": "False"},
                    {"type": "InferenceReady", "status": "True"},
                ]
            },
            True,
        ),
    ],
    ids=["no status yet", "never worked, 0.6", "never worked, 0.12", "disturbed, 0.12", "disturbed, 0.6"],
)
def test_a_model_that_never_worked_is_replaced_directly(
    release_of_helm: HelmRelease, status: dict[str, Any], *, refused: bool
) -> None:
    release = release_of_helm
    release.upgrade()
    release.api.set_status("Workspace", OLD, status)
    if refused:
        with pytest.raises(ReleaseError, match=r"model\.allowInterruption"):
            release.upgrade(SWITCHED)
    else:
        release.upgrade(SWITCHED)
    assert release.api.models() == {OLD if refused else NEW}


def test_the_models_of_the_picker_name_the_running_model_too(release_of_helm: HelmRelease) -> None:
    release = release_of_helm
    with_running_model(release, external())
    with pytest.raises(ReleaseError, match=OLD):
        release.upgrade(external(), SWITCHED)


@pytest.mark.parametrize("kept", [False, True])
def test_another_prefix_of_the_names_takes_no_running_model_away(release_of_helm: HelmRelease, *, kept: bool) -> None:
    release = release_of_helm
    with_running_model(release, at("model.keep", kept))
    with pytest.raises(ReleaseError, match=f"Workspace {OLD} deleted. Set fullnameOverride: demo"):
        release.upgrade(at("model.keep", kept), at("fullnameOverride", "other"))
    assert release.api.models() == {OLD}
    release.upgrade(at("model.keep", kept), at("fullnameOverride", "demo"))
    assert (release.api.models(), release.api.deleted) == ({OLD}, [])


def test_a_release_without_a_change_of_the_model_is_never_refused(release_of_helm: HelmRelease) -> None:
    release = release_of_helm
    with_running_model(release)
    release.api.set_status("Workspace", OLD, {"conditions": [{"type": "WorkspaceSucceeded", "status": "False"}]})
    release.upgrade(at("chat.replicas", 3))
    release.upgrade(at("model.vllm", {"max-model-len": 4096}))
    assert (release.api.models(), release.api.deleted) == ({OLD}, [])


def test_values_of_a_chart_without_a_standby_are_reused(release: HelmRelease, tmp_path: Path) -> None:
    older = shutil.copytree(CHART, tmp_path / "older")
    (older / "values.schema.json").unlink()
    values = yaml.safe_load((older / "values.yaml").read_text(encoding="utf-8"))
    for key in ("allowInterruption", "kind", "standby"):
        del values["model"][key]
    (older / "values.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    release.upgrade(chart=older)
    release.api.set_status("Workspace", OLD, READY)
    release.upgrade(reuse="reuse-values")
    release.upgrade(STANDBY, reuse="reuse-values")
    assert release.api.models() == {OLD, NEW}
    release.api.set_status("Workspace", NEW, READY)
    release.upgrade(EXCHANGED, reuse="reset-then-reuse-values")
    release.upgrade(at("model.standby", None), reuse="reset-then-reuse-values")
    assert (release.api.models(), release.model()) == ({NEW}, NEW)


def test_uninstalling_a_kept_model_leaves_its_parameters_for_the_next_release(release: HelmRelease) -> None:
    parameters = at("model.vllm", {"max-model-len": 4096})
    with_running_model(release, KEPT, parameters)
    config = release.api.objects["workspaces", OLD]["inference"]["config"]
    release.uninstall()
    assert release.api.models() == {OLD}
    assert ("configmaps", config) in release.api.objects
    release.upgrade(KEPT, parameters)
    assert (release.api.models(), release.status()) == ({OLD}, "deployed")


def test_changed_parameters_of_a_kept_model_can_be_rolled_back(release: HelmRelease) -> None:
    with_running_model(release, KEPT, at("model.vllm", {"max-model-len": 4096}))
    before = release.api.objects["workspaces", OLD]["inference"]
    with pytest.raises(ReleaseError, match="deadline"):
        release.upgrade(KEPT, at("model.vllm", {"max-model-len": 2048}), BROKEN)
    assert (release.status(), release.api.objects["workspaces", OLD]["inference"]) == ("deployed", before)
    assert ("configmaps", before["config"]) in release.api.objects


def test_parameters_that_the_previous_chart_kept_change_in_a_release_of_their_own(
    release_of_helm: HelmRelease,
) -> None:
    release = release_of_helm
    with_running_model(release, KEPT, at("model.vllm", {"max-model-len": 4096}))
    config = release.api.objects["workspaces", OLD]["inference"]["config"]
    release.api.objects["configmaps", config]["metadata"]["annotations"]["helm.sh/resource-policy"] = "keep"
    with pytest.raises(ReleaseError, match="Release the new chart with unchanged values first"):
        release.upgrade(KEPT, at("model.vllm", {"max-model-len": 2048}))


def test_a_standby_is_another_model_on_nodes_of_its_own() -> None:
    objects = render(default(STANDBY))
    labels = [each["resource"]["labelSelector"]["matchLabels"] for each in objects if each["kind"] == "Workspace"]
    assert len(labels) == 2
    assert labels[0] != labels[1]
    assert one(objects, "Role")["rules"][0]["resourceNames"] == [OLD, NEW]
    for values in (default(at("model.standby.keep", True)), default(at("model.standby.presett", "phi-4"))):
        with pytest.raises(Exception, match="standby"):
            render(values)


def test_the_notes_know_nodes_that_are_deleted_with_their_model(
    release_of_helm: HelmRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "does NOT delete its" in release_of_helm.upgrade()
    monkeypatch.setitem(KINDS, "karpenter.azure.com/v1beta1", ("AKSNodeClass",))
    notes = release_of_helm.upgrade(KEPT)
    assert "Node auto-provisioning deletes the nodes of a workspace with it; helm uninstall keeps" in notes
    assert "kubectl get nodepools,nodeclaims --selector karpenter.kaito.sh/workspace-namespace=chat" in notes
    assert "nodepool delete" not in notes
