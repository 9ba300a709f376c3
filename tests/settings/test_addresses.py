"""Addresses and ranges: what Azure's firewalls, virtual networks and AKS refuse."""

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aks_kaito.settings import load
from aks_kaito.settings.addresses import firewall_rules, source
from support.environment_files import changed, edited, problems, written
from support.project import TODAY

SOURCES = ["network.allowed_ip_ranges", "cluster.authorized_ip_ranges"]


def with_sources(key: str, *sources: str) -> str:
    """Return the dev file with a list of sources."""
    table, name = key.split(".")
    return changed(table, f"{name} = {list(sources)}")


@pytest.mark.parametrize("key", [*SOURCES, "ingress.model_allowed_ip_ranges"])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("203.0.113.0/24", "203.0.113.0/24 are addresses for documentation"),
        ("198.51.100.7", "addresses for documentation"),
        ("192.0.2.1", "addresses for documentation"),
        ("100.64.0.0/10", "shared addresses of carrier-grade NAT"),
        ("100.127.255.255", "shared addresses of carrier-grade NAT"),
        ("224.0.0.1", "multicast addresses"),
        ("239.255.255.250/32", "multicast addresses"),
        ("240.0.0.0/8", "reserved addresses"),
        ("255.255.255.255", "reserved addresses"),
        ("10.0.0.1", "10.0.0.0/8 are private addresses"),
        ("172.20.0.0/16", "private addresses"),
        ("192.168.1.0/24", "private addresses"),
        ("127.0.0.1", "loopback addresses"),
        ("169.254.169.254", "link-local addresses"),
        ("168.63.129.16", "the address of Azure's platform"),
        ("168.63.128.0/20", "the address of Azure's platform"),
        ("198.18.0.0/15", "addresses for benchmarks"),
        ("8.0.0.0/5", "private addresses"),
        ("0.0.0.0/0", "whole internet"),
        ("0.0.0.0/1", "addresses of this host"),
        ("52.174.1.2/24", "zero host bits"),
        ("::1", "must be a public IPv4 address, or a range"),
        ("052.174.1.2", "must be a public IPv4 address, or a range"),
        ("contoso.com", "IPv4"),
    ],
)
def test_a_source_that_is_not_public_is_refused_with_the_right_word(
    key: str, value: str, words: str, tmp_path: Path
) -> None:
    assert words in problems(written(tmp_path, with_sources(key, value)))[key]


@pytest.mark.parametrize("key", SOURCES)
@pytest.mark.parametrize(
    ("first", "second"),
    [("52.174.1.2", "52.174.1.2"), ("52.174.1.2", "52.174.1.2/32"), ("20.0.0.0/24", "20.0.0.0/24")],
)
def test_the_same_source_twice_is_refused(key: str, first: str, second: str, tmp_path: Path) -> None:
    found = problems(written(tmp_path, with_sources(key, first, second)))
    assert f"the same address or range twice: {first} and {second}" in found[key]


@pytest.mark.parametrize("key", SOURCES)
@pytest.mark.parametrize("value", ["52.174.1.2", "52.174.1.2/32", "52.174.1.2/31", "20.0.0.0/8", "1.1.1.1"])
def test_public_sources_are_accepted(key: str, value: str, tmp_path: Path) -> None:
    assert load(written(tmp_path, with_sources(key, value)), TODAY)


@pytest.mark.parametrize("value", ["0.0.0.0/32", "0.0.0.0"])  # noqa: S104  (a source, not a listening address)
def test_only_the_api_server_takes_the_nodes_alone(value: str, tmp_path: Path) -> None:
    loaded = load(written(tmp_path, with_sources("cluster.authorized_ip_ranges", value)), TODAY)
    assert loaded.settings.cluster.authorized_ip_ranges == ("0.0.0.0/32",)
    found = problems(written(tmp_path, with_sources("cluster.authorized_ip_ranges", value, "52.174.1.2")))
    assert "the nodes only" in found["cluster.authorized_ip_ranges"]
    found = problems(written(tmp_path, with_sources("network.allowed_ip_ranges", value)))
    assert "addresses of this host" in found["network.allowed_ip_ranges"]


@pytest.mark.parametrize("key", SOURCES)
def test_a_range_with_a_mask_is_written_in_cidr_notation(key: str, tmp_path: Path) -> None:
    loaded = load(written(tmp_path, with_sources(key, "52.174.1.0/255.255.255.0", "20.0.0.0/0.0.0.255")), TODAY)
    table, name = key.split(".")
    assert getattr(getattr(loaded.settings, table), name) == ("52.174.1.0/24", "20.0.0.0/24")


