"""Routing by load: an InferencePool and an endpoint picker for each InferenceSet, behind a Gateway in the cluster."""

from typing import Any

import jsonschema
import pytest
import yaml

from support.rendering import (
    CHART,
    GATEWAY,
    HELMS,
    INFERENCE_POOL,
    INFERENCE_SET,
    Object,
    RenderError,
    at,
    case,
    default,
    merged,
    names,
    one,
    render,
)
from support.upgrades import upgrade
from support.validation import check_core, check_custom, definitions, restricted

ALWAYS = at("kaito.inferenceSets", "always")
ROUTED = merged(ALWAYS, at("routing.mode", "gateway"))
FIRST = "demo-phi-4-mini-instruct-6fe404"
PICKER = f"{FIRST}-picker"
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))


def picker(*changes: dict[str, Any]) -> Object:
    """Return the Deployment of the only picker."""
    return one(render(default(ROUTED, *changes)), "Deployment", PICKER)


def options(deployment: Object) -> dict[str, str]:
    """Return the options of the picker by their names; an option without a value has an empty text."""
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {name: value for name, _, value in (each.partition("=") for each in container["args"])}


def test_a_service_distributes_by_default() -> None:
    before = default(ALWAYS, at("model.replicas", 3))
    for given in ({}, at("routing.mode", "service")):
        assert not {kind for kind, _ in names(render(merged(before, given)))} & {
            "Gateway",
            "InferencePool",
            "HTTPRoute",
        }
    assert one(render(before), "Service", FIRST)["spec"] == {
        "selector": {"inferenceset.kaito.sh/created-by": FIRST, "apps.kubernetes.io/pod-index": "0"},
        "ports": [{"name": "http", "port": 80, "targetPort": 5000}],
    }


def test_the_gateway_adds_its_objects_and_changes_three() -> None:
    found = upgrade(default(ALWAYS), default(ROUTED))
    pickers = ("ConfigMap", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "Role", "RoleBinding", "Service")
    assert found.created == {
        *(f"{kind}/{PICKER}" for kind in (*pickers, "ServiceAccount")),
        *(f"{kind}/demo-models" for kind in ("ConfigMap", "Gateway", "NetworkPolicy")),
        f"InferencePool/{FIRST}",
        f"HTTPRoute/{FIRST}",
    }
    assert found.deleted == found.left == frozenset()
    # Neither the model nor the chat restarts: the chat asks the same address.
    assert set(found.changed) == {"NetworkPolicy/demo", f"NetworkPolicy/{FIRST}", f"Service/{FIRST}"}
    back = upgrade(default(ROUTED), default(ALWAYS))
    assert (back.deleted, set(back.changed)) == (found.created, set(found.changed))


def test_the_service_leads_to_the_gateways_proxies() -> None:
    objects = render(default(ROUTED))
    assert one(objects, "Service", FIRST)["spec"] == {
        "selector": {"gateway.networking.k8s.io/gateway-name": "demo-models"},
        "ports": [{"name": "http", "port": 80, "targetPort": 80}],
    }
    assert one(objects, "ConfigMap", "demo")["data"]["KAITO_CHAT_ENDPOINT_URL"] == f"http://{FIRST}"


@pytest.mark.parametrize("name", ["approuting-istio", "istio"])
def test_the_gateway_has_an_address_in_the_cluster_only(name: str) -> None:
    objects = render(default(ROUTED, at("routing.gatewayClassName", name)))
    gateway = one(objects, "Gateway")
    assert gateway["metadata"]["annotations"] == {"networking.istio.io/service-type": "ClusterIP"}
    spec = gateway["spec"]
    assert spec["gatewayClassName"] == name
    assert spec["infrastructure"]["parametersRef"] == {"group": "", "kind": "ConfigMap", "name": "demo-models"}
    assert spec["listeners"] == [
        {"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "Same"}}}
    ]
    data = one(objects, "ConfigMap", "demo-models")["data"]
    assert {key: yaml.safe_load(value) for key, value in data.items()} == {"service": {"spec": {"type": "ClusterIP"}}}
    with pytest.raises(RenderError, match="gatewayClassName"):
        render(default(ROUTED, at("routing.gatewayClassName", "azure-alb-external")))


def test_the_pool_has_the_first_pods_of_the_models_replicas() -> None:
    pool = one(render(default(ROUTED)), "InferencePool", FIRST)
    assert pool["spec"] == {
        "selector": {"matchLabels": {"inferenceset.kaito.sh/created-by": FIRST, "apps.kubernetes.io/pod-index": "0"}},
        "targetPorts": [{"number": 5000}],
        # The definition in KAITO's chart is of version 1.0.1 and knows these fields only.
        "endpointPickerRef": {"name": PICKER, "port": {"number": 9002}, "failureMode": "FailOpen"},
    }


def test_each_model_has_a_pool_a_picker_and_its_hosts() -> None:
    objects = render(case("routing"))
    sets = {name for kind, name in names(objects) if kind == "InferenceSet"}
    (custom,) = [name for name in sets if name.startswith("demo-model-")]
    pools = {name for kind, name in names(objects) if kind == "InferencePool"}
    assert pools == sets - {custom}
    assert {name for kind, name in names(objects) if kind == "Deployment"} == {
        "demo",
        *(f"{each}-picker" for each in pools),
    }
    assert one(objects, "Service", custom)["spec"]["ports"][0]["targetPort"] == 5000
    hosts: list[str] = []
    for name in pools:
        route = one(objects, "HTTPRoute", name)["spec"]
        hosts += route["hostnames"]
        assert route["parentRefs"] == [{"name": "demo-models"}]
        assert route["rules"] == [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "timeouts": {"request": "0s"},
                "backendRefs": [{"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": name}],
            }
        ]
    inside = [f"{name}{end}" for name in pools for end in ("", ".chat", ".chat.svc", ".chat.svc.cluster.local")]
    assert sorted(hosts) == sorted([*inside, "phi.example.com"])


