"""Rules between settings: for each, a file that breaks it, and a message with key, value and allowed values."""

import importlib
import pkgutil
from datetime import date
from pathlib import Path

import pytest

from aks_kaito.settings import load, rules
from aks_kaito.settings.rules import RULES, WARNINGS, Rule
from support.environment_files import DEV, OPEN, changed, edited, problems, warnings, written
from support.project import TODAY


@pytest.mark.parametrize(
    ("table", "lines", "key", "words"),
    [
        ("", ['prefix = "9lives"'], "prefix", "2-10 letters"),
        ("", ['location = "atlantis"'], "location", "Azure region"),
        ("", ['subscription_id = "1234"'], "subscription_id", "GUID"),
        ("", ['colour = "blue"'], "colour", "is not a key of the file"),
        ("network", ['system_subnet_cidr = "11.0.0.0/16"'], "network.system_subnet_cidr", "inside network.address"),
        ("network", ['user_subnet_cidr = "10.240.0.0/20"'], "network.user_subnet_cidr", "must not overlap"),
        ("network", ['user_subnet_cidr = "10.241.0.0/29"'], "network.user_subnet_cidr", "must have room for 4 nodes"),
        ("network", ['address_space = ["10.0.0.1/8"]'], "network.address_space", "zero host bits"),
        ("network", ['address_space = ["10.0.0.0/8", "10.1.0.0/16"]'], "network.address_space", "other range"),
        ("network", ['allowed_ip_ranges = ["10.0.0.1"]'], "network.allowed_ip_ranges", "public IPv4"),
        (
            "network",
            ["public_access_beside_endpoints_enabled = true"],
            "network.public_access_beside_endpoints_enabled",
            "needs network.private_endpoints_enabled",
        ),
        ("charts", ['registry = "oci://contoso.azurecr.io/charts"'], "charts.registry", "without oci://"),
        ("charts", ['registry = "oci://mirror.kaito.dev/charts"'], "charts.registry", "host and path"),
        ("charts", ['registry = "contoso.azurecr.io/charts/"'], "charts.registry", "host and path"),
        ("charts", ['registry = "Contoso.azurecr.io"'], "charts.registry", "host and path"),
        ("network", ['pod_subnet_cidr = "10.242.0.0/16"'], "network.pod_subnet_cidr", "must not be set"),
        ("cluster", ['network_plugin_mode = "pod-subnet"'], "network.pod_subnet_cidr", "must be set"),
        ("cluster", ['service_cidr = "10.1.0.0/16"'], "cluster.service_cidr", "must not overlap network.address"),
        ("cluster", ['pod_cidr = "172.16.0.0/12"'], "cluster.pod_cidr", "must not overlap cluster.service_cidr"),
        ("cluster", ['pod_cidr = "192.168.0.0/23"'], "cluster.pod_cidr", "/24 for each of"),
        ("cluster", ['pod_cidr = "172.30.0.0/16"'], "cluster.pod_cidr", "AKS reserves"),
        ("cluster", ['dns_service_ip = "172.17.0.10"'], "cluster.dns_service_ip", "inside cluster.service_cidr"),
        ("cluster", ['dns_service_ip = "172.16.0.1"'], "cluster.dns_service_ip", "first two"),
        ("cluster", ['kubernetes_version = "1.20"'], "cluster.kubernetes_version", "1.35"),
        ("cluster", ['kubernetes_version = "1.35.2"'], "cluster.kubernetes_version", "minor version only"),
        ("cluster", ["cost_analysis_enabled = true"], "cluster.cost_analysis_enabled", "Standard or Premium"),
        ("cluster", ['support_plan = "AKSLongTermSupport"'], "cluster.support_plan", "Premium"),
        ("cluster", ["private_cluster_enabled = true"], "cluster.private_cluster_enabled", "peered"),
        ("cluster", ['ssh_public_key = "ssh-rsa XXXX"'], "cluster.ssh_public_key", "OpenSSH public key"),
        ("cluster", ['admin_group_object_ids = ["XXXXXXXX-XXXX"]'], "cluster.admin_group_object_ids", "GUID"),
        ("cluster", ['authorized_ip_ranges = ["0.0.0.0/0"]'], "cluster.authorized_ip_ranges", "whole internet"),
        ("cluster", ['sku_tier = "Gold"'], "cluster.sku_tier", '"Free"'),
        ("cluster", ["sku_teir = 1"], "cluster.sku_teir", "did you mean sku_tier"),
        ("cluster", ['image_cleaner_enabled = "yes"'], "cluster.image_cleaner_enabled", "true or false"),
        ("cluster", ['automatic_upgrade_channel = "node-image"', 'node_os_upgrade_channel = "None"'],
         "cluster.node_os_upgrade_channel", "NodeImage"),
        ("system_pool", ["min_count = 5"], "system_pool.max_count", "min_count (5)"),
        ("system_pool", ["min_count = 0"], "system_pool.min_count", "at least 1"),
        ("user_pool", ["node_count = 9"], "user_pool.node_count", "must be between"),
        ("user_pool", ['name = "system"'], "user_pool.name", "must differ"),
        ("user_pool", ['name = "Users"'], "user_pool.name", "1-12 lower-case"),
        ("user_pool", ['node_taints = ["chat"]'], "user_pool.node_taints", "NoSchedule"),
        ("kaito", ['version = "0.5"'], "kaito.version", "0.6.0"),
        ("model", ['instance_type = "Standard_NC12s_v3"'], "model.instance_type", "retired by Azure on 2025-09-30"),
        ("model", ['instance_type = "Standard_D4ads_v5"'], "model.instance_type", "is not a GPU size"),
        ("model", ['instance_type = "Standard_NG32ads_V620_v1"'], "model.instance_type", "has an AMD GPU"),
        ("model", ['instance_type = "Standard_ND96isr_MI300X_v5"'], "model.instance_type", "has an AMD GPU"),
        ("model", ['instance_type = "Standard_NV12ads_V710_v5"'], "model.instance_type", "has an AMD GPU"),
        ("model", ['instance_type = "Standard_NP10s"'], "model.instance_type", "has an FPGA"),
        ("model", ['instance_type = "Standard_NV18ads_A10_v5"'], "model.instance_type", "has half a GPU"),
        ("model", ['instance_type = "Standard_ND96asr_A100_v4"'], "model.instance_type", "calls Standard_ND96asr_v4"),
        ("model", ['instance_type = "standard_nc6S_V3"'], "model.instance_type", "retired by Azure on 2025-09-30"),
        ("model", ['preset = "llama-3.3-70b-instruct"'], "model.instance_type", "needs 320 GiB"),
        ("model", ['preset = "llama-3.3-70b-instruct"', 'instance_type = "Standard_ND96asr_v4"'],
         "model.instance_type", "needs 320 GiB of GPU memory, 80 GiB per GPU, 4 GPUs"),
        ("model", ['preset = "falcon-40b"', 'instance_type = "Standard_NC24ads_A100_v4"'],
         "model.instance_type", "suitable: Standard_NC48ads_A100_v4, "),
        ("model", ["node_count = 2"], "model.node_count", "must be 1: KAITO 0.6.0 shares phi-4-mini-instruct"),
        ("model", ['preset = "llama-3.1-8b-instruct"', "node_count = 2"], "model.max_model_len", "(missing): must be"),
        ("model", ["max_model_len = 131073"], "model.max_model_len", "at most 131072"),
        ("model", ["max_model_len = 0"], "model.max_model_len", "greater than or equal to 1"),
        ("model", ['standby_instance_type = "Standard_NC12s_v3"'], "model.standby_instance_type", "retired by Azure"),
        ("model", ['standby_preset = "llama-3.3-70b-instruct"'], "model.standby_instance_type", "needs 320 GiB"),
        ("model", ['standby_preset = "gpt-5"'], "model.standby_preset", "is not a preset of KAITO 0.6.0"),
        ("model", ['standby_preset = "phi-4-mini-instruct"'], "model.standby_preset", "the same as the model"),
        ("model", ["standby_node_count = 1"], "model.standby_node_count", "the same as the model"),
        ("model", ["standby_node_count = 0"], "model.standby_node_count", "greater than or equal to 1"),
        ("model", ['preset = "gpt-5"'], "model.preset", "is not a preset of KAITO 0.6.0"),
        ("model", ['preset = "gpt-oss-20b"'], "model.preset", "is not a preset of KAITO 0.6.0"),
        ("model", ['preset = "phi-4-mini"'], "model.preset", "did you mean phi-4-mini-instruct?"),
        ("model", ['preset = "microsoft/phi-4"'], "model.preset", "did you mean phi-4?"),
        ("model", ['preset = "Phi-4"'], "model.preset", "must be a preset's short name, or a Hugging Face id"),
        ("ingress", ['mode = "none"', 'hostname = "chat.contoso.com"'], "ingress.hostname", "must not be set"),
        ("ingress", ['dns_zone_name = "contoso.com"'], "ingress.dns_zone_resource_group_name", "must be set"),
        ("ingress", ['hostname = "chat.fabrikam.com"', 'dns_zone_name = "contoso.com"',
                     'dns_zone_resource_group_name = "dns"'], "ingress.hostname", "must be in"),
        ("ingress", ['hostname = "a.contoso.com"', 'model_hostname = "a.contoso.com"'],
         "ingress.model_hostname", "must differ"),
        ("ingress", ['model_hostname = "model.contoso.com"'], "ingress.model_hostname", "has no authentication"),
        ("ingress", ['model_hostname = "model.contoso.com"'], "ingress.hostname", "must be set"),
        ("ingress", ['model_hostname = "model.contoso.com"'], "ingress.dns_zone_name", "by DNS only"),
        ("ingress", ['mode = "gateway"', 'model_hostname = "model.contoso.com"'],
         "ingress.model_hostname", "the Gateway API cannot protect it"),
        ("ingress", ['model_basic_auth_secret_name = "people"'], "ingress.model_basic_auth_secret_name", "must not be"),
        ("ingress", ['model_allowed_ip_ranges = ["52.174.1.2"]'], "ingress.model_allowed_ip_ranges", "must not be set"),
        ("ingress", ['model_allowed_ip_ranges = ["10.0.0.7"]'], "ingress.model_allowed_ip_ranges", "public IPv4"),
        ("ingress", ['model_basic_auth_secret_name = "No"'], "ingress.model_basic_auth_secret_name", "DNS label"),
        ("monitoring", ["alerts_enabled = false", 'alert_email_addresses = {a = "a@contoso.com"}'],
         "monitoring.alert_email_addresses", "must not be set"),
        ("chat", ['entra_client_id = "11111111-2222-3333-4444-555555555555"'], "chat.entra_client_id", "must not be"),
        ("monitoring", ['runbooks_url = "git.contoso.com/runbooks"'], "monitoring.runbooks_url", "address of a folder"),
        ("monitoring", ['runbooks_url = "https://me:secret@contoso.com/r"'], "monitoring.runbooks_url", "of a folder"),
        ("monitoring", ['runbooks_url = "https://contoso.com/{{ $value }}"'], "monitoring.runbooks_url", "of a folder"),
        ("monitoring.alert_email_addresses", ['a = "nobody"'], "monitoring.alert_email_addresses.a", "e-mail address"),
        ("network", ["private_endpoints_enabled = true"], "registry.sku", '"Premium"'),
        ("registry", ['sku = "Premium"', 'georeplication_locations = ["westeurope"]'],
         "registry.georeplication_locations", "own region"),
        ("openai", ["enabled = true"], "openai.deployments", "at least one"),
        ("postgresql", ["enabled = true", "zone_redundancy_enabled = true"], "postgresql.sku_name", "GP or MO"),
        ("jump_box", ["enabled = true"], "jump_box.enabled", "bastion.enabled"),
        ("flux", ["enabled = true"], "flux.url", "must be set"),
        ("network", ['nat_gateway_sku = "Basic"'], "network.nat_gateway_sku", 'must be "Standard" or "StandardV2"'),
        (
            "network",
            ['nat_gateway_sku = "StandardV2"', 'nat_gateway_zones = ["2"]'],
            "network.nat_gateway_zones",
            'must not be set while network.nat_gateway_sku = "StandardV2"',
        ),
        ("monitoring", ['basic_log_tables = ["AKSAudit", "AKSAudit"]'], "monitoring.basic_log_tables", "duplicates"),
        ("monitoring", ['basic_log_tables = ["Perf"]'], "monitoring.basic_log_tables", 'or "ContainerLogV2"'),
        ("tags", ['owner = "${file(1)}"'], "tags.owner", "Terraform would interpret"),
        ("tags", ['"a<b" = "x"'], "tags", "without <>"),
        ("chat", ['sign_in = "entra"'], "chat.entra_client_id", 'while chat.sign_in = "entra"'),
        ("chat", ['sign_in = "entra"'], "ingress.hostname", 'while chat.sign_in = "entra"'),
        ("state", ['backend = "azurerm"'], "state.storage_account_name", 'while state.backend = "azurerm"'),
        ("state", ['storage_account_name = "states"'], "state.storage_account_name", 'while state.backend = "local"'),
        ("workloads", ['credentials = "kubeconfig"'], "workloads.credentials", "azurecli"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_with_the_reason(
    table: str, lines: list[str], key: str, words: str, tmp_path: Path
) -> None:
    found = problems(written(tmp_path, changed(table, *lines)))
    assert key in found, found
    assert words in found[key]


def test_ingress_controllers_exclude_each_other(tmp_path: Path) -> None:
    gateway = (
        "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/hub"
        "/providers/Microsoft.Network/applicationGateways/agw"
    )
    found = problems(written(tmp_path, changed("cluster", f'application_gateway_resource_id = "{gateway}"')))
    assert "only one ingress is possible" in found["ingress.mode"]


def test_all_errors_of_a_file_come_at_once(tmp_path: Path) -> None:
    text = changed("cluster", 'sku_tier = "Gold"', 'dns_service_ip = "10.0.0.1"')
    text = text.replace('prefix = "kaito"', 'prefix = "-"').replace("max_count = 3", "max_count = 0", 1)
    assert {"prefix", "cluster.sku_tier", "cluster.dns_service_ip", "system_pool.max_count"} <= set(
        problems(written(tmp_path, text))
    )


def test_missing_required_keys_are_named(tmp_path: Path) -> None:
    found = problems(written(tmp_path, ""))
    assert set(found) == {"prefix", "location", "cluster"}
    assert "must be set" in found["prefix"]


def test_names_that_azure_would_refuse_are_caught(tmp_path: Path) -> None:
    found = problems(written(tmp_path, DEV, "pro--duction"))
    assert "Azure allows" in found["prefix"]


def test_an_environments_name_is_checked(tmp_path: Path) -> None:
    assert "environment" in problems(written(tmp_path, DEV, "Not A Name"))


def test_an_unsupported_kubernetes_version_only_warns(tmp_path: Path) -> None:
    path = written(tmp_path, changed("cluster", 'kubernetes_version = "1.35"'))
    assert load(path, date(2026, 11, 23)).warnings == ()
    (warning,) = load(path, date(2031, 1, 1)).warnings
    assert "is unsupported since" in warning


@pytest.mark.parametrize("data", [b"\xff\xfe", b"prefix = ", b"a = 1\na = 2", b"x = " + b"[" * 5000, b"x = 9" * 3])
def test_a_file_that_is_not_toml_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "dev.toml"
    path.write_bytes(data)
    assert "file" in problems(path)


def test_a_table_is_validated_again_without_its_broken_items(tmp_path: Path) -> None:
    found = problems(written(tmp_path, changed("tags", "a = 1", '"" = "x"')))
    assert "must be text" in found["tags.a"]
    assert "characters" in found["tags"]


def test_a_database_without_sign_in_warns(tmp_path: Path) -> None:
    warnings = load(written(tmp_path, changed("postgresql", "enabled = true")), TODAY).warnings
    assert any("postgresql.enabled" in warning and "chat.sign_in" in warning for warning in warnings)


def test_a_shared_state_without_a_group_of_administrators_warns(tmp_path: Path) -> None:
    state = ('backend = "azurerm"', 'resource_group_name = "rg-states"', 'storage_account_name = "ststates"')
    path = written(tmp_path, changed("state", *state))
    (warning,) = load(path, TODAY).warnings
    assert "state.backend" in warning
    assert "cluster.admin_group_object_ids" in warning
    groups = '\nadmin_group_object_ids = ["8c5ba1d6-6e2f-4b0e-9d57-0e8f2f4b7a10"]'
    path.write_text(path.read_text(encoding="utf-8").replace("[cluster]", "[cluster]" + groups), encoding="utf-8")
    assert load(path, TODAY).warnings == ()


def test_the_managed_nginx_warns_of_its_deprecation(tmp_path: Path) -> None:
    (warning,) = load(written(tmp_path, changed("ingress", 'mode = "webapprouting"')), TODAY).warnings
    assert "until November 2026" in warning


def test_a_gateway_on_a_pool_with_taints_warns(tmp_path: Path) -> None:
    text = changed("ingress", 'mode = "gateway"', 'hostname = "chat.kaito.dev"') + OPEN
    assert load(written(tmp_path, text), TODAY).warnings == ()
    path = written(tmp_path, text.replace("[user_pool]", "[user_pool]\nspot_enabled = true"))
    assert any("without tolerations" in warning for warning in load(path, TODAY).warnings)


def test_nodes_in_several_zones_behind_nat_in_one_warn(tmp_path: Path) -> None:
    text = changed("user_pool", 'zones = ["1", "3"]')
    (warning,) = load(written(tmp_path, text), TODAY).warnings
    assert 'network.nat_gateway_sku = "Standard": is in zone 1, while nodes are in zones 1, 3' in warning
    everywhere = text + '\n[network]\nnat_gateway_sku = "StandardV2"\n'
    assert load(written(tmp_path, everywhere), TODAY).warnings == ()
    assert load(written(tmp_path, everywhere + "nat_gateway_zones = []\n"), TODAY).warnings == ()


def test_nat_in_another_zone_than_all_nodes_warns(tmp_path: Path) -> None:
    pools = {"system_pool": ['zones = ["2"]'], "user_pool": ['zones = ["2"]']}
    (warning,) = warnings(written(tmp_path, edited(pools)))
    assert "is in zone 1, while nodes are in zone 2: if that of the gateway fails" in warning
    assert '"StandardV2" is in all zones' in warning
    assert warnings(written(tmp_path, edited({**pools, "network": ['nat_gateway_zones = ["2"]']}))) == []
    assert warnings(written(tmp_path, edited({**pools, "network": ["nat_gateway_zones = []"]}))) == []


def test_no_warning_advises_a_gateway_that_the_region_does_not_have(tmp_path: Path) -> None:
    pools = {"system_pool": ['zones = ["1", "2"]'], "user_pool": ['zones = ["1", "2"]']}
    (warning,) = warnings(written(tmp_path, edited({**pools, "": ['location = "qatarcentral"']})))
    assert "is in zone 1, while nodes are in zones 1, 2" in warning
    assert "qatarcentral has no StandardV2 gateway" in warning


def test_every_rule_is_listed_once() -> None:
    modules = [
        importlib.import_module(f"{rules.__name__}.{each.name}") for each in pkgutil.iter_modules(rules.__path__)
    ]
    defined = [each for module in modules for each in vars(module).values() if isinstance(each, Rule)]
    listed = [*RULES, *WARNINGS]
    assert len(listed) == len(set(listed))
    assert set(listed) == set(defined)
