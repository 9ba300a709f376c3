"""The application's side of the chart: its settings, probes and pods are the application's own, and hardened."""

import ast
import json
import re
from typing import Any

import pytest

from chart.test_ingress import PUBLISHED
from support.rendering import CASES, ROOT, RenderError, at, case, default, kinds, one, render

SETTINGS_PAGE = ROOT / "docs" / "reference" / "chat-settings.md"
APP = ROOT / "app"
SECRET = {
    "KAITO_CHAT_API_KEY",
    "KAITO_CHAT_PASSWORD_USERS",
    "KAITO_CHAT_AUTH_SECRET",
    "KAITO_CHAT_ENTRA_CLIENT_SECRET",
}
# What the chart sets by itself, or what in a pod is always the same.
SET_BY_THE_CHART = {
    "KAITO_CHAT_MODELS",
    "KAITO_CHAT_ENDPOINT_URL",
    "KAITO_CHAT_API_VERSION",
    "KAITO_CHAT_WORKSPACE_NAME",
    "KAITO_CHAT_WORKSPACE_NAMESPACE",
    "KAITO_CHAT_WORKSPACE_API_VERSION",
    "KAITO_CHAT_KUBERNETES_API_URL",
    "KAITO_CHAT_SERVICE_ACCOUNT_DIR",
    "KAITO_CHAT_DRAIN_SECONDS",
    "KAITO_CHAT_HOST",
    "KAITO_CHAT_LISTEN_PORT",
    "KAITO_CHAT_MANAGEMENT_PORT",
    "KAITO_CHAT_CA_FILE",
    "KAITO_CHAT_DATA_DIR",
}
# How long the application writes history that is not stored yet, once running answers have ended.
HISTORY_SECONDS = 20
SIGN_IN = at("chat.settings", {"KAITO_CHAT_SIGN_IN": "password"})
IDENTITY = at("chat.workloadIdentity", {"enabled": True, "clientId": "00000000-0000-0000-0000-000000000001"})


def app_settings() -> set[str]:
    """Every variable that the application reads, by its own page, which is made of its code."""
    table = SETTINGS_PAGE.read_text(encoding="utf-8").split("\n## ", 1)[0]
    return set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE))


def pod(*changes: dict[str, Any]) -> dict[str, Any]:
    """The application's pod."""
    found: dict[str, Any] = one(render(default(*changes)), "Deployment")["spec"]["template"]
    return found


def container(*changes: dict[str, Any]) -> dict[str, Any]:
    """Its container."""
    found: dict[str, Any] = pod(*changes)["spec"]["containers"][0]
    return found


def data(*changes: dict[str, Any]) -> dict[str, str]:
    """The settings that a release gives the application."""
    found: dict[str, str] = one(render(default(*changes)), "ConfigMap", "demo")["data"]
    return found


def schema_settings() -> dict[str, Any]:
    """What chat.settings allows."""
    schema = json.loads((ROOT / "charts" / "kaito-chat" / "values.schema.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = schema["properties"]["chat"]["properties"]["settings"]["properties"]
    return found


def test_settings_are_exactly_the_applications() -> None:
    assert app_settings() - SECRET - SET_BY_THE_CHART == set(schema_settings())
    assert app_settings() >= SECRET | SET_BY_THE_CHART


@pytest.mark.parametrize("name", CASES)
def test_the_configmap_has_settings_of_the_application_only(name: str) -> None:
    objects = render(case(name))
    config = next(
        each
        for each in objects
        if each["kind"] == "ConfigMap" and "data" in each and "KAITO_CHAT_DRAIN_SECONDS" in each["data"]
    )
    assert set(config["data"]) <= app_settings() - SECRET
    environment = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    ours = {each["name"] for each in environment if not each["name"].startswith("MODEL_API_KEY_")}
    always = {"KAITO_CHAT_LISTEN_PORT", "KAITO_CHAT_MANAGEMENT_PORT", "KAITO_CHAT_HOST", "KAITO_CHAT_DATA_DIR"}
    assert ours == (always | {"KAITO_CHAT_CA_FILE"} if name == "everything" else always)


def test_several_models_are_the_applications_list() -> None:
    models = json.loads(one(render(case("everything")), "ConfigMap", "everything")["data"]["KAITO_CHAT_MODELS"])
    table = SETTINGS_PAGE.read_text(encoding="utf-8").split("## Several models", 1)[1].split("\n## ", 1)[0]
    known = set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE))
    assert [model["name"] for model in models] == ["Qwen 3", "gpt-4o", "Another team's", "Documents"]
    assert all(set(model) <= known for model in models)
    assert models[1]["api_key_variable"] == "MODEL_API_KEY_0"
    assert (models[3]["backend"], models[3]["index_name"]) == ("rag", "handbook")


def test_values_arrive_as_text() -> None:
    settings = {
        "KAITO_CHAT_TEMPERATURE": 0.25,
        "KAITO_CHAT_MAX_ANSWER_CHARACTERS": 2_000_000,
        "KAITO_CHAT_SHOW_USAGE": False,
        "KAITO_CHAT_SYSTEM_PROMPT": 'Say "yes": no\nmore # than: {that}',
        "KAITO_CHAT_STARTERS": [{"label": "Ä", "message": "<b>&\n"}],
    }
    found = data(at("chat.settings", settings))
    assert found["KAITO_CHAT_TEMPERATURE"] == "0.25"
    assert found["KAITO_CHAT_MAX_ANSWER_CHARACTERS"] == "2000000"
    assert found["KAITO_CHAT_SHOW_USAGE"] == "false"
    assert found["KAITO_CHAT_SYSTEM_PROMPT"] == settings["KAITO_CHAT_SYSTEM_PROMPT"]
    assert json.loads(found["KAITO_CHAT_STARTERS"]) == settings["KAITO_CHAT_STARTERS"]


