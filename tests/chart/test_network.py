"""Connections to the chat, evaluated against the release's NetworkPolicy, and published ports."""

import re

import pytest

from support.network import AGENT, MANAGEMENT, NEIGHBOUR, PORTS, PUBLIC, STRANGER, Peer, admits, outside, policy
from support.project import ROOT
from support.rendering import CASES, PUBLISHED, Object, RenderError, at, case, default, one, render

NODE_AGENT = Peer("kube-system", {"dsName": "ama-metrics-node"})
OPERATOR_PROMETHEUS = {"app.kubernetes.io/name": "prometheus", "operator.prometheus.io/name": "kube-prometheus-stack"}
HELM_TEST = Peer(
    "chat",
    {
        "app.kubernetes.io/name": "kaito-chat",
        "app.kubernetes.io/instance": "demo",
        "app.kubernetes.io/component": "test",
    },
)
CONTROLLERS = {
    "nginx": Peer("nginx-ingress", {"app.kubernetes.io/name": "nginx-ingress"}),
    "webapprouting": Peer("app-routing-system", {"app": "nginx"}),
    "gateway": Peer("chat", {"gateway.networking.k8s.io/gateway-name": "public"}),
}


def test_the_policy_is_for_our_pods_only() -> None:
    selected = policy(render())["spec"]["podSelector"]["matchLabels"]
    assert selected == {
        "app.kubernetes.io/name": "kaito-chat",
        "app.kubernetes.io/instance": "demo",
        "app.kubernetes.io/component": "chat",
    }
    assert selected.items() <= one(render(), "Deployment")["spec"]["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize("mode", PUBLISHED)
def test_an_ingress_controller_reaches_the_page_and_no_more(mode: str) -> None:
    objects = render(default(PUBLISHED[mode]))
    assert admits(objects, CONTROLLERS[mode], PUBLIC)
    assert [port for port in PORTS if port != PUBLIC and admits(objects, CONTROLLERS[mode], port)] == []


@pytest.mark.parametrize("mode", ["webapprouting", "gateway"])
def test_pods_of_other_namespaces_do_not_go_round_the_controller(mode: str) -> None:
    assert not admits(render(default(PUBLISHED[mode])), STRANGER, PUBLIC)
    named = at("networkPolicy.ingressControllerNamespace", "nginx-ingress")
    assert not admits(render(default(PUBLISHED["nginx"], named)), STRANGER, PUBLIC)


@pytest.mark.parametrize("peer", [AGENT, NODE_AGENT])
@pytest.mark.parametrize("name", ["default", "gateway", "external"])
def test_azure_monitors_agents_reach_the_metrics_and_not_the_page(name: str, peer: Peer) -> None:
    objects = render(case(name))
    assert admits(objects, peer, MANAGEMENT)
    assert not admits(objects, peer, PUBLIC)


def test_prometheus_operators_prometheus_reaches_the_metrics_from_a_namespace_that_is_named() -> None:
    prometheus = Peer("monitoring", OPERATOR_PROMETHEUS)
    assert not admits(render(), prometheus, MANAGEMENT)
    named = render(default(at("networkPolicy.monitoringNamespaces", ["kube-system", "monitoring"])))
    assert admits(named, prometheus, MANAGEMENT)
    assert admits(named, AGENT, MANAGEMENT)


@pytest.mark.parametrize("mode", ["none", *PUBLISHED])
def test_nobody_but_prometheus_reaches_the_metrics(mode: str) -> None:
    objects = render(
        default(PUBLISHED.get(mode, {}), at("networkPolicy.monitoringNamespaces", ["kube-system", "team"]))
    )
    others = [
        STRANGER,
        NEIGHBOUR,
        HELM_TEST,
        *CONTROLLERS.values(),
        Peer("kube-system", {"k8s-app": "kube-dns"}),
        Peer("team", {"app.kubernetes.io/name": "grafana"}),
        Peer("other", {"rsName": "ama-metrics"}),
        outside("203.0.113.7"),
        outside("10.240.0.4"),
    ]
    assert [peer for peer in others if admits(objects, peer, MANAGEMENT)] == []


def test_a_prometheus_with_labels_of_its_own_is_named() -> None:
    agent = Peer("monitoring", {"app.kubernetes.io/name": "alloy"})
    where = at("networkPolicy.monitoringNamespaces", ["monitoring"])
    assert not admits(render(default(where)), agent, MANAGEMENT)
    labels = at("networkPolicy.monitoringPodLabels", [{"app.kubernetes.io/name": "alloy"}])
    objects = render(default(where, labels))
    assert admits(objects, agent, MANAGEMENT)
    assert not admits(objects, Peer("monitoring", OPERATOR_PROMETHEUS), MANAGEMENT)


@pytest.mark.parametrize("labels", [[], [{}]])
def test_labels_that_would_open_the_metrics_to_everybody_are_refused(labels: list[dict[str, str]]) -> None:
    with pytest.raises(RenderError, match=r"monitoringPodLabels"):
        render(default(at("networkPolicy.monitoringPodLabels", labels)))


def test_without_a_namespace_for_prometheus_nobody_reads_metrics() -> None:
    objects = render(default(at("networkPolicy.monitoringNamespaces", [])))
    assert not admits(objects, AGENT, MANAGEMENT)
    assert not admits(objects, STRANGER, MANAGEMENT)


def test_helm_test_reaches_the_page() -> None:
    assert admits(render(), HELM_TEST, PUBLIC)
    assert not admits(render(default(at("test.enabled", value=False))), HELM_TEST, PUBLIC)
    assert HELM_TEST.labels.items() <= one(render(), "Pod")["metadata"]["labels"].items()


@pytest.mark.parametrize("name", CASES)
def test_the_management_port_is_published_by_no_object(name: str) -> None:
    unpublished(render(case(name)))


@pytest.mark.parametrize("mode", ["none", *PUBLISHED])
def test_the_management_port_is_published_in_no_mode(mode: str) -> None:
    model = at("model.ingress", {"enabled": True, "host": "model.example.com", "basicAuthSecret": "users"})
    extra = [model] if mode in ("nginx", "webapprouting") else []
    unpublished(render(default(PUBLISHED.get(mode, {}), at("monitoring.azureMonitor", value=True), *extra)))


def unpublished(objects: list[Object]) -> None:
    """Assert that no object exposes the pod's management port."""
    (chat,) = [
        each
        for each in objects
        if each["kind"] == "Service" and each["spec"]["selector"].get("app.kubernetes.io/component") == "chat"
        # Addresses of all pods, without a port.
        if each["spec"].get("clusterIP") != "None"
    ]
    (port,) = chat["spec"]["ports"]
    assert port["targetPort"] == "http"
    for each in objects:
        if each["kind"] in {"Service", "Ingress", "HTTPRoute"}:
            assert not re.search(rf"\b(management|{MANAGEMENT})\b", str(each["spec"])), each["kind"]
    for ingress in [each for each in objects if each["kind"] == "Ingress"]:
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                assert path["backend"]["service"]["port"] in ({"name": "http"}, {"number": 80})


@pytest.mark.parametrize("folder", ["chat", "model"])
def test_every_opening_says_who_asks_whom(folder: str) -> None:
    text = (ROOT / "charts" / "kaito-chat" / "templates" / folder / "networkpolicy.yaml").read_text(encoding="utf-8")
    rules = re.findall(r'^ +- (?:from|to):$|include "kaito-chat\.\w+Rule"', text, re.MULTILINE)
    assert len(re.findall(r"^ +# .+ → .+$", text, re.MULTILINE)) == len(rules)


def test_the_standby_has_a_policy_of_its_own() -> None:
    objects = render(default(at("model.standby", {"preset": "phi-3.5-mini-instruct"})))
    models = {each["metadata"]["name"] for each in objects if each["kind"] == "Workspace"}
    policies = {
        each["metadata"]["name"]: each["spec"]["podSelector"]["matchLabels"]
        for each in objects
        if each["kind"] == "NetworkPolicy" and each["metadata"]["name"] in models
    }
    assert policies == {name: {"kaito.sh/workspace": name} for name in models}
    assert len(models) == 2
