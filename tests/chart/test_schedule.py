"""A model that is scaled by its schedule: CronJobs, their access, and what an upgrade changes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.helm_releases import HelmRelease
from support.kubernetes_api import kubernetes_api
from support.network import AGENT, NEIGHBOUR, PORTS, Peer, admits, outside, policy, reaches
from support.project import ROOT
from support.rendering import Object, RenderError, at, default, merged, one, render
from support.validation import check_core, check_custom, restricted

NAME = "demo-phi-4-mini-instruct-6fe404"
SET = at("model.kind", "InferenceSet")
SCHEDULE = {
    "enabled": True,
    "wakes": "30 7 * * 1,2,3,4,5",
    "sleeps": "0 20 * * 1,2,3,4,5",
    "timeZone": "Europe/Rome",
    "replicas": 2,
    "holdSeconds": 7200,
}
SCHEDULED = merged(SET, at("model.schedule", SCHEDULE), at("model.displayName", "Phi 4"))
AUTOSCALED = at("model.autoscaling", {"enabled": True, "minReplicas": 1, "maxReplicas": 4})
CHAT = Peer("chat", {"app.kubernetes.io/name": "kaito-chat", "app.kubernetes.io/instance": "demo"})


def jobs(objects: list[Object]) -> dict[str, Object]:
    """Return the CronJobs by the last part of their names."""
    return {each["metadata"]["name"].rpartition("-")[2]: each for each in objects if each["kind"] == "CronJob"}


def arguments(job: Object) -> list[str]:
    """Return the arguments of the only container of a Job."""
    (container,) = job["template"]["spec"]["containers"]
    assert container["command"] == ["python", "-m", "kaito_chat.scaling"]
    found: list[str] = container["args"]
    return found


def rules(objects: list[Object]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = one(objects, "Role", "demo-scaling")["rules"]
    return found


def test_three_jobs_wake_the_model_scale_it_to_zero_and_look_after_it() -> None:
    objects = render(default(SCHEDULED, AUTOSCALED))
    found = jobs(objects)
    assert {name: each["spec"]["schedule"] for name, each in found.items()} == {
        "doze": "*/15 * * * *",
        "sleep": "0 20 * * 1,2,3,4,5",
        "wake": "30 7 * * 1,2,3,4,5",
    }
    assert one(objects, "InferenceSet")["metadata"]["name"] == NAME
    for each in found.values():
        assert each["spec"]["timeZone"] == "Europe/Rome"
        assert each["spec"]["concurrencyPolicy"] == "Forbid"
        assert len(each["metadata"]["name"]) <= 52  # Kubernetes adds 11 characters for a Job
        pod = each["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        restricted(pod)
        assert pod["serviceAccountName"] == "demo-scaling"
    written = json.loads((ROOT / "tests" / "chart" / "scaling-arguments.json").read_text(encoding="utf-8"))
    assert [arguments(found[name]["spec"]["jobTemplate"]["spec"]) for name in sorted(found)] == written
    check_core(objects, "1.35")
    assert ("kaito-0.12.0", "InferenceSet") in check_custom(objects)


def test_the_jobs_may_scale_their_models_and_pause_keda_and_nothing_else() -> None:
    scale = {"apiGroups": ["kaito.sh"], "resources": ["inferencesets/scale"], "resourceNames": [NAME]}
    pause = {"apiGroups": ["keda.sh"], "resources": ["scaledobjects"], "resourceNames": [NAME]}
    verbs = {"verbs": ["get", "patch"]}
    assert "replicas" not in one(render(default(SCHEDULED)), "InferenceSet")["spec"]
    assert rules(render(default(SCHEDULED))) == [scale | verbs]
    assert rules(render(default(SCHEDULED, AUTOSCALED))) == [scale | verbs, pause | verbs]
    # The chat itself gets no more rights: it reads the object, and only with a wake button writes the number.
    chat = one(render(default(SCHEDULED, AUTOSCALED)), "Role", "demo")["rules"]
    assert [(rule["resources"], rule["verbs"]) for rule in chat] == [
        (["inferencesets"], ["get"]),
        (["workspaces"], ["list"]),
    ]


def test_every_scheduled_model_has_jobs_and_a_rule_of_its_own() -> None:
    other = {"preset": "phi-4", "kind": "InferenceSet", "schedule": SCHEDULE, "autoscaling": {"enabled": True}}
    objects = render(default(SCHEDULED, at("models", {"other": other, "awake": {"preset": "phi-2"}})))
    sets = [each["metadata"]["name"] for each in objects if each["kind"] == "InferenceSet"]
    assert len(sets) == 2
    assert {each["metadata"]["name"].rpartition("-")[0] for each in objects if each["kind"] == "CronJob"} == set(sets)
    scale, pause = rules(objects)
    assert set(scale["resourceNames"]) == set(sets)
    assert pause["resourceNames"] == [name for name in sets if name != NAME]


def test_connections_of_the_jobs() -> None:
    objects = render(default(SCHEDULED, at("networkPolicy.apiServerCidr", "10.1.0.0/28")))
    job = Peer("chat", {**CHAT.labels, "app.kubernetes.io/component": "scaling"})
    chat = Peer("chat", {**CHAT.labels, "app.kubernetes.io/component": "chat"})
    assert policy(objects, "scaling")["spec"]["podSelector"]["matchLabels"].items() <= job.labels.items()
    assert [port for port in PORTS if admits(objects, job, port)] == [8081]
    assert not any(admits(objects, peer, port, "scaling") for peer in (chat, AGENT, NEIGHBOUR) for port in PORTS)
    assert [port for port in PORTS if reaches(objects, chat, port, "scaling")] == [8081]
    assert [port for port in PORTS if reaches(objects, outside("10.1.0.4"), port, "scaling")] == [443, 6443]
    assert not any(reaches(objects, outside("20.1.2.3"), port, "scaling") for port in PORTS)
    assert not admits(render(default(SET)), job, 8081)
    service = one(objects, "Service", "demo-pods")["spec"]
    assert (service["clusterIP"], "ports" in service) == ("None", False)
    assert service["selector"].items() <= chat.labels.items()


def test_a_schedule_of_another_program_has_no_jobs() -> None:
    objects = render(default(SET, at("model.schedule", SCHEDULE | {"enabled": False})))
    assert jobs(objects) == {}
    assert not [each for each in objects if each["metadata"]["name"] in ("demo-scaling", "demo-pods")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([at("model.kind", "Workspace")], "model.schedule.enabled needs model.kind: InferenceSet"),
        ([at("model.schedule.sleeps", "")], "needs model.schedule.wakes and model.schedule.sleeps"),
        ([at("model.schedule.sleeps", SCHEDULE["wakes"])], "are the same times"),
        ([AUTOSCALED, at("model.schedule.replicas", 5)], "not between model.autoscaling.minReplicas and maxReplicas"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused(changes: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(RenderError, match=said):
        render(default(SCHEDULED, *changes))


def test_additional_models_sleep_too() -> None:
    model = {
        "name": "Other",
        "endpointUrl": "http://other",
        "replicaUrls": ["http://other-2", "https://other.team.svc:8443"],
        "inferenceSetName": "other",
        "schedule": {"wakes": "0 8 * * *", "timeZone": "Europe/Rome", "replicas": 3},
    }
    objects = render(default(at("chat.models", [model])))
    found = json.loads(one(objects, "ConfigMap", "demo")["data"]["KAITO_CHAT_MODELS"])[1]
    assert found == {
        "name": "Other",
        "endpoint_url": "http://other",
        "replica_urls": ["http://other-2", "https://other.team.svc:8443"],
        "inference_set_name": "other",
        "schedule": {"wakes": "0 8 * * *", "time_zone": "Europe/Rome", "replicas": 3},
    }
    assert one(objects, "Role", "demo")["rules"][1:] == [
        {"apiGroups": ["kaito.sh"], "resources": ["inferencesets"], "resourceNames": ["other"], "verbs": ["get"]},
        {"apiGroups": ["kaito.sh"], "resources": ["workspaces"], "verbs": ["list"]},
    ]
    assert reaches(objects, Peer("team", {"any": "pod"}), 8443)
    assert reaches(objects, Peer("chat", {"any": "pod"}), 5000)


@pytest.fixture
def release(tmp_path: Path) -> Iterator[HelmRelease]:
    """Run a server without objects."""
    with kubernetes_api() as api:
        api.objects["namespaces", "chat"] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "chat"}}
        yield HelmRelease(api, tmp_path, helm="helm3")


def live(release: HelmRelease) -> dict[str, Any]:
    found: dict[str, Any] = release.api.objects["inferencesets", NAME]["spec"]
    return found


def noted(release: HelmRelease) -> list[Object]:
    """Return a list to which each Job is added that helm creates."""
    posted: list[Object] = []
    write = release.api.write

    def note(method: str, path: str, body: Object) -> tuple[int, Object]:
        if path.endswith("/jobs") and method == "POST":
            posted.append(body)
        return write(method, path, body)

    release.api.write = note  # type: ignore[method-assign]
    return posted


def test_upgrades_keep_the_live_number_until_the_schedule_is_removed(release: HelmRelease) -> None:
    posted = noted(release)
    release.upgrade(SCHEDULED, AUTOSCALED)
    assert live(release)["replicas"] == 2
    live(release)["replicas"] = 0
    release.upgrade(SCHEDULED, AUTOSCALED, at("chat.replicas", 4))
    assert (live(release)["replicas"], posted) == (0, [])
    release.upgrade(SET, AUTOSCALED, at("model.displayName", "Phi 4"))
    # Nothing else would start it: KEDA is paused, and both manifests state the same number.
    assert live(release)["replicas"] == 0
    assert [each["metadata"]["name"] for each in posted] == [f"{NAME}-wake-once"]
    assert arguments(posted[0]["spec"]) == ["wake", NAME, "--replicas", "1", "--keda"]
    assert ("serviceaccounts", "demo-scaling") in release.api.objects
    assert not [name for kind, name in release.api.objects if kind == "cronjobs"]
    release.upgrade(SET, AUTOSCALED, at("model.displayName", "Phi 4"))
    assert len(posted) == 1
    assert ("serviceaccounts", "demo-scaling") not in release.api.objects
    assert release.api.deleted == []


def test_a_model_without_autoscaling_wakes_with_its_replicas(release: HelmRelease) -> None:
    posted = noted(release)
    release.upgrade(SCHEDULED)
    live(release)["replicas"] = 0
    release.upgrade(SET, at("model.replicas", 3))
    assert [arguments(each["spec"]) for each in posted] == [["wake", NAME, "--replicas", "3"]]
