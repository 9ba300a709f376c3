"""Summary of a synthesis: counts, exposure and the model's fit, as a table, as lines and as JSON."""

import json
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from aks_kaito import __version__
from aks_kaito.review import billing, kinds, summary, table
from aks_kaito.review.documents import Document, document
from aks_kaito.review.exposure import exposures
from aks_kaito.settings import Environment

NAMES = ("dev", "prod", "sample")


@pytest.fixture(scope="session")
def summaries(
    environments: dict[str, Environment], stacks: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, summary.Summary]:
    """Return the summary of every shipped environment."""
    folder = tmp_path_factory.mktemp("stacks")
    found = {}
    for name, environment in environments.items():
        path = folder / f"kaito-{name}-platform" / "cdk.tf.json"
        path.parent.mkdir()
        path.write_text(json.dumps(stacks[name]), encoding="utf-8")
        found[name] = summary.summarize(environment, [path])
    return found


def reach(document: Document) -> dict[str, str]:
    return {exposure.what: exposure.reach for exposure in exposures(document)}


def of(kind: str, **arguments: Any) -> Document:
    """Return a stack of one resource."""
    return document("s", {"resource": {kind: {"one": arguments}}})


@pytest.mark.parametrize("name", NAMES)
def test_every_resource_is_counted_under_a_readable_name(
    stacks: dict[str, dict[str, Any]], summaries: dict[str, summary.Summary], name: str
) -> None:
    assert set(stacks[name]["resource"]) <= kinds.known()
    (stack,) = summaries[name].stacks
    assert stack.count == sum(len(found) for found in stacks[name]["resource"].values())


def test_a_stack_of_other_providers_is_counted_too() -> None:
    found = document("s", {"resource": {"helm_release": {"a": {}, "b": {}}, "kubernetes_config_map": {"c": {}}}})
    assert kinds.grouped(found) == {"workloads": {"helm_release": 2}, "kubernetes": {"kubernetes_config_map": 1}}
    assert kinds.title("helm") == "Helm"
    assert kinds.kind("kubernetes_config_map").counted(2) == "2 config maps"


@pytest.mark.parametrize(
    ("noun", "plural"),
    [("subnet", "subnets"), ("address", "addresses"), ("jump box", "jump boxes"), ("identity", "identities")],
)
def test_plurals(noun: str, plural: str) -> None:
    assert kinds.Kind("g", noun).counted(2) == f"2 {plural}"
    assert kinds.Kind("g", noun).counted(1) == f"1 {noun}"


def test_the_private_environment_shows_what_is_still_public(summaries: dict[str, summary.Summary]) -> None:
    (stack,) = summaries["prod"].stacks
    found = {exposure.what: exposure.reach for exposure in stack.exposures}
    public = {"Managed Grafana", "Log Analytics workspace", "Azure Monitor workspace", "Bastion", "ingress"}
    private = {"API server", "container registry", "key vault", "PostgreSQL server", "storage account", "jump box"}
    assert {what for what, how in found.items() if how == "public"} == public
    assert {what for what, how in found.items() if how == "private"} == {*private, "NAT gateway"}


def test_app_routing_brings_an_address_of_its_own(summaries: dict[str, summary.Summary]) -> None:
    (stack,) = summaries["sample"].stacks
    assert ("ingress", "public") in {(exposure.what, exposure.reach) for exposure in stack.exposures}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, "public"),
        ({"public_network_access_enabled": True, "network_acls": {"default_action": "Allow"}}, "public"),
        ({"public_network_access_enabled": True, "network_acls": {"default_action": "Deny"}}, "restricted"),
        ({"network_acls": [{"default_action": "Deny", "ip_rules": ["20.1.2.3/32"]}]}, "restricted"),
        ({"public_network_access_enabled": False, "network_acls": {"default_action": "Allow"}}, "private"),
    ],
)
def test_a_service_is_as_open_as_its_network_rules(arguments: dict[str, Any], expected: str) -> None:
    assert reach(of("azurerm_key_vault", **arguments)) == {"key vault": expected}


