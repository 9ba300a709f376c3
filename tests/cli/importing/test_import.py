"""`aks-kaito import-tfvars`: the written file, and everything that it says."""

import json
import os
import subprocess
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from aks_kaito.settings import load
from aks_kaito_cli.importing.conversions import FUNCTIONS
from aks_kaito_cli.importing.variables import field, own_default, variables
from support import forked
from support.needs import needs_make
from support.project import ROOT, SSH_KEY, TODAY
from support.sample import PRINTED, declared

SAMPLE = ROOT / "environments" / "sample.toml"
REQUIRED = f'name_prefix = "kaito"\nssh_public_key = "{SSH_KEY}"\nkubernetes_version = "1.35"\n'


class Imported(NamedTuple):
    """The result of an import, whose file is `path`."""

    status: int
    printed: str
    errors: str
    path: Path

    @property
    def answer(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.printed)
        return found

    @property
    def keys(self) -> dict[str, Any]:
        """The written keys with their values."""
        return dict(_flat(tomllib.loads(self.path.read_text(encoding="utf-8"))))

    def found(self, group: str) -> dict[str, str]:
        """Return the findings of a heading, by subject."""
        findings = self.answer["findings"]
        return {each["subject"]: each["detail"] for each in findings if each["group"].startswith(group)}


