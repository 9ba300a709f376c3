"""The stacks of both distributions of KAITO, and of each provisioner of the open-source one."""

import json
from typing import Any

import pytest

from aks_kaito.charts import kaito
from aks_kaito.settings import Environment
from support.environments import altered
from support.inventory import of_kind, paths
from support.rendered import chat_objects, values_of
from support.rendering import one
from support.stacks import synthesized
from support.validation import check_custom

HELM = {"distribution": "helm", "version": "0.12.0"}
POOLS = {**HELM, "provisioner": "gpu-provisioner"}
EXISTING = {**HELM, "provisioner": "none"}
GPU = {"gpu_exporter_enabled": True}
GATES = {
    "vLLM": True,
    "disableNodeAutoProvisioning": False,
    "gatewayAPIInferenceExtension": False,
    "enableInferenceSetController": True,
    "enableMIG": False,
    "enableAccelerator": False,
    "enableMultiRoleInferenceController": False,
    "ModelMirror": False,
    "ModelStreaming": False,
    "enableBaseImageAutoUpgrade": False,
}


def platform(environments: dict[str, Environment], table: dict[str, Any]) -> dict[str, Any]:
    return synthesized(altered(environments["dev"], kaito=table))


def workloads(environments: dict[str, Environment], table: dict[str, Any], **tables: dict[str, Any]) -> dict[str, Any]:
    return synthesized(altered(environments["dev"], kaito=table, monitoring=GPU, **tables), "workloads")


def releases(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in of_kind(document, "helm_release")}


@pytest.mark.parametrize(
    ("table", "is_add_on", "profile"),
    [
        ({}, True, {"mode": "Manual"}),
        ({"enabled": False}, False, {"mode": "Manual"}),
        (HELM, False, {"mode": "Auto", "default_node_pools": "None"}),
        ({**HELM, "enabled": False}, False, {"mode": "Manual"}),
        (POOLS, False, {"mode": "Manual"}),
        (EXISTING, False, {"mode": "Manual"}),
    ],
)
def test_one_distribution_and_one_provisioner_are_on(
    table: dict[str, Any], *, is_add_on: bool, profile: dict[str, str], environments: dict[str, Environment]
) -> None:
    document = platform(environments, table)
    (cluster,) = of_kind(document, "azurerm_kubernetes_cluster")
    assert cluster["node_provisioning_profile"] == profile
    properties = paths(document)["azapi_update_resource:kaito"]["body"]["properties"]
    assert properties["aiToolchainOperatorProfile"] == {"enabled": is_add_on}
    identities = [each["name"] for each in of_kind(document, "azurerm_user_assigned_identity")]
    assert any("gpu-provisioner" in name for name in identities) == (table is POOLS)


@pytest.mark.parametrize(("table", "has_window"), [({}, False), (POOLS, False), (HELM, True)])
def test_node_auto_provisioning_takes_images_in_the_maintenance_window(
    table: dict[str, Any], *, has_window: bool, environments: dict[str, Environment]
) -> None:
    channel = {"node_os_upgrade_channel": "None"}
    document = synthesized(altered(environments["dev"], kaito=table, cluster=channel))
    (cluster,) = of_kind(document, "azurerm_kubernetes_cluster")
    assert cluster.get("maintenance_window_node_os", {}).get("day_of_week") == ("Sunday" if has_window else None)


def test_the_gpu_provisioner_signs_in_and_changes_this_cluster_only(environments: dict[str, Environment]) -> None:
    document = platform(environments, POOLS)
    found = paths(document)
    assert found["azurerm_user_assigned_identity:gpu-provisioner-identity"]["name"] == (
        "id-gpu-provisioner-kaito-dev-westeurope"
    )
    credential = found["azurerm_federated_identity_credential:gpu-provisioner-identity/federated-credential"]
    assert credential["subject"] == "system:serviceaccount:gpu-provisioner:gpu-provisioner"
    assert credential["audience"] == ["api://AzureADTokenExchange"]
    assert credential["issuer"].endswith(".oidc_issuer_url}")
    assert "gpu-provisioner-identity" in credential["user_assigned_identity_id"]
    (cluster,) = document["resource"]["azurerm_kubernetes_cluster"]
    (identity,) = (each for each in document["resource"]["azurerm_user_assigned_identity"] if "gpu-prov" in each)
    roles = [
        each
        for each in of_kind(document, "azurerm_role_assignment")
        if each["principal_id"] == f"${{azurerm_user_assigned_identity.{identity}.principal_id}}"
    ]
    assert [(each["role_definition_name"], each["scope"]) for each in roles] == [
        ("Contributor", f"${{azurerm_kubernetes_cluster.{cluster}.id}}")
    ]