def test_ranges_of_one_or_two_addresses_become_addresses_for_firewalls() -> None:
    sources = ["52.174.1.2/32", "52.174.1.2/31", "52.174.1.9", "20.0.0.0/30"]
    assert firewall_rules(sources) == ["52.174.1.2", "52.174.1.3", "52.174.1.9", "20.0.0.0/30"]


@given(st.lists(st.tuples(st.ip_addresses(v=4), st.integers(8, 32))))
def test_firewall_rules_admit_the_same_addresses(parts: list[tuple[IPv4Address, int]]) -> None:
    sources = [str(IPv4Network((address, prefix), strict=False)) for address, prefix in parts]
    rules = firewall_rules(sources)
    assert all("/" not in rule or int(rule.partition("/")[2]) <= 30 for rule in rules)
    assert len(rules) == len(set(rules))
    covered = [source(rule) for rule in rules]
    for each in map(IPv4Network, sources):
        assert any(each.subnet_of(rule) for rule in covered) or all(IPv4Network(one) in covered for one in each)


@pytest.mark.parametrize(("count", "refused"), [(199, False), (200, True)])
def test_the_api_servers_list_has_room_for_the_nodes(count: int, refused: bool, tmp_path: Path) -> None:  # noqa: FBT001
    sources = [f"20.0.{number // 250}.{number % 250}" for number in range(count)]
    path = written(tmp_path, with_sources("cluster.authorized_ip_ranges", *sources))
    if refused:
        assert "at most 199 entries; there are 200" in problems(path)["cluster.authorized_ip_ranges"]
    else:
        assert load(path, TODAY)


def test_storage_takes_400_rules(tmp_path: Path) -> None:
    pairs = [f"20.0.{number}.0/31" for number in range(200)]
    assert load(written(tmp_path, with_sources("network.allowed_ip_ranges", *pairs)), TODAY)
    found = problems(written(tmp_path, with_sources("network.allowed_ip_ranges", *pairs, "20.1.0.0")))
    assert "there are 401" in found["network.allowed_ip_ranges"]


@pytest.mark.parametrize(
    ("cidr", "words"),
    [
        ("168.63.129.0/24", "the address of Azure's platform"),
        ("168.0.0.0/8", "the address of Azure's platform"),
        ("127.0.0.0/8", "loopback"),
        ("224.0.0.0/8", "multicast"),
        ("169.254.0.0/16", "which AKS reserves"),
        ("172.31.0.0/16", "which AKS reserves"),
        ("0.0.0.0/8", "which no network can have"),
    ],
)
@pytest.mark.parametrize("key", ["network.address_space", "cluster.pod_cidr", "cluster.service_cidr"])
def test_reserved_ranges_are_refused(key: str, cidr: str, words: str, tmp_path: Path) -> None:
    table, name = key.split(".")
    value = f'["10.0.0.0/8", "{cidr}"]' if key == "network.address_space" else f'"{cidr}"'
    assert words in problems(written(tmp_path, changed(table, f"{name} = {value}")))[key]


@pytest.mark.parametrize(
    ("table", "lines", "key", "words"),
    [
        ("cluster", ['service_cidr = "172.0.0.0/11"'], "cluster.service_cidr", "between a /12 and a /27"),
        ("cluster", ['service_cidr = "172.16.0.0/28"'], "cluster.service_cidr", "between a /12 and a /27"),
        ("network", ['address_space = ["10.0.0.0/7"]'],
         "network.address_space", "zero host bits|between a /8 and a /29"),
        ("network", ['address_space = ["10.0.0.0/8", "192.0.3.0/30"]'], "network.address_space", "a /8 and a /29"),
        ("network", ['vm_subnet_cidr = "10.243.1.0/30"'], "network.vm_subnet_cidr", "a /29 or larger"),
        ("network", ['user_subnet_cidr = "10.241.0.0/30"'], "network.user_subnet_cidr", "a /29 or larger"),
        ("network", ['user_subnet_cidr = "10.241.0.0/32"'], "network.user_subnet_cidr", "a /29 or larger"),
    ],
)  # fmt: skip
def test_ranges_of_impossible_sizes_are_refused(
    table: str, lines: list[str], key: str, words: str, tmp_path: Path
) -> None:
    found = problems(written(tmp_path, changed(table, *lines)))
    assert any(each in found[key] for each in words.split("|")), found


@pytest.mark.parametrize("cidr", ["172.16.0.0/13", "172.16.0.0/16", "172.16.0.0/27"])
def test_ranges_of_services_of_possible_sizes_are_accepted(cidr: str, tmp_path: Path) -> None:
    assert load(written(tmp_path, changed("cluster", f'service_cidr = "{cidr}"')), TODAY)


