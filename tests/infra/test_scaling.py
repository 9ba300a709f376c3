"""Autoscaling and schedules from the environment file to the releases, the objects, the summary and the cost."""

from pathlib import Path
from typing import Any

import pytest

from aks_kaito import __version__
from aks_kaito.charts import ours, theirs
from aks_kaito.review import summary, table
from aks_kaito.settings import Environment, load
from support.environment_files import edited, written
from support.project import TODAY
from support.rendered import release, values_of
from support.rendering import Object, merged, one, render
from support.stacks import synthesized
from support.validation import check_core, check_custom

HELM = {
    "kaito": ['distribution = "helm"', 'version = "0.12.0"'],
    "ingress": ['hostname = "chat.kaito.dev"'],
    "chat": [
        'sign_in = "entra"',
        'entra_client_id = "11111111-2222-3333-4444-555555555555"',
        'wake_allowed = "signed_in"',
    ],
    "model": ["min_replicas = 1", "max_replicas = 4"],
}
TABLES = """
[model.autoscaling]
scale_down_cooldown_seconds = 900
[model.schedule]
wakes = "07:30"
sleeps = "20:00"
time_zone = "Europe/Rome"
replicas = 2
[models.fixed]
preset = "phi-4"
instance_type = "Standard_NC24ads_A100_v4"
"""
ADDED = {
    "chat": {
        "image": {"tag": __version__},
        "workloadIdentity": {"clientId": "00000000-0000-0000-0000-000000000001"},
        "keyVault": {"tenantId": "00000000-0000-0000-0000-000000000002"},
        "settings": {"KAITO_CHAT_ENTRA_TENANT_ID": "00000000-0000-0000-0000-000000000002"},
    }
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return load(written(tmp_path_factory.mktemp("scaling"), edited(HELM) + TABLES), TODAY)


@pytest.fixture(scope="module")
def objects(environment: Environment) -> list[Object]:
    return render(merged(ours.chat(environment), ADDED), release="kaito-chat", namespace="kaito-chat")


def test_the_scaler_is_a_pinned_release_beside_the_kedas_of_aks(environment: Environment) -> None:
    document = synthesized(environment, "workloads")
    found = release(document, "keda-kaito-scaler")
    # KEDA, an add-on of AKS, reads the scaler's certificates in its own namespace.
    assert (found["namespace"], found["version"]) == ("kube-system", "0.6.2")
    assert found["repository"] == "https://kaito-project.github.io/keda-kaito-scaler/charts/kaito-project"
    assert values_of(document, "keda-kaito-scaler")["tolerations"] == []
    # Terraform installs it before the models that it scales, and deletes it after them.
    (address,) = [
        f"helm_release.{key}"
        for key, each in document["resource"]["helm_release"].items()
        if each["name"] == "keda-kaito-scaler"
    ]
    assert address in release(document, "kaito-chat")["depends_on"]
    (cluster,) = synthesized(environment)["resource"]["azurerm_kubernetes_cluster"].values()
    assert cluster["workload_autoscaler_profile"]["keda_enabled"] is True


def test_a_copy_of_the_scaler_comes_from_the_registry_of_the_settings(tmp_path: Path) -> None:
    edits = HELM | {"charts": ['registry = "contoso.azurecr.io/charts"']}
    document = synthesized(load(written(tmp_path, edited(edits)), TODAY), "workloads")
    assert release(document, "keda-kaito-scaler")["repository"] == "oci://contoso.azurecr.io/charts"


def test_the_add_on_has_no_scaler(workloads: dict[str, dict[str, Any]]) -> None:
    for document in workloads.values():
        names = [each["name"] for each in document["resource"]["helm_release"].values()]
        assert theirs.KEDA_KAITO_SCALER.name not in names


@pytest.mark.parametrize("keda", [True, False])
def test_the_scaler_stays_without_bounds_because_it_removes_its_objects(tmp_path: Path, *, keda: bool) -> None:
    edits = {"kaito": HELM["kaito"], "cluster": [f"keda_enabled = {str(keda).lower()}"]}
    document = synthesized(load(written(tmp_path, edited(edits)), TODAY), "workloads")
    names = [each["name"] for each in document["resource"]["helm_release"].values()]
    assert (theirs.KEDA_KAITO_SCALER.name in names) is keda


def test_the_objects_are_valid_and_name_the_model(objects: list[Object]) -> None:
    check_core(objects, "1.35")
    assert ("kaito-0.12.0", "InferenceSet") in check_custom(objects)
    sets = [each["metadata"] for each in objects if each["kind"] == "InferenceSet"]
    (found,) = [each for each in sets if "annotations" in each]
    assert len(sets) == 2
    prefix = "scaledobject.kaito.sh/"
    scaled = {key.removeprefix(prefix): each for key, each in found["annotations"].items() if key.startswith(prefix)}
    assert (
        scaled.pop("metrics")
        == "- downthreshold: 1\n  name: vllm:num_requests_waiting\n  type: gauge\n  upthreshold: 5"
    )
    assert scaled == {
        "auto-provision": "true",
        "min-replicas": "1",
        "max-replicas": "4",
        "scaledowncooldown": "900",
    }
    jobs = [each for each in objects if each["kind"] == "CronJob"]
    assert {each["metadata"]["name"] for each in jobs} == {
        f"{found['name']}-{verb}" for verb in ("doze", "sleep", "wake")
    }
    read, _, woken = one(objects, "Role", "kaito-chat")["rules"]
    assert (read["resources"], read["resourceNames"]) == (["inferencesets"], woken["resourceNames"])
    assert (woken["resources"], woken["verbs"]) == (["inferencesets/scale"], ["get", "patch"])
    assert set(woken["resourceNames"]) == {each["name"] for each in sets}
    (scale, pause) = one(objects, "Role", "kaito-chat-scaling")["rules"]
    assert scale["resourceNames"] == pause["resourceNames"] == [found["name"]]


def test_quota_counts_the_most_copies_and_the_table_the_hours(environment: Environment) -> None:
    scaled, fixed = summary.models(environment.settings)[0]
    assert (scaled.min_replicas, scaled.replicas, scaled.hours_per_week) == (1, 4, 62.5)
    assert (fixed.replicas, fixed.hours_per_week) == (1, None)
    assert scaled.vcpus is not None
    assert scaled.vcpus == 4 * (scaled.vcpus // 4)
    rows = list(table._fit(scaled))  # noqa: SLF001 - the rows of one model
    assert ("schedule", "runs 62.5 of 168 hours a week, and when users wake it") in rows
    assert "schedule" not in dict(table._fit(fixed))  # noqa: SLF001
