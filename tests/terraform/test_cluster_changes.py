"""Changes of a deployed cluster: apply, change, plan, apply, and a second plan that is empty."""

import re
from pathlib import Path
from typing import Any

import pytest

from aks_kaito.settings import Environment
from support.environments import changed
from support.terraform_runs import Runs

REPLACED = ["delete", "create"]
PARTS = ("control-plane", "system-pool", "user-pool")
UPGRADES = [f"azapi_update_resource.kubernetes-upgrade_{part}" for part in PARTS]
VERSION = "terraform_data.kubernetes-upgrade_version"
CLUSTER = "azurerm_kubernetes_cluster.cluster"
SWITCH = "azapi_update_resource.kaito"


def plain(address: str) -> str:
    """Return an address without the hash."""
    return re.sub(r"_[0-9A-F]{8}$", "", address)


def actions(runs: Runs, document: dict[str, Any]) -> dict[str, list[str]]:
    """Return the actions of a plan by address without the hash."""
    return {plain(address): action for address, action in runs.plan(document).actions.items()}


def version(environments: dict[str, Environment], number: str, channel: str = "patch") -> dict[str, Any]:
    """Return the stack with a version and an upgrade channel."""
    return changed(environments, cluster={"kubernetes_version": number, "automatic_upgrade_channel": channel})


def runs_version(number: str) -> Any:
    """Return a change of Azure: the control plane and the pools have a version."""

    def change(values: dict[str, dict[str, Any]]) -> None:
        for address, attributes in values.items():
            match plain(address):
                case "azurerm_kubernetes_cluster.cluster":
                    attributes["kubernetes_version"] = attributes["current_kubernetes_version"] = number
                    attributes["default_node_pool"][0]["orchestrator_version"] = number
                case "azurerm_kubernetes_cluster_node_pool.cluster_user-pool":
                    attributes["orchestrator_version"] = number
                case "azapi_update_resource.kubernetes-upgrade_control-plane":
                    attributes["body"]["value"]["properties"]["kubernetesVersion"] = number

    return change


def test_a_newer_minor_reaches_the_control_plane_and_then_the_pools(
    environments: dict[str, Environment], tmp_path: Path
) -> None:
    old, new = version(environments, "1.35"), version(environments, "1.36")
    runs = Runs(old, tmp_path)
    runs.apply(old)

    plan = runs.plan(new)
    assert {plain(address): action for address, action in plan.actions.items()} == {
        VERSION: ["update"],
        **dict.fromkeys(UPGRADES, REPLACED),
    }
    bodies = {plain(address): after["body"]["properties"] for address, after in plan.after.items() if "body" in after}
    assert bodies == {
        UPGRADES[0]: {"kubernetesVersion": "1.36"},
        UPGRADES[1]: {"orchestratorVersion": "1.36"},
        UPGRADES[2]: {"orchestratorVersion": "1.36"},
    }
    order = [plain(address) for address in runs.apply(new)]
    # Each is deleted and created; Terraform deletes in the opposite order.
    assert order[-3:] == UPGRADES

    # azurerm reads the new version; one minor further is possible, two are not, and neither is the way back.
    runs.drift(runs_version("1.36"))
    assert actions(runs, new) == {}
    assert set(actions(runs, version(environments, "1.37"))) == {VERSION, *UPGRADES}
    assert "the cluster runs 1.36 (requested: 1.36), and AKS cannot downgrade" in runs.refusal(old)


def test_versions_of_the_upgrade_channel_are_not_reverted(environments: dict[str, Environment], tmp_path: Path) -> None:
    document = version(environments, "1.35")
    runs = Runs(document, tmp_path)
    runs.apply(document)
    runs.drift(runs_version("1.35.7"))
    assert actions(runs, document) == {}
    assert set(actions(runs, version(environments, "1.36"))) == {VERSION, *UPGRADES}
    message = runs.refusal(version(environments, "1.37"))
    assert "the cluster runs 1.35.7, and AKS upgrades one minor version at a time" in message
    assert 'Set "1.36", deploy, and repeat with the next one.' in message


def test_a_channel_that_moves_the_minor_version_causes_a_warning(
    environments: dict[str, Environment], tmp_path: Path
) -> None:
    document = version(environments, "1.35", "stable")
    runs = Runs(document, tmp_path)
    runs.apply(document)
    assert runs.plan(document).warnings == []
    runs.drift(runs_version("1.36.2"))
    plan = runs.plan(document)
    assert plan.actions == {}
    (warning,) = plan.warnings
    assert warning.startswith('cluster.kubernetes_version = "1.35" has no effect: the upgrade channel moved')
    assert warning.endswith('the cluster to 1.36.2. Set it to "1.36".')
    # A version that is older than the cluster's is not written.
    older = runs.plan(version(environments, "1.34", "stable"))
    bodies = [after["body"]["properties"] for after in older.after.values() if "body" in after]
    assert bodies == [{"kubernetesVersion": "1.36.2"}, *([{"orchestratorVersion": "1.36.2"}] * 2)]