def test_the_sources_of_a_service_are_described() -> None:
    rules = {"default_action": "Deny", "ip_rules": ["20.1.2.3", "20.1.2.4"], "virtual_network_subnet_ids": ["a"]}
    (one,) = exposures(of("azurerm_key_vault", network_acls=rules))
    (none,) = exposures(of("azurerm_key_vault", network_acls={"default_action": "Deny"}))
    (shut,) = exposures(of("azurerm_key_vault", public_network_access_enabled=False))
    assert [one.how, none.how, shut.how] == [
        "from 1 subnet and 2 address ranges",
        "from trusted Azure services only",
        "no endpoint of its own",
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"private_cluster_enabled": True}, {"API server": "private"}),
        ({"api_server_access_profile": {"authorized_ip_ranges": ["20.0.0.0/24"]}}, {"API server": "restricted"}),
        ({"api_server_access_profile": {"subnet_id": "x"}}, {"API server": "public"}),
        ({"ingress_application_gateway": {"gateway_id": "x"}}, {"API server": "public", "ingress": "public"}),
    ],
)
def test_the_api_server_is_as_open_as_its_profile(arguments: dict[str, Any], expected: dict[str, str]) -> None:
    assert reach(of("azurerm_kubernetes_cluster", **arguments)) == expected


def test_a_machine_with_an_address_is_public() -> None:
    machine = {"azurerm_linux_virtual_machine": {"m": {"network_interface_ids": ["${azurerm_network_interface.n.id}"]}}}
    interface = {"azurerm_network_interface": {"n": {"ip_configuration": [{"public_ip_address_id": "x"}]}}}
    assert reach(document("s", {"resource": {**machine, **interface}})) == {"jump box": "public"}


def test_logs_can_be_closed_to_the_internet() -> None:
    closed = {"internet_ingestion_enabled": False, "internet_query_enabled": False}
    assert reach(of("azurerm_log_analytics_workspace", **closed)) == {"Log Analytics workspace": "private"}


@pytest.mark.parametrize("name", NAMES)
def test_the_model_fits(summaries: dict[str, summary.Summary], name: str) -> None:
    gpu = summaries[name].models[0]
    assert gpu is not None
    assert gpu.needed_gib is not None
    assert gpu.usable_gib is not None
    assert 0 < gpu.needed_gib <= gpu.usable_gib
    assert gpu.quota_family


def of_model(environment: Environment, preset: str, size: str, version: str) -> Environment:
    """Return an environment with another model."""
    settings = environment.settings
    model = settings.model.model_copy(update={"preset": preset, "instance_type": size})
    kaito = settings.kaito.model_copy(update={"version": version})
    return replace(environment, settings=settings.model_copy(update={"model": model, "kaito": kaito}))


@pytest.mark.parametrize(
    ("preset", "size", "version", "nodes", "lines"),
    [
        ("gpt-oss-120b", "Standard_NC24ads_A100_v4", "0.12.0", "3 × Standard_NC24ads_A100_v4",
         ["3 × Standard_NC24ads_A100_v4, each with 1 × NVIDIA A100", "fits: needs 124 of 185 usable GiB",
          "72 vCPUs of Standard NCADS_A100_v4 Family vCPUs"]),
        ("llama-3.3-70b-instruct", "Standard_NC96ads_A100_v4", "0.6.0", "1 × Standard_NC96ads_A100_v4",
         ["1 × Standard_NC96ads_A100_v4, each with 4 × NVIDIA A100",
          "fits: needs 320 of 320 usable GiB", "96 vCPUs of"]),
        ("phi-4", "Standard_ND96asr_v4", "0.6.0", "1 × Standard_ND96asr_v4",
         ["each with 8 × NVIDIA A100", "96 vCPUs of Standard NDASv4_A100 Family vCPUs"]),
        ("phi-4", "Standard_NC999", "0.6.0", "1 × Standard_NC999",
         ["1 × Standard_NC999; created by KAITO",
          "not checked: the model or the size is in no catalog", "unknown: `az vm list-skus`"]),
        ("tiiuae/falcon-7b", "Standard_NC24ads_A100_v4", "0.12.0", "? × Standard_NC24ads_A100_v4",
         ["an unknown number of Standard_NC24ads_A100_v4, each with 1 ×",
          "not checked: the model or the size is in no catalog", "? vCPUs of Standard NCADS_A100_v4"]),
    ],
)  # fmt: skip
def test_nodes_memory_and_quota_are_kaitos(
    environments: dict[str, Environment], preset: str, size: str, version: str, nodes: str, lines: list[str]
) -> None:
    environment = of_model(environments["dev"], preset, size, version)
    text = " ".join(table.text(summary.summarize(environment, [])).split())
    for line in lines:
        assert line in text
    stack = document("s", {"resource": {}})
    (row,) = (row for row in billing.rows([environment], {"dev": stack}) if row[0].startswith("GPU nodes"))
    assert row[1] == nodes


