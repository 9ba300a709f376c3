"""Every object of every case is valid for each version of Kubernetes and helm; no other objects are created."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from support.rendering import (
    CASES,
    CHART,
    HELMS,
    KUBERNETES,
    RenderError,
    at,
    case,
    default,
    helm_path,
    kinds,
    merged,
    names,
    one,
    render,
)
from support.validation import KAITO, check_core, check_custom

VAULT = {
    "enabled": True,
    "name": "vault",
    "tenantId": "00000000-0000-0000-0000-000000000002",
    "secrets": {"KAITO_CHAT_AUTH_SECRET": "auth"},
}
IDENTITY = at("chat.workloadIdentity", {"enabled": True, "clientId": "00000000-0000-0000-0000-000000000001"})


@pytest.mark.parametrize("kubernetes", KUBERNETES)
@pytest.mark.parametrize("name", CASES)
def test_kubernetes_knows_every_field(name: str, kubernetes: str) -> None:
    check_core(render(case(name), kube_version=kubernetes), kubernetes)


@pytest.mark.parametrize("name", CASES)
def test_custom_resources_satisfy_their_definitions(name: str) -> None:
    assert check_custom(render(case(name))) or name == "external"


def test_a_workspace_is_valid_on_both_versions_of_kaito() -> None:
    off = {key: {"enabled": False} for key in ("autoscaling", "autoUpgrade", "schedule")}
    full = merged(case("everything"), {"model": off}, at("model.replicas", 1))
    assert {(version, "Workspace") for version in KAITO} <= check_custom(render(full))


@pytest.mark.parametrize("name", CASES)
def test_both_helms_make_the_same(name: str) -> None:
    first, second = (render(case(name), helm=helm) for helm in HELMS)
    assert sorted(first, key=str) == sorted(second, key=str)


def test_the_least_values_make_a_chat_and_a_workspace() -> None:
    assert names(render()) == {
        ("ConfigMap", "demo"),
        ("Deployment", "demo"),
        ("NetworkPolicy", "demo"),
        ("NetworkPolicy", workspace_name()),
        ("Pod", "demo-test"),
        ("PodDisruptionBudget", "demo"),
        ("Role", "demo"),
        ("RoleBinding", "demo"),
        ("Service", "demo"),
        ("ServiceAccount", "demo"),
        ("Workspace", workspace_name()),
    }


def tuning_objects() -> set[tuple[str, str]]:
    """Return the objects of the tuning and of the two logins of `everything`."""
    kinds = ("CronJob", "Job", "Role", "RoleBinding", "Secret", "ServiceAccount")
    logins = {(kind, f"everything-registry-{right}") for kind in kinds for right in ("pull", "push")}
    found = render(case("everything"), show_only="tuning/workspace.yaml")
    (name,) = {each["metadata"]["name"] for each in found}
    assert name.startswith("everything-t-tone-")
    return {*logins, ("NetworkPolicy", "everything-registry-login"), ("NetworkPolicy", name), ("Workspace", name)}


def test_everything_makes_everything() -> None:
    assert names(render(case("everything"))) == tuning_objects() | {
        ("ConfigMap", "everything"),
        ("ConfigMap", "everything-dashboard-chat"),
        ("ConfigMap", "everything-dashboard-gpu"),
        ("ConfigMap", "everything-dashboard-vllm"),
        ("ConfigMap", "everything-gpu-exporter"),
        ("ConfigMap", parameters_name()),
        ("CronJob", f"{set_name()}-doze"),
        ("CronJob", f"{set_name()}-sleep"),
        ("CronJob", f"{set_name()}-wake"),
        ("DaemonSet", "everything-gpu-exporter"),
        ("Deployment", "everything"),
        ("HorizontalPodAutoscaler", "everything"),
        ("InferenceSet", set_name()),
        ("Ingress", "everything"),
        ("Ingress", set_name()),
        ("Job", "everything-database-role"),
        ("NetworkPolicy", "everything"),
        ("NetworkPolicy", "everything-gpu-exporter"),
        ("NetworkPolicy", "everything-scaling"),
        ("NetworkPolicy", set_name()),
        ("Pod", "everything-test"),
        ("PodDisruptionBudget", "everything"),
        ("PodMonitor", "everything"),
        ("PodMonitor", "everything-gpu-exporter"),
        ("PodMonitor", set_name()),
        ("Policy", "everything-allowed"),
        ("Policy", f"{set_name()}-allowed"),
        ("PrometheusRule", "everything"),
        ("Role", "everything"),
        ("Role", "everything-scaling"),
        ("RoleBinding", "everything"),
        ("RoleBinding", "everything-scaling"),
        ("SecretProviderClass", "everything-key-vault"),
        ("Service", "everything"),
        ("Service", "everything-pods"),
        ("Service", set_name()),
        ("ServiceAccount", "everything-database-role"),
        ("ServiceAccount", "everything-scaling"),
        ("ServiceAccount", "kaito-chat"),
    }


def workspace_name() -> str:
    """Return the default values' Workspace; test_model.py tests its hash."""
    name: str = one(render(show_only="model/workspace.yaml"), "Workspace")["metadata"]["name"]
    assert name.startswith("demo-phi-4-mini-instruct-")
    return name


