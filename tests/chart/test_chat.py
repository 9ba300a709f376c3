"""The application's side of the chart: its settings, probes and pods are the application's own, and hardened."""

import ast
import json
import re
from typing import Any

import pytest

from chart.rendering import CASES, ROOT, Object, RenderError, at, case, default, kinds, one, render
from chart.test_ingress import PUBLISHED

SETTINGS_PAGE = ROOT / "docs" / "chat-settings.md"
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
    "KAITO_CHAT_DATA_DIR",
}
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
    assert ours == {"KAITO_CHAT_LISTEN_PORT", "KAITO_CHAT_HOST", "KAITO_CHAT_DATA_DIR"}


def test_several_models_are_the_applications_list() -> None:
    models = json.loads(one(render(case("everything")), "ConfigMap", "everything")["data"]["KAITO_CHAT_MODELS"])
    table = SETTINGS_PAGE.read_text(encoding="utf-8").split("## Several models", 1)[1].split("\n## ", 1)[0]
    known = set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE))
    assert [model["name"] for model in models] == ["Qwen 3", "gpt-4o"]
    assert all(set(model) <= known for model in models)
    assert models[1]["api_key_variable"] == "MODEL_API_KEY_0"


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
    found = data(PUBLISHED["nginx"], at("chat.settings", {"KAITO_CHAT_PUBLIC_URL": "https://other.example.com"}))
    assert found["KAITO_CHAT_PUBLIC_URL"] == "https://chat.example.com"


def test_other_settings_are_other_pods() -> None:
    checksums = {
        pod(at("chat.settings", {"KAITO_CHAT_TEMPERATURE": value}))["metadata"]["annotations"]["checksum/config"]
        for value in (0.1, 0.2)
    }
    assert len(checksums) == 2


def test_probes_ask_what_the_application_answers() -> None:
    source = (APP / "kaito_chat" / "server.py").read_text(encoding="utf-8")
    routes = set(re.findall(r'@app\.get\("(/\w+)"', source))
    found = container()
    paths = {kind: found[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
    assert set(paths.values()) <= routes
    monitors = render(
        default(at("monitoring.prometheusOperator", value=True)), show_only="monitoring/servicemonitor.yaml"
    )
    assert {one(monitors, "ServiceMonitor")["spec"]["endpoints"][0]["path"]} <= routes


def test_port_user_and_folder_are_the_images() -> None:
    dockerfile = (APP / "Dockerfile").read_text(encoding="utf-8")
    environment = {each["name"]: each["value"] for each in container()["env"]}
    for name, value in environment.items():
        assert f"{name}={value}" in dockerfile
    assert container()["ports"] == [{"name": "http", "containerPort": int(environment["KAITO_CHAT_LISTEN_PORT"])}]
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
    assert all(set(volume) - {"name"} <= {"emptyDir", "csi"} for volume in spec["volumes"])
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
    assert found["terminationGracePeriodSeconds"] > pause + drain
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


def policy(*changes: dict[str, Any]) -> dict[str, Any]:
    """The NetworkPolicy."""
    found: dict[str, Any] = one(render(default(*changes)), "NetworkPolicy")["spec"]
    return found


def ports(rules: list[Object]) -> list[list[object]]:
    """The ports of each rule."""
    return [[port["port"] for port in rule["ports"]] for rule in rules]


def test_the_network_policy_is_for_our_pods_only() -> None:
    assert policy()["podSelector"]["matchLabels"] == {
        "app.kubernetes.io/name": "kaito-chat",
        "app.kubernetes.io/instance": "demo",
        "app.kubernetes.io/component": "chat",
    }
    labels = pod()["metadata"]["labels"].items()
    assert policy()["podSelector"]["matchLabels"].items() <= labels


def test_who_may_ask_whom() -> None:
    found = policy()
    assert ports(found["ingress"]) == [["http"], ["http"]]  # Prometheus, helm test
    assert ports(found["egress"]) == [[53, 53], [5000], [443, 6443], [443]]  # DNS, model, API server, outside
    everything = one(render(case("everything")), "NetworkPolicy")["spec"]
    inside = {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "observability"}}}]}
    assert inside in everything["egress"]  # the OTLP collector, on whatever port its pods listen
    others = [rule for rule in everything["egress"] if rule != inside]
    assert ports(others) == [[53, 53], [5000], [5432], [443], [9000]]
    assert len(everything["ingress"]) == 4


@pytest.mark.parametrize(
    ("url", "who"),
    [
        ("http://workspace-other", {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "chat"}}}),
        ("http://ws.team.svc:8080", {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "team"}}}),
        (
            "http://ws.team.svc.cluster.local/v1",
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "team"}}},
        ),
        ("http://models.example.com:8000", 8000),
        ("http://models.example.com", 80),
        ("https://models.example.com", None),
    ],
)
def test_further_models_are_within_reach(url: str, who: object) -> None:
    before = policy()["egress"]
    added = [
        rule
        for rule in policy(at("chat.models", [{"name": "other", "endpointUrl": url}]))["egress"]
        if rule not in before
    ]
    if who is None:  # the opening for HTTPS is there anyway
        assert added == []
    elif isinstance(who, int):
        assert ports(added) == [[who]]
        assert "ipBlock" in added[0]["to"][0]
    else:
        assert added == [{"to": [who]}]


def test_https_leaves_pods_and_services_out() -> None:
    outside = policy()["egress"][-1]["to"][0]["ipBlock"]
    assert outside == {"cidr": "0.0.0.0/0", "except": ["192.168.0.0/16", "172.16.0.0/16"]}


@pytest.mark.parametrize(
    ("mode", "namespace"), [("nginx", None), ("webapprouting", "app-routing-system"), ("gateway", "chat")]
)
def test_the_ingress_controller_may_come(mode: str, namespace: str | None) -> None:
    (who,) = policy(PUBLISHED[mode])["ingress"][0]["from"]
    expected = {"matchLabels": {"kubernetes.io/metadata.name": namespace}} if namespace else {}
    assert who == {"namespaceSelector": expected}


def test_every_opening_says_who_asks_whom() -> None:
    text = (ROOT / "charts" / "kaito-chat" / "templates" / "chat" / "networkpolicy.yaml").read_text(encoding="utf-8")
    rules = re.findall(r"^ +- (?:from|to):$", text, re.MULTILINE)
    assert len(re.findall(r"^ +# .+ → .+$", text, re.MULTILINE)) == len(rules)