def test_the_add_on_has_no_release_of_kaito(environments: dict[str, Environment]) -> None:
    assert releases(workloads(environments, {})).keys() == {
        "cert-manager",
        "kaito-chat",
        "kaito-cluster",
        "nginx-ingress",
    }
    off = releases(workloads(environments, {**HELM, "enabled": False}))
    assert "kaito-workspace" not in off


def test_the_chart_is_pinned_and_installed_before_the_chat(environments: dict[str, Environment]) -> None:
    document = workloads(environments, HELM)
    found = releases(document)
    assert "gpu-provisioner" not in found
    release = found["kaito-workspace"]
    assert {key: release[key] for key in ("chart", "repository", "version", "namespace")} == {
        "chart": "workspace",
        "repository": "https://kaito-project.github.io/kaito/charts/kaito",
        "version": "0.12.0",
        "namespace": "kaito-workspace",
    }
    assert (release["create_namespace"], release["take_ownership"], release["atomic"]) == (True, True, True)
    assert values_of(document, "kaito-workspace") == {
        "clusterName": "aks-kaito-dev-westeurope",
        "featureGates": GATES,
        "nodeProvisioner": "karpenter",
        "karpenterProviders": {"azure": {"nodeClasses": kaito.node_classes()}},
        "tolerations": [],
    }
    (address,) = (
        f"helm_release.{key}" for key, each in document["resource"]["helm_release"].items() if each is release
    )
    for name in ("kaito-cluster", "kaito-chat"):
        assert address in found[name]["depends_on"]
    # The Job in it waits for KAITO's webhook.
    assert values_of(document, "kaito-cluster")["awaitKaito"]["enabled"] is True


def test_the_node_classes_are_karpenters(environments: dict[str, Environment]) -> None:
    classes = kaito.node_classes()
    assert [(each["name"], each["default"], each["spec"]["imageFamily"]) for each in classes] == [
        ("image-family-ubuntu", True, "Ubuntu"),
        ("image-family-azure-linux", False, "AzureLinux"),
    ]
    objects = [
        {"apiVersion": "karpenter.azure.com/v1beta1", "kind": "AKSNodeClass", "spec": each["spec"]} for each in classes
    ]
    assert check_custom(objects)
    for table, annotation in (
        (HELM, {"kaito.sh/node-class-name": "image-family-azure-linux"}),
        (POOLS, {"kaito.sh/node-image-family": "azurelinux"}),
        ({"version": "0.12.0"}, {"kaito.sh/node-image-family": "azurelinux"}),
    ):
        document = workloads(environments, table, model={"node_image_family": "azurelinux"})
        assert values_of(document, "kaito-chat")["model"]["annotations"] == annotation


def test_the_gpu_provisioner_comes_before_kaito(environments: dict[str, Environment]) -> None:
    document = workloads(environments, POOLS)
    found = releases(document)
    release = found["gpu-provisioner"]
    assert {key: release[key] for key in ("chart", "repository", "version", "namespace")} == {
        "chart": "gpu-provisioner",
        "repository": "https://azure.github.io/gpu-provisioner/charts",
        "version": "0.4.3",
        "namespace": "gpu-provisioner",
    }
    assert "take_ownership" not in release
    (address,) = (
        f"helm_release.{key}" for key, each in document["resource"]["helm_release"].items() if each is release
    )
    assert found["kaito-workspace"]["depends_on"] == [address]
    (text,) = release["values"]
    values = json.loads(text)
    place = "${data.azurerm_user_assigned_identity.gpu-provisioner-identity"
    assert values["workloadIdentity"] == {"clientId": f"{place}.client_id}}", "tenantId": f"{place}.tenant_id}}"}
    variables = {each["name"]: each["value"] for each in values["controller"]["env"]}
    assert variables == {
        "ARM_SUBSCRIPTION_ID": "${data.azurerm_client_config.deployer.subscription_id}",
        "LOCATION": "westeurope",
        "AZURE_CLUSTER_NAME": "aks-kaito-dev-westeurope",
        "AZURE_NODE_RESOURCE_GROUP": "${data.azurerm_kubernetes_cluster.cluster.node_resource_group}",
        "ARM_RESOURCE_GROUP": "rg-kaito-dev-westeurope",
        "LEADER_ELECT": "false",
    }
    kaitos = values_of(document, "kaito-workspace")
    assert (kaitos["nodeProvisioner"], "karpenterProviders" in kaitos) == ("azure-gpu-provisioner", False)


