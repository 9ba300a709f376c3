"""References between the stacks: the workloads stack looks up resources of the platform by name."""

import json
import re
from typing import Any

import pytest

from aks_kaito.settings import Environment
from support.environments import EVERYTHING, altered
from support.inventory import of_kind
from support.project import ENVIRONMENTS
from support.rendered import chat_objects
from support.stacks import synthesized

Stacks = tuple[dict[str, Any], dict[str, Any]]


@pytest.fixture(scope="module", params=[*(path.stem for path in ENVIRONMENTS), "everything"])
def both(
    request: pytest.FixtureRequest,
    environments: dict[str, Environment],
    stacks: dict[str, dict[str, Any]],
    workloads: dict[str, dict[str, Any]],
) -> Stacks:
    """Return both stacks of an environment."""
    if request.param in stacks:
        return stacks[request.param], workloads[request.param]
    environment = altered(environments["dev"], **EVERYTHING)
    return synthesized(environment), synthesized(environment, "workloads")


def test_the_platform_defines_everything_that_is_looked_up(both: Stacks) -> None:
    platform, workloads = both
    (group,) = of_kind(platform, "azurerm_resource_group")
    looked_up = {kind: found for kind, found in workloads["data"].items() if kind != "azurerm_client_config"}
    assert {"azurerm_kubernetes_cluster", "azurerm_monitor_workspace", "azurerm_user_assigned_identity"} == set(
        looked_up
    )
    for kind, found in looked_up.items():
        made = {each["name"] for each in of_kind(platform, kind)}
        for each in found.values():
            assert each["name"] in made
            assert each["resource_group_name"] == group["name"]


def test_names_in_the_chats_values_are_those_of_the_platform(both: Stacks) -> None:
    platform, workloads = both
    text = json.dumps(chat_objects(workloads))
    named = {
        "azurerm_container_registry": (r"([\w-]+)\.azurecr\.io/kaito-chat", "name"),
        "azurerm_key_vault": (r'"keyvaultName": "([^"]+)"', "name"),
        "azurerm_cognitive_account": (r"https://([\w-]+)\.openai\.azure\.com", "custom_subdomain_name"),
        "azurerm_postgresql_flexible_server": (r"@([\w-]+)\.postgres\.database\.azure\.com", "name"),
    }
    found = {kind: set(re.findall(pattern, text)) for kind, (pattern, _) in named.items()}
    for kind, names in found.items():
        assert names <= {each[named[kind][1]] for each in of_kind(platform, kind)}, kind
    assert found["azurerm_container_registry"]
    if "SecretProviderClass" in text:
        assert all(names for kind, names in found.items() if of_kind(platform, kind))


def test_no_value_and_no_output_is_a_secret(both: Stacks) -> None:
    for stack in both:
        text = json.dumps(stack)
        assert not re.search(r"(admin_password|kube_admin_config|access_key\b|client_secret|account_key)\b", text)
        assert "PRIVATE KEY" not in text
        assert not re.search(r"password|secret|token|key_data|kube_config", json.dumps(stack.get("output", {})))
