"""Connections from the chat, evaluated against the release's NetworkPolicy."""

import re
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from support.network import NEIGHBOUR, PORTS, PUBLIC, STRANGER, Peer, admits, outside, policy, reaches
from support.rendering import CASES, INFERENCE_SET, Object, RenderError, at, case, default, kinds, one, render

METADATA, WIRE_SERVER = "169.254.169.254", "168.63.129.16"
HOSTS_OWN = (METADATA, WIRE_SERVER)


def service(namespace: str) -> Peer:
    """Return a pod behind a Service of a namespace."""
    return Peer(namespace, {"app": "server"})


def models(*entries: dict[str, Any]) -> dict[str, Any]:
    """Return values with additional models."""
    return at("chat.models", [{"name": f"other {number}"} | each for number, each in enumerate(entries)])


def test_what_the_least_release_reaches() -> None:
    objects = render()
    workspace = one(objects, "Workspace")["metadata"]["name"]
    assert reaches(objects, Peer("kube-system", {"k8s-app": "kube-dns"}), 53)
    assert reaches(objects, outside("169.254.10.11"), 53)  # LocalDNS
    assert reaches(objects, outside("169.254.20.10"), 53)
    assert reaches(objects, Peer("chat", {"kaito.sh/workspace": workspace}), 5000)
    assert reaches(objects, outside("20.1.2.3"), 443)
    assert reaches(objects, outside("20.1.2.3"), 6443)  # the API server
    assert not reaches(objects, outside("20.1.2.3"), 80)
    assert not reaches(objects, outside("20.1.2.3"), 5432)
    assert not reaches(objects, outside("192.168.3.4"), 443)  # a pod
    assert not reaches(objects, outside("172.16.0.1"), 443)  # a Service
    assert not any(reaches(objects, NEIGHBOUR, port) for port in PORTS)
    assert not any(reaches(objects, STRANGER, port) for port in PORTS)


def test_the_virtual_network_and_link_local_addresses_are_closed() -> None:
    objects = render(default(at("networkPolicy.vnetCidrs", ["10.0.0.0/8", "172.20.0.0/16"])))
    for address in ("10.240.0.4", "10.243.1.9", "172.20.1.1", "169.254.169.254", "169.254.1.1"):
        assert not any(reaches(objects, outside(address), port) for port in PORTS if port != 53), address
    assert not reaches(objects, outside("169.254.1.1"), 53)
    assert reaches(objects, outside("20.1.2.3"), 443)
    private = render(
        default(
            at("networkPolicy.vnetCidrs", ["10.0.0.0/8"]), at("networkPolicy.privateEndpointsCidr", "10.243.1.0/24")
        )
    )
    assert [port for port in PORTS if reaches(private, outside("10.243.1.9"), port)] == [443]
    assert not reaches(private, outside("10.243.2.9"), 443)


@pytest.mark.parametrize(
    ("url", "namespace", "port"),
    [
        ("http://workspace-other", "chat", 5000),  # KAITO's Services: 80, and 5000 of the pods
        ("http://workspace-other.team.svc", "team", 5000),
        ("http://workspace-other.team.svc:80/v1", "team", 5000),
        ("http://vllm.team.svc:8080", "team", 8080),
        ("http://vllm.team.svc.cluster.local:8080/v1", "team", 8080),
        ("http://vllm-0.vllm.team.svc.cluster.local:8080", "team", 8080),
        ("http://VLLM.Team.svc:8080", "team", 8080),
        ("https://vllm.team.svc", "team", 443),
    ],
)
def test_a_model_given_as_a_service_opens_one_port(url: str, namespace: str, port: int) -> None:
    objects = render(default(models({"endpointUrl": url})))
    assert [each for each in PORTS if reaches(objects, service(namespace), each)] == [port]
    assert not any(reaches(objects, STRANGER, each) for each in PORTS)


def test_pods_that_listen_on_another_port_than_their_service_are_named() -> None:
    entry = {"endpointUrl": "http://vllm.team.svc", "podPort": 8000}
    objects = render(default(models(entry)))
    assert [each for each in PORTS if reaches(objects, service("team"), each)] == [8000]
    assert "podPort" not in one(objects, "ConfigMap", "demo")["data"]["KAITO_CHAT_MODELS"]
    assert "pod_port" not in one(objects, "ConfigMap", "demo")["data"]["KAITO_CHAT_MODELS"]


def test_a_port_of_pods_is_refused_where_there_are_none() -> None:
    with pytest.raises(RenderError, match=r"other 0.*podPort.*models\.example\.com.*NAME\.NAMESPACE\.svc"):
        render(default(models({"endpointUrl": "https://models.example.com", "podPort": 8000})))


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://models.example.com:8000", 8000),
        ("http://models.example.com", 80),
        ("http://models.team.svc.example.com", 80),
        ("https://models.example.com", 443),
    ],
)
def test_a_model_elsewhere_opens_its_port_outside_the_cluster(url: str, port: int) -> None:
    objects = render(default(models({"endpointUrl": url}), at("model.enabled", value=False)))
    assert {each for each in PORTS if reaches(objects, outside("20.1.2.3"), each)} == {port, 443}
    assert not any(reaches(objects, service("team"), each) for each in PORTS)
    assert not reaches(objects, outside("192.168.3.4"), port)


