"""Azure resources of tunings and of the mirror of models, and what their releases get."""

from pathlib import Path
from typing import Any

import pytest

from aks_kaito.settings import Environment, load
from support.environment_files import DEV, changed, edited, written
from support.project import TODAY
from support.rendered import cluster_objects, values_of
from support.rendering import names, one
from support.stacks import synthesized

TONE = """
[tuning.tone]
preset = "phi-4-mini-instruct"
data_urls = ["https://example.org/data.json"]
[model.adapters.tone]
tuning = "tone"
"""
MIRROR = {"kaito": ['distribution = "helm"', 'version = "0.12.0"', "model_mirror_enabled = true"]}
PRIVATE = {"network": ["private_endpoints_enabled = true"], "registry": ['sku = "Premium"']}


def environment(tmp_path: Path, text: str) -> Environment:
    return load(written(tmp_path, text), TODAY)


def of_type(document: dict[str, Any], kind: str, begin: str = "") -> dict[str, dict[str, Any]]:
    found = document["resource"].get(kind, {})
    return {name: each for name, each in found.items() if name.startswith(begin)}


def test_each_login_has_one_right_on_the_registry(tmp_path: Path) -> None:
    document = synthesized(environment(tmp_path, DEV + TONE))
    for right, role in (("push", "AcrPush"), ("pull", "AcrPull")):
        ((_, assignment),) = of_type(document, "azurerm_role_assignment", f"registry-{right}").items()
        assert assignment["role_definition_name"] == role
        assert "azurerm_container_registry.registry_" in assignment["scope"]
        assert f"registry-{right}-identity" in assignment["principal_id"]
        begin = f"registry-{right}-identity_federated"
        ((_, federated),) = of_type(document, "azurerm_federated_identity_credential", begin).items()
        assert federated["subject"] == f"system:serviceaccount:kaito-chat:kaito-chat-registry-{right}"


def test_the_chat_gets_the_ids_of_the_logins(tmp_path: Path) -> None:
    document = synthesized(environment(tmp_path, DEV + TONE), "workloads")
    found = values_of(document, "kaito-chat")["registryLogin"]
    assert found["push"]["enabled"]
    assert found["push"]["clientId"]
    assert found["pull"]["clientId"]


@pytest.fixture
def mirrored(tmp_path: Path) -> Environment:
    return environment(tmp_path, edited(MIRROR))


def test_models_read_the_mirror_and_the_cluster_mounts_it(mirrored: Environment) -> None:
    document = synthesized(mirrored)
    ((_, account),) = of_type(document, "azurerm_storage_account", "model-mirror").items()
    assert account["name"] == mirrored.names.model_storage_account
    assert (account["account_kind"], account["account_tier"]) == ("BlockBlobStorage", "Premium")
    assert account["network_rules"]["default_action"] == "Deny"
    roles = {
        (each["role_definition_name"], each["principal_id"].split(".")[1].rsplit("_", 2)[0])
        for each in of_type(document, "azurerm_role_assignment").values()
        if "azurerm_storage_account.model-mirror" in each["scope"]
    }
    assert roles == {
        ("Storage Blob Data Reader", "model-streamer-identity"),
        ("Storage Account Contributor", "cluster"),
    }
    begin = "model-streamer-identity_federated"
    ((_, federated),) = of_type(document, "azurerm_federated_identity_credential", begin).items()
    assert federated["subject"] == "system:serviceaccount:kaito-chat:kaito-model-streamer"
    ((_, cluster),) = of_type(document, "azurerm_kubernetes_cluster", "cluster").items()
    assert cluster["storage_profile"] == {"blob_driver_enabled": True}


def test_a_private_mirror_shares_the_zone_of_the_other_account(tmp_path: Path) -> None:
    document = synthesized(environment(tmp_path, edited(MIRROR | PRIVATE)))
    ((_, endpoint),) = of_type(document, "azurerm_private_endpoint", "model-mirror").items()
    zone = endpoint["private_dns_zone_group"]["private_dns_zone_ids"][0]
    assert "storage_private-endpoint_zone" in zone
    zones = [each["name"] for each in of_type(document, "azurerm_private_dns_zone").values()]
    assert zones.count("privatelink.blob.core.windows.net") == 1
    endpoints = [each["name"] for each in of_type(document, "azurerm_private_endpoint").values()]
    assert len(set(endpoints)) == len(endpoints)


def test_kaito_streams_with_the_objects_of_the_cluster_chart(mirrored: Environment) -> None:
    document = synthesized(mirrored, "workloads")
    kaito = values_of(document, "kaito-workspace")
    assert kaito["featureGates"]["ModelMirror"]
    assert kaito["featureGates"]["ModelStreaming"]
    objects = cluster_objects(document)
    storage_class = one(objects, "StorageClass", kaito["defaultModelMirrorStorageClass"])
    assert storage_class["parameters"] == {
        "protocol": "fuse2",
        "resourceGroup": mirrored.names.resource_group,
        "storageAccount": mirrored.names.model_storage_account,
        "secretNamespace": "kube-system",
    }
    assert storage_class["reclaimPolicy"] == "Retain"
    account = one(objects, "ServiceAccount", kaito["defaultStreamingServiceAccount"])
    assert account["metadata"]["annotations"]["azure.workload.identity/client-id"]


def test_without_both_nothing_is_added(tmp_path: Path) -> None:
    plain = environment(tmp_path, changed("kaito", "model_mirror_enabled = false"))
    document = synthesized(plain)
    assert not of_type(document, "azurerm_storage_account", "model-mirror")
    assert not of_type(document, "azurerm_user_assigned_identity", "registry-")
    ((_, cluster),) = of_type(document, "azurerm_kubernetes_cluster", "cluster").items()
    assert "storage_profile" not in cluster
    assert "StorageClass" not in {kind for kind, _ in names(cluster_objects(synthesized(plain, "workloads")))}