def test_a_pod_subnet_is_not_larger_than_a_12(tmp_path: Path) -> None:
    text = edited({"cluster": ['network_plugin_mode = "pod-subnet"'], "network": ['pod_subnet_cidr = "10.0.0.0/11"']})
    assert "a /12 or smaller" in problems(written(tmp_path, text))["network.pod_subnet_cidr"]


ENDPOINTS = {
    "network": ['vm_subnet_cidr = "10.243.1.0/29"', "private_endpoints_enabled = true"],
    "registry": ['sku = "Premium"'],
}


def test_the_vm_subnet_has_an_address_for_each_endpoint_and_the_jump_box(tmp_path: Path) -> None:
    # Three addresses are free in a /29; registry, vault and storage take four.
    found = problems(written(tmp_path, edited(ENDPOINTS)))
    assert "room for 4 addresses" in found["network.vm_subnet_cidr"]
    assert "room for 3" in found["network.vm_subnet_cidr"]
    everything = {
        **ENDPOINTS,
        "registry": ['sku = "Premium"', 'georeplication_locations = ["northeurope"]'],
        "postgresql": ["enabled = true"],
        "openai": ["enabled = true"],
        "openai.deployments.chat": ['model = "gpt-4o"', 'version = "2024-11-20"'],
        "bastion": ["enabled = true"],
        "jump_box": ["enabled = true"],
        "monitoring": ["grafana_public_network_access_enabled = false"],
    }
    found = problems(written(tmp_path, edited(everything)))
    assert "room for 9 addresses" in found["network.vm_subnet_cidr"]
    larger = {"network": ['vm_subnet_cidr = "10.243.1.0/28"', "private_endpoints_enabled = true"]}
    assert load(written(tmp_path, edited({**everything, **larger})), TODAY)


def test_the_private_api_server_takes_an_address_of_the_system_subnet(tmp_path: Path) -> None:
    # A /28 has eleven free addresses: eight nodes, a GPU node, and one more for the upgrades of each pool.
    full = {"system_pool": ["max_count = 8"], "network": ['system_subnet_cidr = "10.240.0.0/28"']}
    assert load(written(tmp_path, edited(full)), TODAY)
    private = {"cluster": ["private_cluster_enabled = true", 'private_access = "peered"']}
    found = problems(written(tmp_path, edited({**full, **private})))
    assert "room for 12 nodes" in found["network.system_subnet_cidr"]
    integrated = {"cluster": [*private["cluster"], "api_server_vnet_integration_enabled = true"]}
    assert load(written(tmp_path, edited({**full, **integrated})), TODAY)


DEEPSEEK = ['preset = "deepseek-r1-0528"', 'instance_type = "Standard_NC24ads_A100_v4"']
LLAMA = [
    'preset = "llama-3.3-70b-instruct"',
    'instance_type = "Standard_NC48ads_A100_v4"',
    "node_count = 2",
    "max_model_len = 8192",
    'access_secret = "hugging-face"',
    "standby_node_count = 10",
]


@pytest.mark.parametrize(
    ("model", "version", "max_count", "needed"),
    [
        # Eleven nodes that KAITO counts and two of their surge, with three nodes of the pool and one.
        (DEEPSEEK, "0.12.0", 3, 17),
        # Two nodes of the model, ten of the standby, eight of the pool, and a surge node for each.
        (LLAMA, "0.6.0", 8, 3 + 11 + 9),
    ],
)
def test_the_system_subnet_holds_the_nodes_that_kaito_creates(
    model: list[str], version: str, max_count: int, needed: int, tmp_path: Path
) -> None:
    edits = {
        "model": model,
        "kaito": [f'version = "{version}"'],
        "system_pool": [f"max_count = {max_count}", "min_count = 3"],
        "network": ['system_subnet_cidr = "10.240.0.0/28"'],
    }
    found = problems(written(tmp_path, edited(edits)))
    assert f"room for {needed} nodes" in found["network.system_subnet_cidr"]
    assert "it has room for 11" in found["network.system_subnet_cidr"]
    assert load(written(tmp_path, edited({**edits, "network": ['system_subnet_cidr = "10.240.0.0/27"']})), TODAY)
    off = {**edits, "kaito": [f'version = "{version}"', "enabled = false"]}
    assert load(written(tmp_path, edited(off)), TODAY)


def test_the_pod_range_holds_the_nodes_that_kaito_creates(tmp_path: Path) -> None:
    # A /20 has sixteen ranges of a /24.
    edits = {
        "model": DEEPSEEK,
        "kaito": ['version = "0.12.0"'],
        "system_pool": ["max_count = 3", "min_count = 3"],
        "user_pool": ["max_count = 1", "min_count = 1"],
        "cluster": ['pod_cidr = "192.168.0.0/20"'],
    }
    found = problems(written(tmp_path, edited(edits)))
    assert "for each of 19 nodes" in found["cluster.pod_cidr"]