def _flat(data: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    tables = [(f"{prefix}{key}", value) for key, value in data.items()]
    known = {variable.key for variable in variables().values()}
    return [
        pair
        for key, value in tables
        for pair in (_flat(value, f"{key}.") if isinstance(value, dict) and key not in known else [(key, value)])
    ]


def imported(folder: Path, text: str, *more: str, name: str = "mine", as_json: bool = True) -> Imported:
    """Import a file of variables into an empty folder of environments."""
    source, environments = folder / "terraform.tfvars", folder / "environments"
    source.write_text(text, encoding="utf-8")
    environments.mkdir(exist_ok=True)
    arguments = ["import-tfvars", str(source), "--name", name, *(["--json"] if as_json else []), *more]
    variables = {**os.environ, "AKS_KAITO_ENVIRONMENTS_DIR": str(environments), "COLUMNS": "80"}
    ran = forked.run(arguments, variables, seconds=60)
    assert "Traceback" not in ran.stderr
    return Imported(ran.returncode, ran.stdout, ran.stderr, environments / f"{name}.toml")


def test_the_samples_own_values_are_those_of_its_environment_file(tmp_path: Path) -> None:
    original = load(SAMPLE, TODAY).settings
    result = imported(tmp_path, PRINTED.format(key=original.cluster.ssh_public_key))
    assert (result.status, list(result.found("To complete"))) == (1, ["ingress.hostname"])
    assert "without sign-in" in result.found("To complete")["ingress.hostname"]
    text = result.path.read_text(encoding="utf-8").replace("[chat]", "[chat]\npublic_without_sign_in = true")
    result.path.write_text(text, encoding="utf-8")
    assert load(result.path, TODAY).settings == original


def test_what_did_not_carry_over_of_the_samples_values_is_listed(tmp_path: Path) -> None:
    result = imported(tmp_path, PRINTED.format(key=SSH_KEY))
    assert result.found("Not carried over") == {
        "namespace": "is kaito-demo here: Kubernetes accepts lower case only",
        "service_account_name": "is kaito-sa here: Kubernetes accepts lower case only",
    }
    replaced = result.found("Replaced")
    assert set(replaced) == {"kubernetes_version", "instance_type"}
    assert "retired by Azure on 2025-09-30" in replaced["instance_type"]
    assert {name for name, each in variables().items() if each.differs} - set(result.found("The sample's")) == {
        "network_plugin_mode"  # set to the mode of this project
    }


def test_defaults_that_are_deployed_and_differ_are_written_and_others_are_not(tmp_path: Path) -> None:
    result = imported(tmp_path, f"{REQUIRED}kaito_enabled = true\n")
    assert result.status == 0, result.printed
    assert result.keys == {
        "prefix": "kaito",
        "location": "northeurope",
        "cluster.ssh_public_key": SSH_KEY,
        "cluster.kubernetes_version": "1.35",
        "cluster.network_policy": "azure",
        "kaito.enabled": True,
        "system_pool.vm_size": "Standard_F16s_v2",
        "user_pool.vm_size": "Standard_F16s_v2",
        "storage.shared_access_key_enabled": True,
        "registry.sku": "Premium",
        "chat.namespace": "chainlit",
        "chat.service_account_name": "chainlit-sa",
        "bastion.enabled": True,
        "network.private_endpoints_enabled": True,
        "network.public_access_beside_endpoints_enabled": True,
        "monitoring.windows_rules_enabled": True,
        "monitoring.cluster_log_categories": list(load(SAMPLE, TODAY).settings.monitoring.cluster_log_categories),
    }
    origins = {each["key"]: each["origin"] for each in result.answer["keys"]}
    assert (origins["prefix"], origins["registry.sku"], origins["bastion.enabled"]) == ("set", "default", "always")
    assert 'sku = "Premium" # acr_sku, the sample\'s default\n' in result.path.read_text(encoding="utf-8")


def test_a_sample_without_kaito_and_with_every_switch_is_imported(tmp_path: Path) -> None:
    text = f"""{REQUIRED}
location = "swedencentral"
vnet_address_space = ["10.0.0.0/8", "172.20.0.0/16"]
user_node_pool_subnet_address_prefix = ["10.250.0.0/16"]
system_node_pool_node_labels = {{ team = "a" }}
user_node_pool_node_taints = ["dedicated=chat:NoSchedule"]
user_node_pool_priority = "Spot"
user_node_pool_min_count = "2"
user_node_pool_node_count = 5
storage_account_replication_type = "RA-GRS"
acr_georeplication_locations = ["westeurope"]
tags = {{ team = "chat", cost = 7 }}
key_vault_secrets_provider = {{ enabled = true, secret_rotation_enabled = true, secret_rotation_interval = "1h" }}
openai_enabled = true
openai_deployments = [{{
  name  = "chat",
  model = {{ name = "gpt-4o", version = "2024-11-20", sku = "GlobalStandard" }}
}}]
nat_gateway_zones = ["2"]
flux_enabled = true
flux_url = "https://github.com/contoso/manifests"
email = "operators@contoso.com"
instance_type = "Standard_NC24ads_A100_v4"
"""
    result = imported(tmp_path, text)
    assert result.status == 0, result.printed
    expected = {
        "location": "swedencentral",
        "network.address_space": ["10.0.0.0/8", "172.20.0.0/16"],
        "network.user_subnet_cidr": "10.250.0.0/16",
        "system_pool.node_labels": {"team": "a"},
        "user_pool.node_taints": ["dedicated=chat:NoSchedule"],
        "user_pool.spot_enabled": True,
        "user_pool.min_count": 2,
        "user_pool.node_count": 5,
        "storage.replication_type": "RAGRS",
        "registry.georeplication_locations": ["westeurope"],
        "tags": {"team": "chat", "cost": "7"},
        "cluster.key_vault_secrets_rotation_interval_minutes": 60,
        "openai.enabled": True,
        "openai.deployments": {
            "chat": {"model": "gpt-4o", "version": "2024-11-20", "capacity": 1, "sku_name": "GlobalStandard"}
        },
        "network.nat_gateway_zones": ["2"],
        "flux.enabled": True,
        "flux.url": "https://github.com/contoso/manifests",
        "kaito.enabled": False,
        "ingress.email": "operators@contoso.com",
    }
    assert {key: result.keys.get(key) for key in expected} == expected
    assert "model.instance_type" not in result.keys
    assert result.found("Not carried over") == {"instance_type": "has no effect unless kaito_enabled is true"}


@pytest.mark.parametrize(
    ("line", "name", "reason"),
    [
        ('colour = "blue"', "colour", "is no variable of the sample; its value is not shown"),
        ('acr_name = "mine"', "acr_name", "built from prefix, environment and region"),
        ("acr_sku = 3.5e1", "acr_sku", ""),
        ("vnet_address_space = 7", "vnet_address_space", "must be a list; Terraform refuses the value, too"),
        ('system_node_pool_max_count = "many"', "system_node_pool_max_count", "must be a number"),
        ("system_node_pool_max_count = 2.5", "system_node_pool_max_count", "must be a whole number"),
        ('vm_enabled = "maybe"', "vm_enabled", "must be true or false"),
        ('tags = ["a"]', "tags", "must be a map"),
        ('vm_subnet_address_prefix = ["10.1.0.0/24", "10.2.0.0/24"]', "vm_subnet_address_prefix", "has 2 ranges"),
        ('user_node_pool_priority = "Low"', "user_node_pool_priority", 'must be "Regular" or "Spot"'),
        ("network_plugin_mode = null", "network_plugin_mode", "is null there; cluster.network_plugin_mode = 'overlay'"),
        ('pod_subnet_address_prefix = ["10.242.0.0/16"]', "pod_subnet_address_prefix", "in pod-subnet mode only"),
        ('openai_enabled = true\nopenai_deployments = ["gpt"]', "openai_deployments", "must be a list of objects"),
    ],
)
def test_a_value_without_a_counterpart_is_listed_with_the_reason(
    line: str, name: str, reason: str, tmp_path: Path
) -> None:
    result = imported(tmp_path, f"{REQUIRED}{line}\n")
    assert result.path.exists()
    assert reason in result.found("Not carried over").get(name, "")
    assert bool(result.found("Not carried over").get(name)) == bool(reason)


SECRET = "hunter2hunter2hunter2hunter2"  # noqa: S105 - the value that must not appear


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (f'sql_admin_password = "{SECRET}"', "sql_admin_password"),
        (f'hf_token = "{SECRET}"', "hf_token"),
        (f'storage = "DefaultEndpointsProtocol=https;AccountKey={SECRET}"', "storage"),
        (f'flux_url = "https://git:{SECRET}@github.com/contoso/x"', "flux_url"),
        (f'flux_url = "https://{SECRET}@github.com/contoso/x"', "flux_url"),
        (f'tags = {{ team = "a", password = "{SECRET}" }}', "tags"),
        (f'colour = ["{SECRET}"]', "colour"),
        (f"ssh_public_key = <<EOT\n-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\nEOT", "ssh_public_key"),
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_secrets_are_neither_written_nor_shown(line: str, name: str, as_json: bool, tmp_path: Path) -> None:  # noqa: FBT001
    text = REQUIRED.replace("ssh_public_key", "#") if name == "ssh_public_key" else REQUIRED
    result = imported(tmp_path, f"{text}flux_enabled = true\n{line}\n", as_json=as_json)
    assert SECRET not in result.path.read_text(encoding="utf-8") + result.printed + result.errors
    assert name in result.printed
    if name not in ("colour", "ssh_public_key"):
        assert "neither written nor" in " ".join(result.printed.split())


def test_an_unsafe_value_is_not_replaced_by_a_default_that_opens_more(tmp_path: Path) -> None:
    result = imported(tmp_path, f'{REQUIRED}kaito_enabled = true\nauthorized_ip_ranges = ["10.0.0.0/8"]\n')
    assert (result.status, list(result.found("To complete"))) == (1, ["cluster.authorized_ip_ranges"])
    assert result.keys["cluster.authorized_ip_ranges"] == ["10.0.0.0/8"]


def test_missing_required_variables_are_named(tmp_path: Path) -> None:
    result = imported(tmp_path, 'kaito_enabled = true\nname_prefix = "not-a-prefix"\n')
    assert result.status == 1
    found = result.found("To complete")
    assert set(found) == {"prefix", "cluster.ssh_public_key"}
    assert found["prefix"] == 'prefix = "not-a-prefix": must be 2-10 letters and digits, starting with a letter'
    assert found["cluster.ssh_public_key"] == "cluster.ssh_public_key = (missing): must be set"
    assert result.answer["next"].endswith("mine.toml, then: make synth ENV=mine")


def test_an_existing_file_is_not_changed(tmp_path: Path) -> None:
    first = imported(tmp_path, REQUIRED)
    before = first.path.read_bytes()
    again = imported(tmp_path, PRINTED.format(key=SSH_KEY), as_json=False)
    assert (again.status, again.printed, first.path.read_bytes()) == (2, "", before)
    assert "mine.toml exists, and is not changed; choose another --name" in again.errors
    (tmp_path / "environments" / "link.toml").symlink_to(tmp_path / "nowhere.toml")
    linked = imported(tmp_path, REQUIRED, name="link")
    assert (linked.status, (tmp_path / "nowhere.toml").exists()) == (2, False)


@pytest.mark.parametrize("name", ["Prod", "a", "../x", "x" * 17, "ends-"])
def test_a_name_that_no_environment_can_have_is_refused(name: str, tmp_path: Path) -> None:
    result = imported(tmp_path, REQUIRED, name=name)
    assert (result.status, "must be 2-16 lower-case letters" in result.answer["answer"]) == (2, True)
    assert list((tmp_path / "environments").iterdir()) == []


def test_a_broken_file_exits_with_2_and_its_line_and_writes_nothing(tmp_path: Path) -> None:
    result = imported(tmp_path, "a = 1\nb = [\n", as_json=False)
    assert (result.status, result.printed, result.path.exists()) == (2, "", False)
    assert "terraform.tfvars: line 3, column 1: is not HCL" in result.errors


def test_the_answer_fits_into_a_narrow_terminal(tmp_path: Path) -> None:
    result = imported(tmp_path, PRINTED.format(key=SSH_KEY), as_json=False)
    *lists, sentence, following = result.printed.splitlines()
    assert max(map(len, lists)) <= 80
    assert sentence.endswith("4 did not carry over, 1 to complete before it can be synthesized.")
    assert following.startswith("Next: edit ")


def test_the_table_has_the_samples_names_types_and_defaults() -> None:
    expected = {each["name"]: (each["type"], each["default"]) for each in declared()}
    found = {}
    for name, each in variables().items():
        default = json.dumps(each.default) if each.default is not None else "null"
        plain = json.loads(default)
        text = plain if isinstance(plain, str) else default
        found[name] = (each.type, "(required)" if each.required else text)
    assert found == expected
    assert list(found) == list(expected)


def test_the_table_uses_functions_variables_and_keys_that_exist() -> None:
    table = variables().values()
    assert {each.convert for each in table if each.convert} == FUNCTIONS
    for each in table:
        assert each.key or each.difference, each.name
        assert not each.when or variables()[each.when].type == "bool", each.name
        assert each.key or not (each.convert or each.when or each.replaceable or each.placeholder), each.name
        if each.key:
            assert field(each.key) is not None
            # A default takes the place of a value only where there is one.
            assert not (each.replaceable and field(each.key).is_required()), each.name
            own_default(each.key)


def test_every_line_of_the_written_file_names_its_source(tmp_path: Path) -> None:
    result = imported(tmp_path, PRINTED.format(key=SSH_KEY))
    lines = [line for line in result.path.read_text(encoding="utf-8").splitlines() if " = " in line]
    sources = {line.rpartition(" # ")[2].removesuffix(", the sample's default") for line in lines}
    assert sources - {"the sample always has it"} <= set(variables())


def test_make_imports_the_file_of_the_page(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "migrate-from-the-sample.md").read_text(encoding="utf-8")
    assert "make import-tfvars FILE=terraform.tfvars ENV=imported\n" in page
    make = needs_make()
    source = tmp_path / "terraform.tfvars"
    source.write_text(f"{REQUIRED}kaito_enabled = true\n", encoding="utf-8")
    command = [*make, "import-tfvars", f"FILE={source}", "ENV=imported"]
    variables = {**os.environ, "AKS_KAITO_ENVIRONMENTS_DIR": str(tmp_path)}
    ran = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert load(tmp_path / "imported.toml", TODAY).settings.prefix == "kaito"
