"""Destroying step by step, with stand-ins; at the end Azure is asked what is left."""

from pathlib import Path

import pytest

from support import states
from support.stand_ins import DEV, GROUP, environment, run, starting

WORKLOADS = "cdk destroy kaito-dev-workloads --auto-approve"
PLATFORM = "cdk destroy kaito-dev-platform --auto-approve"
CLUSTER = f"--resource-group {GROUP} --name aks-kaito-dev-westeurope"
NODES = "[?ends_with(managedBy || '', '/managedClusters/aks-kaito-dev-westeurope')].name"
DELETED = "[?name=='kv-kaito-dev-6f10b7'].properties.scheduledPurgeDate"
NOT_FOUND = (
    "Message: The Resource 'Microsoft.ContainerService/managedClusters/aks-kaito-dev-westeurope' under resource group "
    f"'{GROUP}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
)
AGAIN = "Next:   make destroy ENV=dev CONFIRM=dev"


def test_the_workloads_are_destroyed_first_and_azure_is_asked_at_the_end(tmp_path: Path) -> None:
    ran = run(tmp_path, "destroy", "dev", "dev")
    assert ran.done.returncode == 0, ran.done.stderr
    assert ran.lines == [
        f"az aks show {CLUSTER} --query name --output tsv",
        f"{WORKLOADS} --ignore-missing-stack-dependencies",
        f"{PLATFORM} --ignore-missing-stack-dependencies",
        f"az group exists --name {GROUP}",
        f"az group list --query {NODES} --output tsv",
        f"az keyvault list-deleted --resource-type vault --query {DELETED} --output tsv",
    ]
    assert f"Azure has neither {GROUP} nor a resource group with nodes of its cluster" in ran.done.stdout
    until = "The key vault kv-kaito-dev-6f10b7 can be recovered until 2027-02-25T10:00:00+00:00"
    assert until in ran.done.stdout
    assert ran.done.stderr == ""


def test_only_a_destruction_lifts_the_protection(tmp_path: Path) -> None:
    ran = run(tmp_path, "destroy", "dev", "dev")
    lifted = [each.get("AKS_KAITO_PREVENT_DESTROY") for each in ran.variables]
    assert lifted == [None, "false", "false", None, None, None]
    assert "AKS_KAITO_PREVENT_DESTROY=false cdk destroy kaito-dev-platform" in ran.done.stdout
    ran = run(tmp_path, "deploy", "dev", "0.2.0")
    assert {each.get("AKS_KAITO_PREVENT_DESTROY") for each in ran.variables} == {None}


@pytest.mark.parametrize("part", ["workloads", "platform"])
def test_a_failed_destruction_can_be_repeated(tmp_path: Path, part: str) -> None:
    failed = run(tmp_path, "destroy", "dev", "dev", fails=part)
    assert (failed.done.returncode, part in failed.lines[-1]) == (1, True)
    assert AGAIN in failed.done.stderr
    assert run(tmp_path, "destroy", "dev", "dev").done.returncode == 0


def test_resources_that_azure_still_has_are_named(tmp_path: Path) -> None:
    there = {
        "group exists": "true",
        "resource list": (
            "Microsoft.ContainerService/managedClusters\taks-kaito-dev-westeurope\n"
            "Microsoft.Network/publicIPAddresses\tpip-by-hand"
        ),
        "nodepool list": "system\tStandard_D4ads_v5\t1\nws1a2b3c\tStandard_NV36ads_A10_v5\t2",
        "group list": "MC_nodes",
    }
    ran = run(tmp_path, "destroy", "dev", "dev", answers=there)
    assert ran.done.returncode == 1
    assert (
        f"""\
  resource group {GROUP}
    Microsoft.ContainerService/managedClusters aks-kaito-dev-westeurope
      node pool system: 1 × Standard_D4ads_v5
      GPU node pool ws1a2b3c: 2 × Standard_NV36ads_A10_v5
    Microsoft.Network/publicIPAddresses pip-by-hand
  resource group MC_nodes, with the cluster's nodes
"""
        in ran.done.stderr
    )
    assert "Both stacks are destroyed" not in ran.done.stdout


def test_nodes_without_their_cluster_are_found(tmp_path: Path) -> None:
    ran = run(tmp_path, "destroy", "dev", "dev", answers={"group list": "MC_nodes"})
    assert ran.done.returncode == 1
    assert "\n  resource group MC_nodes, with the cluster's nodes\n" in ran.done.stderr


@pytest.mark.parametrize("fails", ["group exists", "group list"])
def test_az_that_fails_at_the_end_does_not_mean_that_nothing_is_left(tmp_path: Path, fails: str) -> None:
    ran = run(tmp_path, "destroy", "dev", "dev", fails=fails)
    assert ran.done.returncode == 1
    assert "az could not be asked what is left" in ran.done.stderr
    assert "it was told to fail" in ran.done.stderr
    assert f"Ask again: az group exists --name {GROUP}\n" in ran.done.stderr
    assert "Both stacks are destroyed" not in ran.done.stdout


def test_an_answer_that_is_no_answer_does_not_mean_that_nothing_is_left(tmp_path: Path) -> None:
    ran = run(tmp_path, "destroy", "dev", "dev", answers={"group exists": "WARNING"})
    assert (ran.done.returncode, "az answered 'WARNING', neither true nor false" in ran.done.stderr) == (1, True)


