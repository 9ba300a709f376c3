"""The Mermaid flowchart: complete, well formed, and true of the stack."""

import re
from typing import Any

import pytest

from aks_kaito.review import diagram
from aks_kaito.review.documents import document

NAMES = ("dev", "prod", "sample")
NODE = re.compile(r'^  (\w+)\["([^"\[\]{}|]+)"\]$')
GROUP = re.compile(r'^subgraph (\w+)\["([^"]+)"\]$')
ARROW = re.compile(r"^(\w+) (?:-->|-\.->)(?:\|([^|\"]+)\|)? (\w+)$")
CLASS = re.compile(r"^class (\w+) (public|restricted|private)$")


def lines(stacks: dict[str, dict[str, Any]], name: str) -> list[str]:
    return diagram.mermaid(document(f"kaito-{name}-platform", stacks[name])).splitlines()


def found(pattern: re.Pattern[str], text: list[str]) -> list[re.Match[str]]:
    return [match for line in text if (match := pattern.match(line))]


@pytest.mark.parametrize("name", NAMES)
def test_every_line_is_one_that_mermaid_knows(stacks: dict[str, dict[str, Any]], name: str) -> None:
    text = lines(stacks, name)
    assert text[:3] == ["flowchart LR", f"accTitle: kaito-{name}-platform", 'internet(("Internet"))']
    for line in text[3:]:
        assert any(pattern.match(line) for pattern in (NODE, GROUP, ARROW, CLASS, re.compile(r"^end$|^classDef "))), (
            line
        )


@pytest.mark.parametrize("name", NAMES)
def test_arrows_and_colours_belong_to_what_is_drawn(stacks: dict[str, dict[str, Any]], name: str) -> None:
    text = lines(stacks, name)
    nodes = [match[1] for match in found(NODE, text)]
    groups = [match[1] for match in found(GROUP, text)]
    assert groups == ["network", "cluster", "services", "observability"]
    assert len(nodes) == len(set(nodes))
    ends = {end for match in found(ARROW, text) for end in (match[1], match[3])}
    assert ends <= {*nodes, *groups, "internet"}
    assert {match[1] for match in found(CLASS, text)} <= set(nodes)


def test_the_private_environment_shows_its_endpoints_and_its_ways_in(stacks: dict[str, dict[str, Any]]) -> None:
    text = "\n".join(lines(stacks, "prod"))
    assert text.count("|private endpoint|") == len(stacks["prod"]["resource"]["azurerm_private_endpoint"])
    assert re.search(r"internet -->\|operators\| azurerm_bastion_host_", text)
    assert re.search(r"internet -->\|chat\| azurerm_public_ip_ingress_", text)
    assert re.search(r"class azurerm_kubernetes_cluster_\w+ private", text)


def test_app_routing_is_reached_through_the_cluster(stacks: dict[str, dict[str, Any]]) -> None:
    assert re.search(r"internet -->\|chat\| azurerm_kubernetes_cluster_", "\n".join(lines(stacks, "sample")))


@pytest.mark.parametrize(("name", "is_on"), [("dev", False), ("prod", True), ("sample", False)])
def test_the_gateway_is_shown_where_it_is_on(stacks: dict[str, dict[str, Any]], name: str, *, is_on: bool) -> None:
    assert any("KAITO<br/>" in line and ("Gateway API" in line) == is_on for line in lines(stacks, name))


def test_parallel_roles_are_one_arrow(stacks: dict[str, dict[str, Any]]) -> None:
    ends = [(match[1], match[3], "-.->" in match[0]) for match in found(ARROW, lines(stacks, "prod"))]
    assert len(ends) == len(set(ends))


def test_hostile_names_stay_inside_their_label() -> None:
    pool = {"name": 'a"]\nx --> y', "vm_size": "s", "node_count": 1}
    resources = {"azurerm_kubernetes_cluster_node_pool": {"p": pool}}
    text = diagram.mermaid(document("s", {"resource": resources})).splitlines()
    assert [line for line in text if "x -->" in line] == [line for line in text if line.startswith("  azurerm")]