def test_a_standby_is_routed_too() -> None:
    objects = render(default(ROUTED, at("model.standby.preset", "phi-4")))
    assert len({name for kind, name in names(objects) if kind == "InferencePool"}) == 2


def test_the_picker_reads_the_configuration_of_the_weights() -> None:
    objects = render(default(ROUTED, at("routing.picker.weights", {"queue": 0, "prefixCache": 5})))
    config = yaml.safe_load(one(objects, "ConfigMap", PICKER)["data"]["plugins.yaml"])
    assert (config["apiVersion"], config["kind"]) == ("llm-d.ai/v1alpha1", "EndpointPickerConfig")
    (profile,) = config["schedulingProfiles"]
    weights = {each["pluginRef"]: each["weight"] for each in profile["plugins"]}
    assert weights == {"queue-scorer": 0, "kv-cache-utilization-scorer": 2, "prefix-cache-scorer": 5}
    assert set(weights) <= {each["type"] for each in config["plugins"]}
    checksums = {
        picker(*changes)["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        for changes in ([], [at("routing.picker.weights.prefixCache", 5)])
    }
    assert len(checksums) == 2


def test_the_picker_serves_its_pool_without_tls() -> None:
    found = options(picker())
    assert found == {
        "--pool-group": "inference.networking.k8s.io",
        "--pool-name": FIRST,
        "--pool-namespace": "chat",
        "--config-file": "/config/plugins.yaml",
        "--secure-serving": "false",
        "--metrics-endpoint-auth": "false",
        "--enable-pprof": "false",
        "--tracing": "false",
        "--zap-encoder": "json",
        "--v": "1",
    }
    service = one(render(default(ROUTED)), "Service", PICKER)["spec"]
    assert service["ports"] == [
        {"name": "grpc-ext-proc", "port": 9002, "targetPort": "ext-proc", "appProtocol": "grpc"}
    ]


def test_several_pickers_elect_the_active_one() -> None:
    values = default(ROUTED, at("routing.picker.replicas", 2))
    objects = render(values)
    assert "--ha-enable-leader-election" in options(one(objects, "Deployment", PICKER))
    assert one(objects, "Deployment", PICKER)["spec"]["replicas"] == 2
    groups = {group for rule in one(objects, "Role", PICKER)["rules"] for group in rule["apiGroups"]}
    alone = {group for rule in one(render(default(ROUTED)), "Role", PICKER)["rules"] for group in rule["apiGroups"]}
    assert groups - alone == {"coordination.k8s.io"}


def test_the_picker_is_hardened_and_may_only_read_its_kinds() -> None:
    objects = render(default(ROUTED))
    spec = one(objects, "Deployment", PICKER)["spec"]
    restricted(spec["template"]["spec"])
    assert spec["strategy"] == {"type": "Recreate"}
    (container,) = spec["template"]["spec"]["containers"]
    assert container["image"] == "mcr.microsoft.com/oss/v2/llm-d/llm-d-router-endpoint-picker:v0.9.0"
    assert container["resources"] == {"requests": {"cpu": "200m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}}
    assert container["livenessProbe"]["grpc"] == {"port": 9003, "service": "liveness"}
    assert container["readinessProbe"]["grpc"] == {"port": 9003, "service": "readiness"}
    assert one(objects, "PodDisruptionBudget", PICKER)["spec"]["maxUnavailable"] == 1
    rules = one(objects, "Role", PICKER)["rules"]
    assert {tuple(rule["verbs"]) for rule in rules} == {("get", "list", "watch")}
    (subject,) = one(objects, "RoleBinding", PICKER)["subjects"]
    assert subject == {"kind": "ServiceAccount", "name": PICKER, "namespace": "chat"}
    assert spec["template"]["spec"]["serviceAccountName"] == PICKER


def test_values_of_the_pods_reach_picker_and_proxies() -> None:
    objects = render(case("routing"))
    tolerations = [{"key": "example.com/chat", "operator": "Exists", "effect": "NoSchedule"}]
    pools = {"kubernetes.azure.com/mode": "user"}
    deployment = yaml.safe_load(one(objects, "ConfigMap", "demo-models")["data"]["deployment"])
    proxies = deployment["spec"]["template"]["spec"]
    assert (proxies["nodeSelector"], proxies["tolerations"]) == (pools, tolerations)
    for each in objects:
        if each["kind"] == "Deployment" and each["metadata"]["name"].endswith("-picker"):
            pod = each["spec"]["template"]["spec"]
            assert (pod["nodeSelector"], pod["tolerations"]) == (pools, tolerations)
            assert pod["imagePullSecrets"] == [{"name": "registry"}]
            (container,) = pod["containers"]
            assert "llm-d-router-endpoint-picker@sha256:0123" in container["image"]
            assert container["imagePullPolicy"] == "Always"


def test_pickers_have_monitors() -> None:
    monitors = [each for each in render(case("routing")) if each["kind"] == "PodMonitor"]
    found = [each for each in monitors if each["metadata"]["name"].endswith("-picker")]
    assert {each["apiVersion"] for each in found} == {"monitoring.coreos.com/v1", "azmonitoring.coreos.com/v1"}
    for each in found:
        (endpoint,) = each["spec"]["podMetricsEndpoints"]
        assert (endpoint["port"], endpoint["path"]) == ("metrics", "/metrics")


def test_objects_are_valid_for_kaito_and_the_gateway_api() -> None:
    objects = render(case("routing"))
    check_core(objects, "1.35")
    checked = check_custom(objects)
    assert ("kaito-0.12.0", "InferenceSet") in checked
    assert {("crds", kind) for kind in ("Gateway", "HTTPRoute", "InferencePool")} <= checked
    pool = one(objects, "InferencePool", FIRST)
    ((_, schema),) = definitions()[pool["apiVersion"], "InferencePool"]
    for wrong in (at("spec.targetPorts", []), at("spec.endpointPickerRef.failureMode", "Fail"), at("spec.other", 1)):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(merged(pool, wrong), schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (at("kaito.inferenceSets", "auto"), "needs a model that is an InferenceSet"),
        (at("model.kind", "Workspace"), "needs a model that is an InferenceSet"),
        (at("model.runtime", "transformers"), "with a preset and the runtime vllm"),
        ({"model": {"annotations": {"kaito.sh/runtime": "transformers"}}}, "with a preset and the runtime vllm"),
        (at("model.template", {"spec": {"containers": []}}), "with a preset and the runtime vllm"),
        (at("model.enabled", value=False), "needs a model that is an InferenceSet"),
        (at("routing.mode", "mesh"), "routing"),
        (at("routing.picker.replicas", 0), "replicas"),
        (at("routing.picker.weights.queue", -1), "queue"),
        (at("kaito.inferenceSets", "never"), "inferenceSets"),
    ],
)
def test_a_gateway_that_cannot_route_is_refused(changes: dict[str, Any], words: str) -> None:
    others = at("chat.models", [{"name": "other", "endpointUrl": "https://models.example.com"}])
    with pytest.raises(RenderError, match=words):
        render(default(ROUTED, others, changes))


@pytest.mark.parametrize("missing", [INFERENCE_POOL, GATEWAY])
def test_a_cluster_that_lacks_a_kind_keeps_the_service(missing: str) -> None:
    served = tuple(each for each in (INFERENCE_SET, INFERENCE_POOL, GATEWAY) if each != missing)
    with pytest.raises(RenderError, match=f"needs {missing}.*Set routing.mode: service"):
        render(default(ROUTED), api_versions=served)
    render(default(ALWAYS), api_versions=(INFERENCE_SET,))


@pytest.mark.parametrize("helm", HELMS)
def test_the_templates_know_the_default_values(helm: str) -> None:
    text = (CHART / "templates" / "_routing.tpl").read_text(encoding="utf-8")
    defaults = yaml.safe_load(text.split('define "kaito-chat.routingDefaults" -}}')[1].split("{{- end")[0])
    assert defaults == VALUES["routing"]
    assert render(default(ROUTED, {"routing": {"picker": None}}), helm=helm) == render(default(ROUTED), helm=helm)