def test_existing_nodes_have_a_gate_and_a_provisioner_of_kaito(environments: dict[str, Environment]) -> None:
    model = {"instance_type": "", "node_labels": {"pool": "gpus"}, "spot_enabled": True, "mig_profile": "2g.20gb"}
    document = workloads(environments, EXISTING, model=model)
    values = values_of(document, "kaito-workspace")
    # KAITO itself reads nodeProvisioner; the chart installs the discovery of features by the gate.
    assert values["nodeProvisioner"] == "byo"
    assert values["featureGates"] == {**GATES, "disableNodeAutoProvisioning": True, "enableMIG": True}
    assert values["spotInstance"] == {"enabled": True}


@pytest.mark.parametrize("is_spot", [False, True])
def test_the_discovery_runs_on_the_nodes_on_which_models_run(
    is_spot: bool,  # noqa: FBT001
    environments: dict[str, Environment],
) -> None:
    model = {"instance_type": "", "node_labels": {"pool": "gpus"}, "spot_enabled": is_spot}
    values = values_of(workloads(environments, EXISTING, model=model), "kaito-workspace")["gpu-feature-discovery"]
    keys = ["nvidia.com/gpu", "sku", *(["kubernetes.azure.com/scalesetpriority"] if is_spot else [])]
    assert [each["key"] for each in values["tolerations"]] == ["CriticalAddonsOnly", *keys]
    assert values["nfd"]["worker"]["tolerations"] == values["tolerations"][1:]
    assert "gpu-feature-discovery" not in values_of(workloads(environments, HELM), "kaito-workspace")


@pytest.mark.parametrize(
    ("table", "label"),
    [
        ({}, {"kaito.sh/machine-type": "gpu"}),
        (HELM, {"accelerator": "nvidia"}),
        (POOLS, {"kaito.sh/machine-type": "gpu"}),
        (EXISTING, {"nvidia.com/gpu.present": "true"}),
    ],
)
def test_the_gpu_exporter_finds_the_nodes_of_each_provisioner(
    table: dict[str, Any], label: dict[str, str], environments: dict[str, Environment]
) -> None:
    model = {"instance_type": "", "node_labels": {"pool": "gpus"}} if table is EXISTING else {}
    exporter = one(chat_objects(workloads(environments, table, model=model)), "DaemonSet")
    assert exporter["spec"]["template"]["spec"]["nodeSelector"] == label


def test_controllers_tolerate_the_taints_of_the_user_pool_and_are_scraped(
    environments: dict[str, Environment],
) -> None:
    document = workloads(environments, POOLS, user_pool={"node_taints": ["workload=chat:NoSchedule"]})
    taint = {"key": "workload", "operator": "Equal", "value": "chat", "effect": "NoSchedule"}
    system = {"key": "CriticalAddonsOnly", "operator": "Exists"}
    values = values_of(document, "kaito-workspace")
    assert values["tolerations"] == [taint]
    assert values["local-csi-driver"] == {"manager": {"deployment": {"tolerations": [system, taint]}}}
    assert values_of(document, "gpu-provisioner")["tolerations"] == [system, taint]
    jobs = paths(document)["kubernetes_config_map_v1:managed-prometheus/jobs"]["data"]["prometheus-config"]
    (job,) = (each for each in json.loads(jobs)["scrape_configs"] if each["job_name"] == "kaito-workspace")
    assert job["kubernetes_sd_configs"] == [{"role": "pod", "namespaces": {"names": ["kaito-workspace"]}}]


def test_both_charts_come_from_the_registry_of_the_settings(environments: dict[str, Environment]) -> None:
    found = releases(workloads(environments, POOLS, charts={"registry": "contoso.azurecr.io/charts"}))
    for name in ("kaito-workspace", "gpu-provisioner"):
        assert found[name]["repository"] == "oci://contoso.azurecr.io/charts"
