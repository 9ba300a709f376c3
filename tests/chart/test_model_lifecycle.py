"""Scaling and edits of a deployed model: what helm deletes, keeps and changes, and what reaches KAITO's pods."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.helm_releases import HelmRelease, ReleaseError
from support.kubernetes_api import kubernetes_api
from support.rendering import RenderError, at, default, one, render
from support.upgrades import Upgrade, upgrade

WORKSPACE = "demo-phi-4-mini-instruct-4aa2b0"
SET = "demo-phi-4-mini-instruct-6fe404"
SCALABLE = at("model.kind", "InferenceSet")
LONGER: dict[str, Any] = at("model.vllm", {"max-model-len": 4096})
SHORTER: dict[str, Any] = at("model.vllm", {"max-model-len": 2048})
TONE = at("model.adapters", [{"name": "tone", "image": "example.azurecr.io/tone:1", "strength": "0.5"}])
WORDS = at("model.adapters", [{"name": "words", "image": "example.azurecr.io/words:1"}])
READY = {"readyReplicas": 1}


@pytest.fixture
def release(tmp_path: Path) -> Iterator[HelmRelease]:
    """Run a server without objects."""
    with kubernetes_api() as api:
        yield HelmRelease(api, tmp_path)


def between(before: dict[str, Any], after: dict[str, Any], *both: dict[str, Any]) -> Upgrade:
    """Compare two releases without a cluster."""
    return upgrade(default(*both, before), default(*both, after))


def models(objects: frozenset[str]) -> set[str]:
    """Return the Workspaces and InferenceSets."""
    return {name for name in objects if name.startswith(("Workspace/", "InferenceSet/"))}


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1), (2, 5)])
def test_scaling_an_inference_set_changes_its_replicas_only(before: int, after: int) -> None:
    found = between(at("model.replicas", before), at("model.replicas", after), SCALABLE)
    assert found.changed == {f"InferenceSet/{SET}": ("spec.replicas",)}
    assert not found.deleted | found.left | found.created


def test_autoscaling_an_inference_set_changes_the_set_only() -> None:
    found = between({}, at("model.autoscaling.enabled", True), SCALABLE)
    assert found.changed.keys() == {f"InferenceSet/{SET}", f"NetworkPolicy/{SET}"}
    assert found.changed[f"InferenceSet/{SET}"] == ("metadata.annotations", "spec.replicas")
    assert not found.deleted | found.left | found.created


def test_replicas_without_a_kind_are_the_same_inference_set() -> None:
    assert between(at("model.replicas", 2), at("model.replicas", 3)).changed.keys() == {f"InferenceSet/{SET}"}
    assert between(at("model.replicas", 2), {"model": {"replicas": 1, "kind": "InferenceSet"}}).changed == {
        f"InferenceSet/{SET}": ("spec.replicas",)
    }


@pytest.mark.parametrize("change", [at("model.replicas", 2), at("model.autoscaling.enabled", True), SCALABLE])
def test_a_running_workspace_is_not_scaled_away(release: HelmRelease, change: dict[str, Any]) -> None:
    release.upgrade()
    with pytest.raises(ReleaseError, match=f"uses Workspace {WORKSPACE}.*InferenceSet {SET}, which is not ready"):
        release.upgrade(change)
    assert (release.api.models(), release.api.deleted) == ({WORKSPACE}, [])


def test_a_workspace_becomes_an_inference_set_beside_it(release: HelmRelease) -> None:
    release.upgrade()
    several = {"model": {"kind": "InferenceSet", "replicas": 2}}
    release.upgrade({"model": {"standby": several["model"]}})
    assert (release.api.models(), release.model()) == ({WORKSPACE, SET}, WORKSPACE)
    assert ("services", SET) in release.api.objects
    release.api.set_status("InferenceSet", SET, READY)
    release.upgrade(several)
    assert (release.api.models(), release.model(), release.api.deleted) == ({SET}, SET, [WORKSPACE])
    for count in (1, 3):
        release.upgrade(at("model.kind", "InferenceSet"), at("model.replicas", count))
        assert release.api.objects["inferencesets", SET]["spec"]["replicas"] == count
    assert release.api.deleted == [WORKSPACE]


def test_a_running_inference_set_that_is_scaled_to_one_stays_one(release: HelmRelease) -> None:
    release.upgrade(at("model.replicas", 2))
    release.upgrade(at("model.replicas", 1))
    assert release.api.models() == {SET}
    assert release.api.objects["inferencesets", SET]["spec"]["replicas"] == 1


def test_switching_autoscaling_on_keeps_the_live_count(release: HelmRelease) -> None:
    release.upgrade(at("model.replicas", 3))
    release.upgrade(at("model.autoscaling.enabled", True))
    spec = release.api.objects["inferencesets", SET]["spec"]
    assert spec["replicas"] == 3
    spec["replicas"] = 2  # by the autoscaler
    release.upgrade(at("model.autoscaling.enabled", True), at("chat.replicas", 3))
    assert release.api.objects["inferencesets", SET]["spec"]["replicas"] == 2


def test_a_workspace_that_scales_by_load_is_refused() -> None:
    with pytest.raises(RenderError, match=r"model\.kind is Workspace.*set model\.kind: InferenceSet"):
        render(default(at("model.kind", "Workspace"), at("model.autoscaling.enabled", True)))


@pytest.mark.parametrize(
    ("before", "after"), [({}, LONGER), (LONGER, SHORTER), (LONGER, {}), ({}, TONE), (TONE, WORDS)]
)
def test_kaito_rolls_parameters_and_adapters_of_a_workspace_out(before: dict[str, Any], after: dict[str, Any]) -> None:
    found = between(before, after)
    assert not models(found.deleted | found.left | found.created)
    assert found.changed.keys() == {f"Workspace/{WORKSPACE}"}
    assert all(path.startswith("inference.") for path in found.changed[f"Workspace/{WORKSPACE}"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, LONGER),
        (LONGER, SHORTER),
        (LONGER, {}),
        ({}, at("model.maxProbeSteps", 0)),
        ({}, TONE),
        (TONE, WORDS),
        ({}, at("model.runtime", "transformers")),
        ({}, at("model.annotations", {"kaito.sh/performance-mode": "throughput"})),
        ({}, at("model.preset", "phi-4")),
        ({}, at("model.instanceType", "Standard_NC40ads_H100_v5")),
        ({}, at("model.image", "example.azurecr.io/phi:1")),
    ],
)
def test_an_edit_that_kaito_does_not_roll_out_makes_another_inference_set(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    found = between(before, after, SCALABLE)
    assert (len(models(found.deleted)), len(models(found.created))) == (1, 1)
    selectors = [
        one(render(default(SCALABLE, change)), "InferenceSet")["spec"]["labelSelector"] for change in (before, after)
    ]
    assert selectors[0] != selectors[1]


@pytest.mark.parametrize(
    "change",
    [
        at("model.nodeCountLimit", 4),
        at("model.annotations", {"kaito.sh/bypass-resource-checks": "True"}),
        at("model.annotations", {"example.com/team": "platform"}),
        at("model.runtime", "vllm"),
        at("model.keep", True),
        at("model.displayName", "Phi"),
    ],
)
def test_any_other_edit_is_applied_in_place(change: dict[str, Any]) -> None:
    for kind in ("Workspace", "InferenceSet"):
        found = between({}, change, at("model.kind", kind))
        assert not models(found.deleted | found.left | found.created)


@pytest.mark.parametrize(
    "change",
    [
        at("model.runtime", "transformers"),
        at("model.annotations", {"kaito.sh/node-image-family": "azurelinux"}),
        at("model.annotations", {"kaito.sh/enablelb": "True"}),
    ],
)
def test_what_kaito_reads_at_the_start_only_makes_another_workspace(
    release: HelmRelease, change: dict[str, Any]
) -> None:
    release.upgrade()
    with pytest.raises(ReleaseError, match=r"which is not ready.*model\.standby"):
        release.upgrade(change)
    release.upgrade({"model": {"standby": change["model"]}})
    (other,) = release.api.models() - {WORKSPACE}
    conditions = {"conditions": [{"type": "WorkspaceSucceeded", "status": "True"}]}
    release.api.set_status("Workspace", other, conditions)
    release.upgrade(change)
    assert (release.api.models(), release.model()) == ({other}, other)
    release.upgrade(change, at("chat.replicas", 3))
    assert release.api.models() == {other}


def test_kaitos_own_annotations_of_a_workspace_do_not_matter(release: HelmRelease) -> None:
    release.upgrade(at("model.runtime", "vllm"))
    annotations = {"kaito.sh/written-by-kaito": "1", "workspace.kaito.io/hash": "2"}
    release.api.objects["workspaces", WORKSPACE]["metadata"]["annotations"] |= annotations
    release.upgrade()
    assert release.api.models() == {WORKSPACE}


def test_an_inference_set_of_the_first_chart_keeps_its_name(release: HelmRelease) -> None:
    """The first chart's name has no parameters and adapters."""
    values = (at("model.replicas", 2), LONGER, TONE)
    release.upgrade(*values)
    (name,) = release.api.models()
    assert name != SET
    for resource in ("inferencesets", "services"):
        found = release.api.objects.pop((resource, name))
        release.api.objects[resource, SET] = found
        found["metadata"]["name"] = SET
    template = release.api.objects["inferencesets", SET]["spec"]["template"]["inference"]
    template["config"] = template["config"].replace(name, SET)
    data = release.api.objects["configmaps", "demo"]["data"]
    data["KAITO_CHAT_ENDPOINT_URL"] = f"http://{SET}"
    release.upgrade(*values, at("chat.replicas", 3))
    assert (release.api.models(), release.model()) == ({SET}, SET)
    with pytest.raises(ReleaseError, match=f"uses InferenceSet {SET}"):
        release.upgrade(at("model.replicas", 2), SHORTER, TONE)
