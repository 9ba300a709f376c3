"""Every object of every case is valid, on every Kubernetes and with both helms; and exactly these objects are made."""

import pytest

from chart.rendering import (
    CASES,
    CHART,
    HELMS,
    INFERENCE_SET,
    KUBERNETES,
    Object,
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
from chart.validation import KAITO, check_core, check_custom, needs_definitions

CHAT_KINDS = {"ConfigMap", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount"}


@pytest.mark.parametrize("kubernetes", KUBERNETES)
@pytest.mark.parametrize("name", CASES)
def test_kubernetes_knows_every_field(name: str, kubernetes: str) -> None:
    check_core(render(case(name), kube_version=kubernetes), kubernetes)


@pytest.mark.parametrize("name", CASES)
def test_custom_resources_satisfy_their_definitions(name: str) -> None:
    needs_definitions()
    assert check_custom(render(case(name))) or name == "external"


def test_a_workspace_is_valid_on_both_versions_of_kaito() -> None:
    needs_definitions()
    full = merged(case("everything"), {"model": {"replicas": 1, "autoscaling": {"enabled": False}}})
    assert {(version, "Workspace") for version in KAITO} <= check_custom(render(full))


@pytest.mark.parametrize("name", CASES)
def test_both_helms_make_the_same(name: str) -> None:
    first, second = (render(case(name), helm=helm) for helm in HELMS)
    assert sorted(first, key=str) == sorted(second, key=str)


def test_the_least_values_make_a_chat_and_a_workspace() -> None:
    assert names(render()) == {
        ("ConfigMap", "demo-chat"),
        ("Deployment", "demo-chat"),
        ("NetworkPolicy", "demo-chat"),
        ("Pod", "demo-chat-test"),
        ("PodDisruptionBudget", "demo-chat"),
        ("Role", "demo-chat"),
        ("RoleBinding", "demo-chat"),
        ("Service", "demo-chat"),
        ("ServiceAccount", "demo-chat"),
        ("Workspace", workspace_name()),
    }


def test_everything_makes_everything() -> None:
    assert names(render(case("everything"))) == {
        ("ConfigMap", "everything-chat"),
        ("ConfigMap", "everything-dashboard-chat"),
        ("ConfigMap", "everything-dashboard-gpu"),
        ("ConfigMap", "everything-dashboard-vllm"),
        ("ConfigMap", f"{set_name()}-inference"),
        ("Deployment", "everything-chat"),
        ("HorizontalPodAutoscaler", "everything-chat"),
        ("InferenceSet", set_name()),
        ("Ingress", "everything-chat"),
        ("Ingress", set_name()),
        ("NetworkPolicy", "everything-chat"),
        ("Pod", "everything-chat-test"),
        ("PodDisruptionBudget", "everything-chat"),
        ("PodMonitor", set_name()),
        ("Policy", "everything-chat-allowed"),
        ("Policy", f"{set_name()}-allowed"),
        ("PrometheusRule", "everything"),
        ("SecretProviderClass", "everything-chat-key-vault"),
        ("Service", "everything-chat"),
        ("Service", set_name()),
        ("ServiceAccount", "kaito-chat"),
        ("ServiceMonitor", "everything-chat"),
    }


def workspace_name() -> str:
    """The least values' Workspace; what its hash is made of is tested with the model."""
    name: str = one(render(show_only="model/workspace.yaml"), "Workspace")["metadata"]["name"]
    assert name.startswith("demo-phi-4-mini-instruct-")
    return name


def set_name() -> str:
    """The InferenceSet of everything."""
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
    assert kind not in kinds(render(default(others, at(path, value))))


@pytest.mark.parametrize(
    ("path", "value", "kind"),
    [
        ("chat.autoscaling.enabled", True, "HorizontalPodAutoscaler"),
        ("monitoring.prometheusOperator", True, "ServiceMonitor"),
        ("monitoring.azureMonitor", True, "PodMonitor"),
        ("monitoring.alerts", True, "PrometheusRule"),
        ("model.replicas", 2, "InferenceSet"),
        ("model.autoscaling.enabled", True, "InferenceSet"),
    ],
)
def test_a_switch_on_adds_its_object(path: str, value: object, kind: str) -> None:
    assert kind not in kinds(render())
    assert kind in kinds(render(default(at(path, value))))


def test_two_releases_in_one_namespace_share_nothing() -> None:
    first, second = (render(case("everything") | {"fullnameOverride": ""}, release=name) for name in ("one", "two"))
    shared = names(first) & names(second)
    assert shared == {("ServiceAccount", "kaito-chat")}  # named by the values
    one_chat, two_chat = (pods_of(objects) for objects in (first, second))
    assert one_chat != two_chat


def pods_of(objects: list[Object]) -> object:
    """What the chat's Service selects."""
    services = [each for each in objects if each["kind"] == "Service" and each["metadata"]["name"].endswith("-chat")]
    return services[0]["spec"]["selector"]


def test_two_releases_have_gpu_nodes_of_their_own() -> None:
    labels = {
        str(one(render(release=name, namespace=space), "Workspace")["resource"]["labelSelector"])
        for name, space in (("one", "chat"), ("two", "chat"), ("one", "other"))
    }
    assert len(labels) == 3


@pytest.mark.parametrize("release", ["a", "9-lives", "with.dots.in-it", "x" * 53, "chat", "my-chat"])
def test_names_stay_within_what_kubernetes_allows(release: str) -> None:
    objects = render(case("everything") | {"fullnameOverride": ""}, release=release)
    check_core(objects, "1.37")
    for kind, name in names(objects):
        assert len(name) <= 63, (kind, name)
        assert not name.startswith(tuple("0123456789")) or kind != "Service"
    for each in objects:
        if each["kind"] in {"Workspace", "InferenceSet"}:
            assert len(each["metadata"]["name"]) <= 52  # KAITO appends -headless, Kubernetes a revision


@pytest.mark.parametrize("helm", HELMS)
def test_lint_finds_nothing(helm: str) -> None:
    import subprocess  # noqa: PLC0415

    for name in CASES:
        values = str(CHART / "ci" / f"{name}-values.yaml")
        command = [helm_path(helm), "lint", "--strict", str(CHART), "--values", values, "--kube-version", "1.35.0"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        needs_set = name == "everything"  # lint asks no cluster what it serves
        assert (INFERENCE_SET.rsplit("/", 1)[1] in done.stdout + done.stderr) if needs_set else done.returncode == 0, (
            done.stdout + done.stderr
        )


def test_an_older_kubernetes_is_refused() -> None:
    with pytest.raises(RenderError, match=r"1\.33"):
        render(kube_version="1.32")
