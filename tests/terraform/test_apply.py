"""The real Terraform over stub providers: init, validate, plan, apply, and a second plan that is empty.

`test_clis.py` applies the shipped environments; these are stacks with other settings.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from aks_kaito.settings import Environment, load
from support.environment_files import OPEN, edited, written
from support.environments import EVERYTHING, altered, changed
from support.project import TODAY
from support.stacks import synthesized
from support.terraform_runs import Runs


def applied(document: dict[str, Any], folder: Path) -> Counter[str]:
    """Plan, apply and plan again; return the number of resources of each type."""
    return Counter(address.partition(".")[0] for address in Runs(document, folder).apply(document))


def test_terraform_applies_what_no_shipped_environment_has(
    environments: dict[str, Environment], tmp_path: Path
) -> None:
    group = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/hub"
    gateway = f"{group}/providers/Microsoft.Network/applicationGateways/agw"
    deployments = {"chat": {"model": "gpt-4o", "version": "2024-11-20"}}
    document = changed(
        environments,
        cluster={"application_gateway_resource_id": gateway, "authorized_ip_ranges": ["52.174.1.2"]},
        ingress={"mode": "none"},
        kaito={"provisioner_identity": "customer"},
        openai={"enabled": True, "deployments": deployments},
        postgresql={"enabled": True},
        user_pool={"spot_enabled": True},
    )
    found = applied(document, tmp_path)
    assert found["azurerm_cognitive_account"] == found["azurerm_postgresql_flexible_server"] == 1


def test_terraform_ignores_the_tags_of_others(tmp_path: Path) -> None:
    edits = {
        "": ['tags_ignored = ["CostCenter", "Created On"]'],
        "monitoring": ["grafana_public_network_access_enabled = false"],
    }
    found = applied(synthesized(load(written(tmp_path, edited(edits), "production"), TODAY)), tmp_path)
    assert found["azurerm_private_endpoint"] == 1


@pytest.mark.parametrize(
    "tables",
    [
        EVERYTHING,
        {"ingress": {"mode": "none"}, "workloads": {"cert_manager_enabled": False}},
        {"kaito": {"enabled": False}, "openai": EVERYTHING["openai"], "monitoring": {"alerts_enabled": False}},
    ],
    ids=["everything", "nothing published", "no model of its own"],
)
def test_terraform_applies_workloads_that_no_shipped_environment_has(
    tables: dict[str, dict[str, Any]], environments: dict[str, Environment], tmp_path: Path
) -> None:
    document = synthesized(altered(environments["dev"], **tables), "workloads")
    assert applied(document, tmp_path)["helm_release"] == len(document["resource"]["helm_release"])


@pytest.mark.parametrize("stack", ["platform", "workloads"])
def test_terraform_applies_the_open_source_kaito(
    stack: str, environments: dict[str, Environment], tmp_path: Path
) -> None:
    kaito = {"distribution": "helm", "version": "0.12.0", "provisioner": "gpu-provisioner"}
    found = applied(synthesized(altered(environments["dev"], kaito=kaito), stack), tmp_path)
    if stack == "platform":
        assert found["azurerm_federated_identity_credential"] == 2
    else:
        assert found["helm_release"] == 7


SEVERAL = """
[models.llama]
preset = "llama-3.1-8b-instruct"
instance_type = "Standard_NC24ads_A100_v4"
replicas = 2
access_secret = "hugging-face"
hostname = "llama.kaito.dev"
[models.phi]
preset = "phi-4"
instance_type = "Standard_NC24ads_A100_v4"
"""


@pytest.mark.parametrize("stack", ["platform", "workloads"])
def test_terraform_applies_several_models(stack: str, tmp_path: Path) -> None:
    ingress = ['hostname = "chat.kaito.dev"', 'model_basic_auth_secret_name = "users"']
    zone = ['dns_zone_name = "kaito.dev"', 'dns_zone_resource_group_name = "dns"']
    text = edited({"ingress": [*ingress, *zone]}) + OPEN + SEVERAL
    document = synthesized(load(written(tmp_path, text), TODAY), stack)
    found = applied(document, tmp_path)
    if stack == "platform":
        assert found["azurerm_dns_a_record"] == 2
    else:
        assert found["helm_release"] == len(document["resource"]["helm_release"])