def test_a_full_version_upgrades_the_patch_and_never_downgrades_it(
    environments: dict[str, Environment], tmp_path: Path
) -> None:
    old, new = version(environments, "1.35.4", "none"), version(environments, "1.35.6", "none")
    runs = Runs(old, tmp_path)
    runs.apply(old)
    assert set(actions(runs, new)) == {VERSION, *UPGRADES}
    runs.drift(runs_version("1.35.6"))
    assert "the cluster runs 1.35.6 (requested: 1.35.6), and AKS cannot downgrade" in runs.refusal(old)
    assert set(actions(runs, version(environments, "1.36.1", "none"))) == {VERSION, *UPGRADES}
    assert "the cluster runs 1.35.6, and AKS upgrades one minor" in runs.refusal(
        version(environments, "1.37.1", "none")
    )


@pytest.mark.parametrize("mode", ["nginx", "gateway", "webapprouting"])
def test_azapi_writes_its_properties_again_after_each_change_of_the_cluster(
    mode: str, environments: dict[str, Environment], tmp_path: Path
) -> None:
    tables: dict[str, Any] = {"ingress": {"mode": mode}, "kaito": {"provisioner_identity": "customer"}}
    old = changed(environments, **tables)
    runs = Runs(old, tmp_path)
    runs.apply(old)
    new = changed(environments, **tables, cluster={"image_cleaner_interval_hours": 72})
    # Neither the credential nor the role of the provisioner is replaced.
    assert actions(runs, new) == {CLUSTER: ["update"], SWITCH: REPLACED}
    assert [plain(address) for address in runs.apply(new)][-2:] == [CLUSTER, SWITCH]


def test_a_lost_gateway_api_is_installed_again(environments: dict[str, Environment], tmp_path: Path) -> None:
    document = changed(environments, ingress={"mode": "gateway"})
    runs = Runs(document, tmp_path)
    runs.apply(document)

    def lose(values: dict[str, dict[str, Any]]) -> None:
        (switch,) = (found for address, found in values.items() if plain(address) == SWITCH)
        for part in ("value", "type"):
            inner = switch["body"][part]
            if part == "type":
                inner = inner[1]["properties"][1]["ingressProfile"][1]
            else:
                inner = inner["properties"]["ingressProfile"]
            del inner["gatewayAPI"]

    runs.drift(lose)
    plan = runs.plan(document)
    ((address, action),) = plan.actions.items()
    assert (plain(address), action) == (SWITCH, ["update"])
    installed = plan.after[address]["body"]["properties"]["ingressProfile"]["gatewayAPI"]
    assert installed == {"installation": "Standard"}
    runs.apply(document)


def test_the_autoscalers_are_switched_off_and_on_again(environments: dict[str, Environment], tmp_path: Path) -> None:
    names = ("keda_enabled", "vertical_pod_autoscaler_enabled")
    on, off = (changed(environments, cluster=dict.fromkeys(names, value)) for value in (True, False))
    runs = Runs(off, tmp_path)
    runs.apply(off)
    runs.apply(on)
    plan = runs.plan(off)
    ((address, action),) = plan.actions.items()
    assert (plain(address), action) == (SWITCH, ["update"])
    profile = {"keda": {"enabled": False}, "verticalPodAutoscaler": {"enabled": False}}
    assert plan.after[address]["body"]["properties"]["workloadAutoScalerProfile"] == profile
    runs.apply(off)


def test_another_ssh_key_is_written_in_place(environments: dict[str, Environment], tmp_path: Path) -> None:
    old = changed(environments)
    key = f"{environments['dev'].settings.cluster.ssh_public_key.partition(' replace-me')[0]} someone"
    new = changed(environments, cluster={"ssh_public_key": key})
    runs = Runs(old, tmp_path)
    runs.apply(old)
    plan = runs.plan(new)
    ((address, action),) = plan.actions.items()
    assert (plain(address), action) == (SWITCH, ["update"])
    assert plan.after[address]["body"]["properties"]["linuxProfile"]["ssh"]["publicKeys"] == [{"keyData": key}]
    runs.apply(new)


def test_replicas_in_another_order_are_no_change(environments: dict[str, Environment], tmp_path: Path) -> None:
    def replicas(*regions: str) -> dict[str, Any]:
        return changed(environments, registry={"sku": "Premium", "georeplication_locations": list(regions)})

    runs = Runs(replicas("northeurope", "eastus"), tmp_path)
    runs.apply(replicas("northeurope", "eastus"))
    assert actions(runs, replicas("eastus", "northeurope")) == {}


def test_a_cluster_of_an_older_release_is_not_replaced(environments: dict[str, Environment], tmp_path: Path) -> None:
    new, old = changed(environments), changed(environments)
    del old["resource"]["terraform_data"]
    updates = old["resource"]["azapi_update_resource"]
    for address in [address for address in updates if address.startswith("kubernetes-upgrade")]:
        del updates[address]
    (switch,) = updates.values()
    del switch["lifecycle"], switch["ignore_missing_property"], switch["body"]["properties"]["linuxProfile"]
    del switch["body"]["properties"]["ingressProfile"]["webAppRouting"]["enabled"]
    (cluster,) = old["resource"]["azurerm_kubernetes_cluster"].values()
    del cluster["node_resource_group"]
    runs = Runs(old, tmp_path)
    runs.apply(old)
    assert actions(runs, new) == {SWITCH: ["update"], **{address: ["create"] for address in [VERSION, *UPGRADES]}}
    runs.apply(new)