def parameters_name() -> str:
    """Return the ConfigMap with parameters that the InferenceSet of `everything` names."""
    found = render(case("everything"), show_only="model/inferenceset.yaml")
    name: str = one(found, "InferenceSet")["spec"]["template"]["inference"]["config"]
    return name


def set_name() -> str:
    """Return the InferenceSet of `everything`."""
    found = render(case("everything"), show_only="model/inferenceset.yaml")
    name: str = one(found, "InferenceSet")["metadata"]["name"]
    assert name.startswith("everything-qwen3-8b-")
    return name


@pytest.mark.parametrize(
    ("path", "value", "kind"),
    [
        ("model.enabled", False, "Workspace"),
        ("chat.serviceAccount.create", False, "ServiceAccount"),
        ("chat.podDisruptionBudget.enabled", False, "PodDisruptionBudget"),
        ("networkPolicy.enabled", False, "NetworkPolicy"),
        ("test.enabled", False, "Pod"),
    ],
)
def test_a_switch_off_takes_its_object_away(path: str, value: object, kind: str) -> None:
    others = at("chat.models", [{"name": "other", "endpointUrl": "https://models.example.com"}])
    assert kind in kinds(render(default(others)))
    account = at("chat.serviceAccount.name", "theirs")
    assert kind not in kinds(render(default(others, account, at(path, value))))


@pytest.mark.parametrize(
    ("path", "value", "kind"),
    [
        ("chat.autoscaling.enabled", True, "HorizontalPodAutoscaler"),
        ("monitoring.prometheusOperator", True, "PodMonitor"),
        ("monitoring.azureMonitor", True, "PodMonitor"),
        ("monitoring.alerts", True, "PrometheusRule"),
        ("chat.keyVault", VAULT, "SecretProviderClass"),
        ("model.replicas", 2, "InferenceSet"),
        ("model.autoscaling.enabled", True, "InferenceSet"),
    ],
)
def test_a_switch_on_adds_its_object(path: str, value: object, kind: str) -> None:
    assert kind not in kinds(render())
    assert kind in kinds(render(default(IDENTITY, at(path, value))))


def test_dashboards_are_a_switch() -> None:
    found = names(render(default(at("monitoring.dashboards", True)))) - names(render())
    assert found == {("ConfigMap", f"demo-dashboard-{name}") for name in ("chat", "gpu", "vllm")}


def test_spreading_is_a_switch() -> None:
    for enabled in (True, False):
        objects = render(default(at("chat.topologySpread.enabled", enabled)))
        assert ("topologySpreadConstraints" in one(objects, "Deployment")["spec"]["template"]["spec"]) is enabled


def test_without_a_model_of_its_own_the_chat_is_alone() -> None:
    assert names(render(case("external"))) == {
        ("ConfigMap", "demo"),
        ("Deployment", "demo"),
        ("Ingress", "demo"),
        ("NetworkPolicy", "demo"),
        ("Pod", "demo-test"),
        ("PodDisruptionBudget", "demo"),
        ("Service", "demo"),
        ("ServiceAccount", "demo"),
    }


@pytest.mark.parametrize("helm", HELMS)
def test_lint_finds_nothing(helm: str) -> None:
    # helm lint knows no API versions: lint cases that require an InferenceSet with one replica.
    alone = merged(at("model", {"replicas": 1, "autoscaling": {"enabled": False}}), at("routing.mode", "service"))
    alone = merged(alone, at("kaito.inferenceSets", "auto"))
    for name in CASES:
        text = json.dumps(merged(case(name), alone))
        command = [helm_path(helm), "lint", "--strict", str(CHART), "--values", "-", "--kube-version", "1.35.0"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


NOTES = {
    "default": ("port-forward service/demo 8000:80", "wait workspace/demo-phi-4-mini-instruct-", "helm rollback demo"),
    "external": ("https://chat.example.com", "3. One message through the chat", "--timeout 300s"),
    "gateway": ("no session affinity", "helm rollback demo", "(model.keep)"),
    "switch": ("get workspace/demo-phi-4-", "beside the model", "billed too", "exchange both", "deletes the standby"),
}


@pytest.mark.parametrize("name", NOTES)
def test_notes_are_a_checklist_of_exact_commands(name: str, tmp_path: Path) -> None:
    command = [helm_path("helm"), "install", "demo", str(CHART), "--namespace", "chat", "--dry-run=client"]
    command += ["--values", str(CHART / "ci" / f"{name}-values.yaml")]
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    notes = done.stdout.partition("NOTES:")[2]
    assert [each for each in NOTES[name] if each not in notes] == []
    numbers = [int(found) for found in re.findall(r"^(\d)\. ", notes, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_an_older_kubernetes_is_refused() -> None:
    with pytest.raises(RenderError, match=r"1\.33"):
        render(kube_version="1.32")
