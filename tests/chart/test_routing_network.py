"""Connections on the way from the chat through the Gateway to a model, evaluated against the NetworkPolicies."""

from typing import Any

import pytest

from support.network import AGENT, NEIGHBOUR, STRANGER, Peer, admits, outside, reaches
from support.rendering import PUBLISHED, Object, at, case, default, merged, one, render

ROUTED = merged(at("kaito.inferenceSets", "always"), at("routing.mode", "gateway"))
FIRST = "demo-phi-4-mini-instruct-6fe404"
OWN = {"app.kubernetes.io/name": "kaito-chat", "app.kubernetes.io/instance": "demo"}
CHAT = Peer("chat", {**OWN, "app.kubernetes.io/component": "chat"})
TEST = Peer("chat", {**OWN, "app.kubernetes.io/component": "test"})
PICKER = Peer("chat", {**OWN, "app.kubernetes.io/component": "picker", "kaito-chat/picker": FIRST})
PROXY = Peer("chat", {"gateway.networking.k8s.io/gateway-name": "demo-models"})
OTHER_PROXY = Peer("chat", {"gateway.networking.k8s.io/gateway-name": "kaito-chat"})
MODEL = Peer("chat", {"inferenceset.kaito.sh/created-by": FIRST})
CONTROLLER = Peer("nginx-ingress", {"app.kubernetes.io/name": "nginx-ingress"})
API_SERVER = outside("20.1.2.3")
PORTS = (53, 80, 443, 5000, 6443, 8000, 8081, 9002, 9003, 9090, 15021)
EVERYBODY = (CHAT, TEST, PICKER, PROXY, OTHER_PROXY, MODEL, CONTROLLER, AGENT, STRANGER, NEIGHBOUR, API_SERVER)


@pytest.fixture(scope="module")
def objects() -> list[Object]:
    return render(default(ROUTED))


def admitted(objects: list[Object], of: str) -> dict[str, list[int]]:
    """Return the ports of a component at which any peer is admitted, by the peer."""
    found = {str(peer): [port for port in PORTS if admits(objects, peer, port, of)] for peer in EVERYBODY}
    return {peer: ports for peer, ports in found.items() if ports}


def test_the_chat_and_the_test_ask_the_gateway_and_nobody_else(objects: list[Object]) -> None:
    assert admitted(objects, "gateway") == {str(CHAT): [80], str(TEST): [80]}
    assert reaches(objects, PROXY, 80)
    assert not reaches(objects, OTHER_PROXY, 80)
    without = render(default(ROUTED, at("test.enabled", value=False)))
    assert admitted(without, "gateway") == {str(CHAT): [80]}


def test_the_gateway_asks_the_picker_and_prometheus_reads_its_metrics(objects: list[Object]) -> None:
    assert admitted(objects, "picker") == {str(PROXY): [9002], str(AGENT): [9090]}
    private = render(default(ROUTED, at("networkPolicy.monitoringNamespaces", [])))
    assert admitted(private, "picker") == {str(PROXY): [9002]}


def test_gateway_and_picker_reach_the_model(objects: list[Object]) -> None:
    for peer in (PROXY, PICKER, CHAT):
        assert [port for port in PORTS if admits(objects, peer, port, "model")] == [5000], peer
    for peer in (OTHER_PROXY, STRANGER, NEIGHBOUR, CONTROLLER):
        assert not any(admits(objects, peer, port, "model") for port in PORTS), peer
    direct = render(default(at("kaito.inferenceSets", "always")))
    assert not admits(direct, PROXY, 5000, "model")


def test_the_picker_reaches_its_model_and_the_api_server_only(objects: list[Object]) -> None:
    assert [port for port in PORTS if reaches(objects, MODEL, port, "picker")] == [5000]
    assert [port for port in PORTS if reaches(objects, API_SERVER, port, "picker")] == [443, 6443]
    others = (CHAT, PROXY, STRANGER, outside("169.254.169.254"), outside("168.63.129.16"), outside("192.168.0.9"))
    assert not any(reaches(objects, peer, port, "picker") for peer in others for port in PORTS)
    private = render(default(ROUTED, at("networkPolicy.apiServerCidr", "10.243.0.0/27")))
    assert reaches(private, outside("10.243.0.4"), 443, "picker")
    assert not reaches(private, API_SERVER, 443, "picker")


def test_a_published_model_is_asked_by_the_controller_through_the_gateway() -> None:
    endpoint = at("model.ingress", {"enabled": True, "host": "model.example.com", "basicAuthSecret": "users"})
    namespace = at("networkPolicy.ingressControllerNamespace", "nginx-ingress")
    published = render(default(ROUTED, PUBLISHED["nginx"], namespace, endpoint))
    assert admitted(published, "gateway") == {str(CHAT): [80], str(TEST): [80], str(CONTROLLER): [80]}
    assert "model.example.com" in one(published, "HTTPRoute", FIRST)["spec"]["hostnames"]
    assert str(CONTROLLER) not in admitted(render(default(ROUTED, PUBLISHED["nginx"], namespace)), "gateway")


def test_clients_of_the_model_are_clients_of_the_gateway() -> None:
    team = {"example.com/team": "platform"}
    extra: dict[str, Any] = {"from": [{"podSelector": {"matchLabels": team}}], "ports": [{"port": 5000}]}
    found = render(default(ROUTED, at("networkPolicy.model.extraIngress", [extra])))
    assert [port for port in PORTS if admits(found, Peer("chat", team), port, "gateway")] == [80]


def test_policies_are_a_switch_and_follow_the_gateway() -> None:
    off = render(default(ROUTED, at("networkPolicy.enabled", value=False)))
    assert not [each for each in off if each["kind"] == "NetworkPolicy"]
    direct = merged(case("routing"), at("routing.mode", "service"))
    components = {
        each["metadata"]["labels"]["app.kubernetes.io/component"]
        for each in render(direct)
        if each["kind"] == "NetworkPolicy"
    }
    assert components == {"chat", "model"}
