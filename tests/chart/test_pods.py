"""The application's pods: probes, ports and options are the application's own; hardening, rollout, image, labels."""

import ast

import pytest

from aks_kaito import __version__
from support.project import ROOT
from support.rendering import CASES, at, case, container, data, default, one, pod, render
from support.validation import restricted

APP = ROOT / "app"
# Time to write pending history after running answers have ended.
HISTORY_SECONDS = 20


def test_other_settings_are_other_pods() -> None:
    checksums = {
        pod(at("chat.settings", {"KAITO_CHAT_TEMPERATURE": value}))["metadata"]["annotations"]["checksum/config"]
        for value in (0.1, 0.2)
    }
    assert len(checksums) == 2


def test_probes_and_monitors_ask_what_the_application_answers_there() -> None:
    # The probe of helm test is a client: its paths do not count.
    sources = [path for path in (APP / "kaito_chat").rglob("*.py") if path.name != "probe.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    found = container()
    asked = {kind: found[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert {kind: each["path"] for kind, each in asked.items()} == {
        "startup": "/livez",
        "liveness": "/livez",
        "readiness": "/readyz",
    }
    monitors = render(
        default(at("monitoring.prometheusOperator", value=True)), show_only="monitoring/podmonitor-chat.yaml"
    )
    (endpoint,) = one(monitors, "PodMonitor")["spec"]["podMetricsEndpoints"]
    assert endpoint["path"] == "/metrics"
    assert {each["port"] for each in asked.values()} | {endpoint["port"]} == {"management"}
    for path in ("/livez", "/readyz", "/metrics"):
        assert f'"{path}"' in text


def test_port_user_and_folder_are_the_images() -> None:
    dockerfile = (APP / "Dockerfile").read_text(encoding="utf-8")
    environment = {each["name"]: each["value"] for each in container()["env"]}
    for name, value in environment.items():
        assert f"{name}={value}" in dockerfile
    ports = {"http": "KAITO_CHAT_LISTEN_PORT", "management": "KAITO_CHAT_MANAGEMENT_PORT"}
    numbers = {name: int(environment[variable]) for name, variable in ports.items()}
    assert container()["ports"] == [{"name": name, "containerPort": port} for name, port in numbers.items()]
    assert f"EXPOSE {numbers['http']} {numbers['management']}" in dockerfile
    assert "KAITO_CHAT_MANAGEMENT_PORT']}/livez" in dockerfile.partition("HEALTHCHECK")[2]
    user = pod()["spec"]["securityContext"]
    assert f"USER {user['runAsUser']}:{user['runAsGroup']}" in dockerfile
    mounts = {each["mountPath"] for each in container()["volumeMounts"]}
    assert any(environment["KAITO_CHAT_DATA_DIR"].startswith(mount) for mount in mounts)


def test_the_test_pod_calls_the_probe_with_its_own_options() -> None:
    tree = ast.parse((APP / "kaito_chat" / "probe.py").read_text(encoding="utf-8"))
    options = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") == "add_argument"
        and isinstance(node.args[0], ast.Constant)
    }
    found = one(render(), "Pod")["spec"]["containers"][0]
    assert found["command"] == ["python", "-m", "kaito_chat.probe"]
    assert {each for each in found["args"] if each.startswith("--")} <= options


@pytest.mark.parametrize("name", CASES)
def test_our_pods_satisfy_pod_security_restricted(name: str) -> None:
    objects = render(case(name))
    for each in objects:
        if each["kind"] == "Deployment":
            restricted(each["spec"]["template"]["spec"])
    restricted(one(objects, "Pod")["spec"])


def test_a_rollout_cuts_no_conversation() -> None:
    spec = one(render(), "Deployment")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    found = spec["template"]["spec"]
    pause = found["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = int(data()["KAITO_CHAT_DRAIN_SECONDS"])
    assert found["terminationGracePeriodSeconds"] > pause + drain + HISTORY_SECONDS
    assert found["enableServiceLinks"] is False


def test_images_by_tag_digest_and_version() -> None:
    repository = "example.azurecr.io/kaito-chat"
    digest = "sha256:" + "0" * 64
    assert container()["image"] == f"{repository}:{__version__}"
    assert container(at("chat.image.tag", ""))["image"] == f"{repository}:{__version__}"
    assert container(at("chat.image.digest", digest))["image"] == f"{repository}@{digest}"


def test_podlabels_cannot_take_the_pods_away_from_the_service() -> None:
    labels = pod(at("chat.podLabels", {"app.kubernetes.io/instance": "other", "team": "x"}))["metadata"]["labels"]
    assert labels["app.kubernetes.io/instance"] == "demo"
    assert labels["team"] == "x"


def test_the_autoscaler_owns_the_number_of_pods() -> None:
    assert one(render(), "Deployment")["spec"]["replicas"] == 2
    objects = render(default(at("chat.autoscaling.enabled", value=True)))
    # Without a cluster nothing is live: test_upgrades.py has the rest.
    assert "replicas" not in one(objects, "Deployment")["spec"]


def test_the_pod_of_helm_test_ends_with_its_test() -> None:
    # helm uninstall deletes no hooks, so nothing may be left by then.
    found = one(render(), "Pod")
    annotations = found["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "test"
    policies = annotations["helm.sh/hook-delete-policy"].split(",")
    assert sorted(policies) == ["before-hook-creation", "hook-failed", "hook-succeeded"]
    assert sorted(annotations["helm.sh/hook-output-log-policy"].split(",")) == ["hook-failed", "hook-succeeded"]
    assert found["spec"]["activeDeadlineSeconds"] == 300