@pytest.mark.parametrize(("pod_port", "port"), [(None, 4318), (4317, 4317)])
def test_a_collector_given_as_a_service_opens_one_port(pod_port: int | None, port: int) -> None:
    collector = at("chat.settings", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.observability.svc:4318"})
    objects = render(default(collector, at("networkPolicy.collectorPodPort", pod_port)))
    assert [each for each in PORTS if reaches(objects, service("observability"), each)] == [port]


DATABASE = "postgresql://chat@{}/chat"


@pytest.mark.parametrize(
    ("host", "peer", "port"),
    [
        ("postgres.data.svc", service("data"), 5432),
        ("pooler.data.svc.cluster.local:6432", service("data"), 6432),
        ("example.postgres.database.azure.com", outside("20.1.2.3"), 5432),
        ("example.postgres.database.azure.com:6432", outside("20.1.2.3"), 6432),
        ("first:5432,second:5432", outside("20.1.2.3"), 5432),
    ],
)
def test_the_database_opens_its_port(host: str, peer: Peer, port: int) -> None:
    settings = {"KAITO_CHAT_SIGN_IN": "password", "KAITO_CHAT_DATABASE_URL": DATABASE.format(host)}
    objects = render(default(at("chat.settings", settings), at("chat.existingSecret", "secrets")))
    asked = (5432, 6432)
    assert [each for each in asked if reaches(objects, peer, each)] == [port]
    assert not any(reaches(objects, STRANGER, each) for each in PORTS)
    assert not peer.namespace or not reaches(objects, outside("20.1.2.3"), port)


@pytest.mark.parametrize("name", CASES)
def test_no_release_reaches_azures_host(name: str) -> None:
    assert host_reached(render(case(name))) == []


def host_reached(objects: list[Object]) -> list[tuple[str, int]]:
    """Return the addresses and ports of Azure's host that the chat reaches."""
    return [(address, port) for address in HOSTS_OWN for port in PORTS if reaches(objects, outside(address), port)]


WIDE = ("0.0.0.0/1", "128.0.0.0/1", "160.0.0.0/3", "169.254.0.0/16", "169.254.169.254/31", "168.63.0.0/16")


@pytest.mark.parametrize("cidr", WIDE)
def test_a_wide_range_does_not_open_azures_host(cidr: str) -> None:
    settings = {"KAITO_CHAT_SIGN_IN": "password", "KAITO_CHAT_DATABASE_URL": DATABASE.format("db.example.com")}
    extra = [
        {"to": [{"ipBlock": {"cidr": cidr}}], "ports": [{"port": 80}]},
        {"to": [{"ipBlock": {"cidr": "::/0"}}, {"ipBlock": {"cidr": cidr, "except": [first_half(cidr)]}}]},
    ]
    objects = render(
        default(
            at("chat.settings", settings),
            at("chat.existingSecret", "secrets"),
            models({"endpointUrl": "http://models.example.com"}, {"endpointUrl": "http://models.example.com:32526"}),
            at("networkPolicy", {"apiServerCidr": cidr, "postgresqlCidr": cidr, "extraEgress": extra}),
        )
    )
    assert host_reached(objects) == []
    inside = str(ip_network(cidr)[-1] if cidr != "169.254.169.254/31" else ip_network(cidr)[1])
    assert reaches(objects, outside(inside), 443)
    assert reaches(objects, outside(inside), 5432)
    assert reaches(objects, outside(inside), 80)


def first_half(cidr: str) -> str:
    """Return half of a range, as an exception of it."""
    return str(next(ip_network(cidr).subnets(1)))


@pytest.mark.parametrize("cidr", ["10.243.0.0/27", "203.0.113.0/24", "10.0.0.4/32"])
def test_a_range_without_azures_host_stays_as_it_is(cidr: str) -> None:
    egress = policy(render(default(at("networkPolicy.apiServerCidr", cidr))))["spec"]["egress"]
    assert {"to": [{"ipBlock": {"cidr": cidr}}], "ports": [{"port": 443}, {"port": 6443}]} in egress


@pytest.mark.parametrize("address", HOSTS_OWN)
@pytest.mark.parametrize(
    ("path", "make"),
    [
        ("networkPolicy.apiServerCidr", lambda cidr: cidr),
        ("networkPolicy.postgresqlCidr", lambda cidr: cidr),
        ("networkPolicy.privateEndpointsCidr", lambda cidr: cidr),
        ("networkPolicy.extraEgress", lambda cidr: [{"to": [{"ipBlock": {"cidr": cidr}}]}]),
    ],
)
def test_azures_host_itself_is_refused_in_words(path: str, make: Callable[[str], object], address: str) -> None:
    with pytest.raises(RenderError, match=rf"{re.escape(path)} is {re.escape(address)}/32, an address of Azure's host"):
        render(default(at(path, make(f"{address}/32"))))


def test_an_opening_to_everybody_is_refused_in_words() -> None:
    with pytest.raises(RenderError, match=r"networkPolicy\.extraEgress has a rule without `to`"):
        render(default(at("networkPolicy.extraEgress", [{"ports": [{"port": 9000}]}])))


def test_ones_own_openings_are_kept() -> None:
    rule = {"to": [{"podSelector": {"matchLabels": {"app": "neighbour"}}}], "ports": [{"port": 9000}]}
    who = {"from": [{"podSelector": {"matchLabels": {"app": "neighbour"}}}], "ports": [{"port": "http"}]}
    objects = render(default(at("networkPolicy", {"extraEgress": [rule], "extraIngress": [who]})))
    assert [port for port in PORTS if reaches(objects, NEIGHBOUR, port)] == [9000]
    assert [port for port in PORTS if admits(objects, NEIGHBOUR, port)] == [PUBLIC]


def test_several_replicas_of_the_model_are_within_reach() -> None:
    objects = render(default(at("model.replicas", 2)), api_versions=(INFERENCE_SET,))
    name = one(objects, "InferenceSet")["metadata"]["name"]
    assert reaches(objects, Peer("chat", {"inferenceset.kaito.sh/created-by": name}), 5000)
    assert "Workspace" not in kinds(objects)
    assert reaches(objects, outside("20.1.2.3"), 6443)  # the API server, for the progress of the replicas