def test_the_vault_is_reported_as_azure_knows_it(tmp_path: Path) -> None:
    gone = run(tmp_path, "destroy", "dev", "dev", answers={"keyvault list-deleted": ""})
    assert (gone.done.returncode, "no deleted key vault kv-kaito-dev-6f10b7" in gone.done.stdout) == (0, True)
    unknown = run(tmp_path, "destroy", "dev", "dev", fails="keyvault list-deleted")
    assert unknown.done.returncode == 0
    assert "az could not be asked for the deleted key vault kv-kaito-dev-6f10b7" in unknown.done.stdout


@pytest.mark.parametrize("says", [NOT_FOUND, f"Message: Resource group '{GROUP}' could not be found."])
def test_it_goes_on_without_a_cluster(tmp_path: Path, says: str) -> None:
    states.write(tmp_path / "project", "kaito-dev-workloads", states.found_cluster(GROUP))
    addresses = {"state list": "data.azurerm_kubernetes_cluster.cluster\nhelm_release.chat"}
    said = {"SAYS": says}
    ran = run(tmp_path, "destroy", "dev", "dev", fails="aks show", variables=said, answers=addresses)
    assert ran.done.returncode == 0, ran.done.stderr
    assert starting(ran, "cdk") == [f"{PLATFORM} --ignore-missing-stack-dependencies"]
    assert "Azure has no cluster aks-kaito-dev-westeurope" in ran.done.stdout
    assert [line.partition(" ")[2].partition(" ")[2] for line in starting(ran, "terraform")] == [
        "init -input=false -no-color",
        "state list",
        "state rm data.azurerm_kubernetes_cluster.cluster helm_release.chat",
    ]


def test_the_state_of_the_workloads_stays_until_the_platform_is_gone(tmp_path: Path) -> None:
    states.write(tmp_path / "project", "kaito-dev-workloads", states.found_cluster(GROUP))
    for fails, answers in (("aks show", {"group exists": "true"}), ("aks show", {"group list": "MC_nodes"})):
        ran = run(tmp_path, "destroy", "dev", "dev", fails=fails, variables={"SAYS": NOT_FOUND}, answers=answers)
        assert (ran.done.returncode, starting(ran, "terraform")) == (1, [])


@pytest.mark.parametrize(
    "says", ["ERROR: Please run 'az login' to setup account.", "Message: The subscription 'x' could not be found."]
)
def test_az_that_cannot_be_asked_does_not_mean_that_there_is_no_cluster(tmp_path: Path, says: str) -> None:
    ran = run(tmp_path, "destroy", "dev", "dev", fails="aks show", variables={"SAYS": says})
    assert ran.steps[1:3] == [WORKLOADS, PLATFORM]
    assert "az could not be asked for the cluster" in ran.done.stderr
    assert says in ran.done.stderr


def test_a_destruction_names_the_data_that_it_loses(tmp_path: Path) -> None:
    states.write(
        tmp_path / "project",
        "kaito-dev-platform",
        states.group(GROUP),
        states.resource("azurerm_postgresql_flexible_server", name="psql-kaito-dev-6f10b7"),
        states.resource("azurerm_key_vault", name="kv-kaito-dev-6f10b7", soft_delete_retention_days=7),
        states.resource("azurerm_public_ip", name="pip-ingress", ip_address="52.174.1.2"),
        states.resource("azurerm_container_registry"),
        states.resource("azurerm_subnet", name="no-data"),
    )
    data = """\
  PostgreSQL server psql-kaito-dev-6f10b7, with every conversation
  key vault kv-kaito-dev-6f10b7, with its secrets (recoverable for 7 days)
  registry (no name), with its images
  public address 52.174.1.2 (pip-ingress)
"""
    refused = run(tmp_path, "destroy", "dev", "")
    assert (refused.done.returncode, refused.asked) == (2, [])
    text = "CONFIRM='': must be 'dev', the environment that is to be destroyed with all its data:\n"
    assert refused.done.stderr == text + data
    done = run(tmp_path, "destroy", "dev", "dev")
    assert done.done.returncode == 0
    assert done.done.stdout.startswith(f"This destroys dev, with:\n{data}")


def test_data_in_a_shared_state_is_named_too(tmp_path: Path) -> None:
    blob = '\n[state]\nbackend = "azurerm"\nresource_group_name = "rg-states"\nstorage_account_name = "ststates"\n'
    server = states.state(states.resource("azurerm_postgresql_flexible_server", name="psql-one"))
    variables = environment(tmp_path, DEV + blob)
    ran = run(tmp_path, "destroy", "dev", "x", variables=variables, answers={"state pull": server})
    assert ran.done.returncode == 2
    assert ran.done.stderr.endswith("with all its data:\n  PostgreSQL server psql-one, with every conversation\n")
    failed = run(tmp_path, "destroy", "dev", "x", variables=variables, fails="state pull")
    assert failed.done.returncode == 2
    assert "CONFIRM='x': must be 'dev'" in failed.done.stderr
    assert "Its state cannot be read: read the state of the platform: " in failed.done.stderr
