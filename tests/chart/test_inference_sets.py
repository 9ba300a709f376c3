"""`kaito.inferenceSets`: each model is an InferenceSet, and no release replaces a running Workspace unasked."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.helm_releases import HelmRelease, ReleaseError
from support.kubernetes_api import kubernetes_api
from support.rendering import INFERENCE_SET, RenderError, at, case, default, merged, names, one, render
from support.upgrades import upgrade

ALWAYS = at("kaito.inferenceSets", "always")
ROUTED = merged(ALWAYS, at("routing.mode", "gateway"))
WORKSPACE = "demo-phi-4-mini-instruct-4aa2b0"
SET = "demo-phi-4-mini-instruct-6fe404"
READY = {"conditions": [{"type": "WorkspaceSucceeded", "status": "True"}]}
RUNNING = {"readyReplicas": 1}


def models(values: dict[str, Any]) -> set[tuple[str, str]]:
    """Return kind and name of the models."""
    return {each for each in names(render(values)) if each[0] in ("Workspace", "InferenceSet")}


@pytest.fixture
def release(tmp_path: Path) -> Iterator[HelmRelease]:
    with kubernetes_api() as api:
        yield HelmRelease(api, tmp_path)


def test_one_replica_is_a_workspace_unless_sets_are_chosen() -> None:
    given: dict[str, Any]
    for given in ({}, at("kaito.inferenceSets", "auto"), {"kaito": None}, {"kaito": {}}):
        assert models(default(given)) == {("Workspace", WORKSPACE)}
    assert models(default(ALWAYS)) == {("InferenceSet", SET)}
    assert one(render(default(ALWAYS)), "InferenceSet")["spec"]["replicas"] == 1
    assert models(default(ALWAYS, at("model.kind", "Workspace"))) == {("Workspace", WORKSPACE)}


def test_scaling_renames_nothing() -> None:
    one_replica, several = default(ALWAYS), default(ALWAYS, at("model.replicas", 5))
    scaled = default(ALWAYS, at("model.autoscaling.enabled", value=True))
    for before, after in ((one_replica, several), (several, one_replica), (one_replica, scaled), (scaled, several)):
        found = upgrade(before, after)
        assert found.created == found.deleted == found.left == frozenset()
        assert any(name.startswith("InferenceSet/") for name in found.changed)
    assert one(render(several), "InferenceSet")["spec"]["replicas"] == 5


def test_every_model_and_every_standby_is_a_set() -> None:
    more = {"models": {"second": {"preset": "phi-4"}}, "model": {"standby": {"preset": "phi-2"}}}
    assert {kind for kind, _ in models(default(ALWAYS, more))} == {"InferenceSet"}
    assert {kind for kind, _ in models(merged(case("routing"), at("routing.mode", "service")))} == {"InferenceSet"}


def test_the_chat_has_one_address_for_all_replicas() -> None:
    values = default(ALWAYS, at("model.replicas", 3), at("model.icon", "/public/a.svg"))
    (profile,) = json.loads(one(render(values), "ConfigMap", "demo")["data"]["KAITO_CHAT_MODELS"])
    assert profile["endpoint_url"] == f"http://{SET}"
    assert "replica_urls" not in profile


def test_a_cluster_without_sets_is_told_so() -> None:
    with pytest.raises(RenderError, match=r"kaito\.inferenceSets always need an InferenceSet"):
        render(default(ALWAYS), api_versions=())
    with pytest.raises(RenderError, match=f"--api-versions {INFERENCE_SET}"):
        render(default(ALWAYS), api_versions=())


def test_a_running_workspace_is_not_replaced(release: HelmRelease) -> None:
    release.upgrade()
    release.api.set_status("Workspace", WORKSPACE, READY)
    release.upgrade(reuse="reuse-values")
    with pytest.raises(ReleaseError, match=f"The chat uses Workspace {WORKSPACE}.*InferenceSet {SET}, which is not"):
        release.upgrade(ALWAYS)
    with pytest.raises(ReleaseError, match="which is not ready"):
        release.upgrade(ALWAYS, reuse="reuse-values")
    assert (release.api.models(), release.api.deleted) == ({WORKSPACE}, [])


def test_a_workspace_becomes_a_set_through_the_standby(release: HelmRelease) -> None:
    release.upgrade()
    release.api.set_status("Workspace", WORKSPACE, READY)
    release.upgrade(at("model.standby.kind", "InferenceSet"))
    assert release.api.models() == {WORKSPACE, SET}
    release.api.set_status("InferenceSet", SET, RUNNING)
    release.upgrade(ALWAYS)
    assert (release.api.models(), release.api.deleted) == ({SET}, [WORKSPACE])
    assert release.model() == SET


def test_after_the_workspaces_were_deleted_the_release_makes_sets(release: HelmRelease) -> None:
    """This is the switch from the add-on to the open-source KAITO, which needs Workspaces to be deleted first."""
    release.upgrade()
    del release.api.objects["workspaces", WORKSPACE]
    release.upgrade(ALWAYS)
    assert release.api.models() == {SET}


def test_the_gateway_takes_no_model_away(release: HelmRelease) -> None:
    release.upgrade(ALWAYS)
    release.api.set_status("InferenceSet", SET, RUNNING)
    before = json.dumps(release.pod())
    notes = release.upgrade(ROUTED)
    assert "Questions go through gateway/demo-models" in notes
    assert "kubectl --namespace chat get gateways,httproutes,inferencepools" in notes
    release.upgrade(ALWAYS, at("routing.mode", "service"))
    assert (release.api.models(), release.api.deleted) == ({SET}, [])
    assert json.dumps(release.pod()) == before
    other = merged(ROUTED, at("model.preset", "phi-4"))
    with pytest.raises(ReleaseError, match="which is not ready"):
        release.upgrade(other)
