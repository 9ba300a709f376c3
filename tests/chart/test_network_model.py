"""Connections of the model's pods, evaluated against their NetworkPolicy."""

from typing import Any

import pytest

from support.network import AGENT, NEIGHBOUR, PORTS, STRANGER, Peer, admits, outside, policy, reaches
from support.rendering import PUBLISHED, Object, RenderError, at, default, kinds, merged, one, render

CHAT = Peer("chat", {"app.kubernetes.io/name": "kaito-chat", "app.kubernetes.io/instance": "demo"})
ENDPOINT = at("model.ingress", {"enabled": True, "host": "model.example.com", "basicAuthSecret": "users"})
CONTROLLER = Peer("nginx-ingress", {"app.kubernetes.io/name": "nginx-ingress"})


def component(name: str) -> Peer:
    """Return a pod of the release's own."""
    return Peer("chat", {**CHAT.labels, "app.kubernetes.io/component": name})


def sibling(objects: list[Object]) -> Peer:
    """Return another pod of the same model, on another node."""
    return Peer("chat", policy(objects, "model")["spec"]["podSelector"]["matchLabels"])


def test_the_chat_the_test_and_prometheus_ask_the_model_and_nobody_else() -> None:
    objects = render()
    for peer in (component("chat"), component("test"), AGENT):
        assert [port for port in PORTS if admits(objects, peer, port, "model")] == [5000], peer
    other_chat = Peer("chat", {**component("chat").labels, "app.kubernetes.io/instance": "other"})
    for peer in (STRANGER, NEIGHBOUR, CONTROLLER, CHAT, other_chat, outside("20.1.2.3"), outside("10.240.0.4")):
        assert not any(admits(objects, peer, port, "model") for port in PORTS), peer


@pytest.mark.parametrize("mode", ["nginx", "webapprouting"])
def test_the_ingress_controller_asks_the_model_if_it_is_published(mode: str) -> None:
    namespace = at("networkPolicy.ingressControllerNamespace", "nginx-ingress" if mode == "nginx" else "")
    controller = CONTROLLER if mode == "nginx" else Peer("app-routing-system", {"app": "nginx"})
    private, published = (render(default(PUBLISHED[mode], namespace, *more)) for more in ([], [ENDPOINT]))
    assert not admits(private, controller, 5000, "model")
    assert [port for port in PORTS if admits(published, controller, port, "model")] == [5000]


def test_pods_of_one_model_talk_to_each_other_on_every_port() -> None:
    for replicas in (1, 2):
        objects = render(default(at("model.replicas", replicas)))
        assert all(admits(objects, sibling(objects), port, "model") for port in PORTS)
        assert all(reaches(objects, sibling(objects), port, "model") for port in PORTS)


def test_the_policy_selects_the_pods_that_kaito_makes() -> None:
    workspace = one(render(), "Workspace")["metadata"]["name"]
    assert sibling(render()).labels == {"kaito.sh/workspace": workspace}
    several = render(default(at("model.replicas", 2)))
    name = one(several, "InferenceSet")["metadata"]["name"]
    assert sibling(several).labels == {"inferenceset.kaito.sh/created-by": name}


def test_the_scaler_reads_metrics_only_with_autoscaling() -> None:
    autoscaled = render(default(at("model.autoscaling.enabled", value=True)))
    for namespace in ("keda", "kube-system"):
        scaler = Peer(namespace, {"app.kubernetes.io/name": "keda-kaito-scaler"})
        assert not admits(render(), scaler, 5000, "model")
        assert [port for port in PORTS if admits(autoscaled, scaler, port, "model")] == [5000]
        assert not admits(autoscaled, Peer(namespace, {"app": "coredns"}), 5000, "model")


def test_the_model_reaches_dns_and_https_outside_only() -> None:
    vnet = at("networkPolicy.vnetCidrs", ["10.0.0.0/8"])
    objects = render(default(vnet))
    assert reaches(objects, Peer("kube-system", {"k8s-app": "kube-dns"}), 53, "model")
    assert [port for port in PORTS if reaches(objects, outside("20.1.2.3"), port, "model")] == [443]
    for address in ("10.240.0.4", "192.168.3.4", "172.16.0.1", "169.254.169.254", "168.63.129.16", "169.254.1.1"):
        assert not any(reaches(objects, outside(address), port, "model") for port in PORTS), address
    for peer in (STRANGER, NEIGHBOUR, component("chat")):
        assert not any(reaches(objects, peer, port, "model") for port in PORTS), peer
    registry = render(default(vnet, at("networkPolicy.privateEndpointsCidr", "10.243.1.0/24")))
    assert [port for port in PORTS if reaches(registry, outside("10.243.1.9"), port, "model")] == [443]


@pytest.mark.parametrize("key", ["networkPolicy.enabled", "networkPolicy.model.enabled"])
def test_the_policy_is_a_switch(key: str) -> None:
    objects = render(default(at(key, value=False)))
    components = [
        each["metadata"]["labels"]["app.kubernetes.io/component"] for each in objects if each["kind"] == "NetworkPolicy"
    ]
    assert components == ([] if key == "networkPolicy.enabled" else ["chat"])


def test_values_of_the_previous_version_have_the_policy_too() -> None:
    old: dict[str, Any] = {"vnetCidrs": None, "privateEndpointsCidr": None, "model": None}
    objects = render(merged(default(), {"networkPolicy": old}))
    assert admits(objects, component("chat"), 5000, "model")
    assert "NetworkPolicy" in kinds(objects)


def test_more_clients_and_destinations_are_values() -> None:
    client = Peer("chat", {"app": "rag"})
    values = at(
        "networkPolicy.model",
        {
            "extraIngress": [{"from": [{"podSelector": {"matchLabels": {"app": "rag"}}}], "ports": [{"port": 5000}]}],
            "extraEgress": [{"to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}], "ports": [{"port": 8080}]}],
        },
    )
    objects = render(default(values, at("networkPolicy.vnetCidrs", ["10.0.0.0/8"])))
    assert [port for port in PORTS if admits(objects, client, port, "model")] == [5000]
    assert not admits(objects, client, 8000)
    assert [port for port in PORTS if reaches(objects, outside("10.1.0.1"), port, "model")] == [8080]
    with pytest.raises(RenderError, match=r"networkPolicy\.model\.extraEgress has a rule without `to`"):
        render(default(at("networkPolicy.model.extraEgress", [{"ports": [{"port": 80}]}])))