def test_a_release_cannot_contradict_its_own_objects() -> None:
    with pytest.raises(
        RenderError, match=r"KAITO_CHAT_PUBLIC_URL is https://other\.example\.com.*https://chat\.example\.com"
    ):
        data(PUBLISHED["nginx"], at("chat.settings", {"KAITO_CHAT_PUBLIC_URL": "https://other.example.com"}))
    same = at("chat.settings", {"KAITO_CHAT_PUBLIC_URL": "https://chat.example.com/"})
    assert data(PUBLISHED["nginx"], same)["KAITO_CHAT_PUBLIC_URL"] == "https://chat.example.com"


def test_other_settings_are_other_pods() -> None:
    checksums = {
        pod(at("chat.settings", {"KAITO_CHAT_TEMPERATURE": value}))["metadata"]["annotations"]["checksum/config"]
        for value in (0.1, 0.2)
    }
    assert len(checksums) == 2


def test_probes_and_monitors_ask_what_the_application_answers_there() -> None:
    # The probe of helm test asks other processes; it serves nothing.
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


def restricted(spec: dict[str, Any]) -> None:
    """Assert what Pod Security's level `restricted` asks of a pod."""
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    allowed = {"emptyDir", "csi", "configMap", "secret"}
    assert all(set(volume) - {"name"} <= allowed for volume in spec["volumes"])
    for each in spec["containers"]:
        context = each["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["readOnlyRootFilesystem"] is True
        assert not {"privileged", "procMount"} & set(context)
        assert not any("hostPort" in port for port in each.get("ports", []))


@pytest.mark.parametrize("name", CASES)
def test_our_pods_satisfy_pod_security_restricted(name: str) -> None:
    objects = render(case(name))
    restricted(one(objects, "Deployment")["spec"]["template"]["spec"])
    restricted(one(objects, "Pod")["spec"])


def test_a_token_is_mounted_only_to_read_the_workspace() -> None:
    assert pod()["spec"]["automountServiceAccountToken"] is True
    for objects in (render(case("external")), render(default(at("model.replicas", 2)))):
        assert one(objects, "Deployment")["spec"]["template"]["spec"]["automountServiceAccountToken"] is False
        assert not kinds(objects) & {"Role", "RoleBinding"}
    assert one(render(), "ServiceAccount")["automountServiceAccountToken"] is False
    assert one(render(), "Pod")["spec"]["automountServiceAccountToken"] is False


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
    assert container()["image"] == f"{repository}:0.1.0"
    assert container(at("chat.image.tag", ""))["image"] == f"{repository}:0.1.0"
    assert container(at("chat.image.digest", digest))["image"] == f"{repository}@{digest}"


@pytest.mark.parametrize("path", ["chat.existingSecret", "chat.keyVault"])
def test_sign_in_needs_a_secret_to_sign_with(path: str) -> None:
    with pytest.raises(RenderError, match="KAITO_CHAT_AUTH_SECRET"):
        render(default(SIGN_IN))
    vault = {
        "enabled": True,
        "name": "vault",
        "tenantId": "00000000-0000-0000-0000-000000000002",
        "secrets": {"KAITO_CHAT_AUTH_SECRET": "auth"},
    }
    value: object = "mine" if path == "chat.existingSecret" else vault
    sources = container(SIGN_IN, IDENTITY, at(path, value))["envFrom"]
    assert sources[0] == {"configMapRef": {"name": "demo"}}
    assert sources[1] == {"secretRef": {"name": "mine" if value == "mine" else "demo-key-vault"}}


def test_key_vault_is_read_with_the_pods_identity() -> None:
    objects = render(case("everything"))
    provider = one(objects, "SecretProviderClass")["spec"]
    assert provider["parameters"]["clientID"] == "00000000-0000-0000-0000-000000000001"
    assert [each["key"] for each in provider["secretObjects"][0]["data"]] == [
        "KAITO_CHAT_AUTH_SECRET",
        "KAITO_CHAT_ENTRA_CLIENT_SECRET",
    ]
    with pytest.raises(RenderError, match=r"chat\.workloadIdentity\.enabled"):
        render(case("everything") | {"chat": case("everything")["chat"] | {"workloadIdentity": {"enabled": False}}})


def test_workload_identity_is_a_label_and_an_annotation() -> None:
    objects = render(default(IDENTITY))
    account = one(objects, "ServiceAccount")["metadata"]["annotations"]
    assert account == {"azure.workload.identity/client-id": "00000000-0000-0000-0000-000000000001"}
    assert pod(IDENTITY)["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    assert "azure.workload.identity/use" not in pod()["metadata"]["labels"]


def test_podlabels_cannot_take_the_pods_away_from_the_service() -> None:
    labels = pod(at("chat.podLabels", {"app.kubernetes.io/instance": "other", "team": "x"}))["metadata"]["labels"]
    assert labels["app.kubernetes.io/instance"] == "demo"
    assert labels["team"] == "x"


def test_the_autoscaler_owns_the_number_of_pods() -> None:
    assert one(render(), "Deployment")["spec"]["replicas"] == 2
    objects = render(default(at("chat.autoscaling.enabled", value=True)))
    assert "replicas" not in one(objects, "Deployment")["spec"]