NVADS, NCADS = "Standard NVADSA10v5 Family vCPUs", "Standard NCADS_A100_v4 Family vCPUs"


@pytest.mark.parametrize(
    ("size", "nodes", "quota"),
    [
        (None, 3, {NVADS: 144}),
        ("Standard_NV72ads_A10_v5", 1, {NVADS: 108}),
        ("Standard_NC24ads_A100_v4", 2, {NVADS: 36, NCADS: 48}),
        ("Standard_NC999", 1, {NVADS: 36}),
    ],
)
def test_a_standby_has_rows_and_quota(
    environments: dict[str, Environment], size: str | None, nodes: int, quota: dict[str, int]
) -> None:
    settings = environments["dev"].settings
    standby = {"standby_preset": "llama-3.1-8b-instruct", "standby_instance_type": size, "standby_node_count": nodes}
    changed = settings.model_copy(update={"model": settings.model.model_copy(update=standby)})
    found = summary.summarize(replace(environments["dev"], settings=changed), [])
    text = " ".join(table.text(found).split())
    assert found.quota == quota
    expected = (f"GPU nodes {vcpus} vCPUs of {family}" for family, vcpus in quota.items())
    assert f"Quota {' '.join(expected)} Warning" in text
    assert f"Standby llama-3.1-8b-instruct {nodes} × {size or settings.model.instance_type}" in text
    assert ("quota unknown: `az vm list-skus`" in text) == (size == "Standard_NC999")
    as_json = found.as_json()
    assert as_json["standbys"][0]["node_count"] == nodes
    assert as_json["quota"] == quota


def test_without_kaito_there_are_no_models_and_no_quota(environments: dict[str, Environment]) -> None:
    settings = environments["dev"].settings
    off = settings.model_copy(update={"kaito": settings.kaito.model_copy(update={"enabled": False})})
    found = summary.summarize(replace(environments["dev"], settings=off), [])
    assert (found.models, found.standbys, found.quota) == ([], [], {})
    assert "Quota" not in table.text(found)


@pytest.mark.parametrize("name", NAMES)
def test_plain_lines_fit_a_log_and_keep_commands_whole(summaries: dict[str, summary.Summary], name: str) -> None:
    text = table.text(summaries[name])
    lines = text.splitlines()
    assert all(len(line) <= 120 and line == line.rstrip() and "\x1b" not in line for line in lines)
    assert lines[-2] == f"Written: {summaries[name].stacks[0].path}" or len(lines[-2]) == 120
    assert lines[-1] == f"Next:    make deploy ENV={name} TAG={__version__}"


def test_a_terminal_gets_a_box_and_a_file_gets_lines(summaries: dict[str, summary.Summary]) -> None:
    terminal, file = StringIO(), StringIO()
    table.show([summaries["prod"]], Console(file=terminal, force_terminal=True, width=100))
    table.show([summaries["prod"]], Console(file=file))
    assert "╭" in terminal.getvalue()
    assert "\x1b[" in terminal.getvalue()
    assert file.getvalue() == f"{table.text(summaries['prod'])}\n"


def test_warnings_are_part_of_the_table(summaries: dict[str, summary.Summary]) -> None:
    assert "is the example key" in " ".join(table.text(summaries["dev"]).split())
    assert " ".join(table.text(summaries["sample"]).split()).count('ingress.mode = "gateway" is its successor') == 1


def test_the_json_is_complete_and_plain(summaries: dict[str, summary.Summary]) -> None:
    found = json.loads(json.dumps(summaries["dev"].as_json()))
    assert found["environment"] == "dev"
    assert found["stacks"][0]["count"] == summaries["dev"].stacks[0].count
    assert found["models"][0]["preset"] == "phi-4-mini-instruct"
    assert found["standbys"] == []
    assert found["quota"] == {"Standard NVADSA10v5 Family vCPUs": 36}
    assert found["next_command"] == f"make deploy ENV=dev TAG={__version__}"
