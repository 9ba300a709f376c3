"""A deployment that would lose data is refused before anything is changed."""

from pathlib import Path
from typing import Any

import pytest

from support import states
from support.stand_ins import DEV, GROUP, Ran, environment, run, starting

PLATFORM = "kaito-dev-platform"
DATABASE = "\n[postgresql]\nenabled = true\n"
SERVER = "azurerm_postgresql_flexible_server"


def deployed(folder: Path, *resources: dict[str, Any]) -> None:
    """Write the state of a deployed environment with these resources."""
    states.write(folder / "project", PLATFORM, states.group(GROUP), *resources)


def named(resource: dict[str, Any], address: str) -> dict[str, Any]:
    """Return a resource with another name in Terraform."""
    return {**resource, "name": address}


def server(name: str = "psql-kaito-dev-6f10b7", address: str = "postgresql_6A2C3B43", **more: Any) -> dict[str, Any]:
    """Return the database server of dev."""
    return named(states.resource(SERVER, **{"name": name, "version": "17", "location": "westeurope", **more}), address)


VAULT = named(
    states.resource("azurerm_key_vault", name="kv-kaito-dev-6f10b7", location="westeurope"), "key-vault_8913E797"
)


def deploy(folder: Path, text: str, *options: str, **more: Any) -> Ran:
    return run(folder, "deploy", *options, "dev", "0.2.0", variables=environment(folder, text), **more)


def refusal(ran: Ran) -> str:
    """Check that nothing was changed, and return the reason."""
    assert ran.done.returncode == 2, ran.done.stdout + ran.done.stderr
    assert not starting(ran, "cdk", "kubectl", "helm", "az acr build")
    return ran.done.stderr


def test_a_database_that_leaves_the_file_is_kept(tmp_path: Path) -> None:
    deployed(tmp_path, server())
    said = refusal(deploy(tmp_path, DEV))
    line = (
        "PostgreSQL server psql-kaito-dev-6f10b7, with its databases and backups: is not in the configuration any more"
    )
    assert line in said
    assert 'CONFIRM_LOSS="psql-kaito-dev-6f10b7"' in said


def test_the_loss_of_a_named_resource_is_accepted(tmp_path: Path) -> None:
    deployed(tmp_path, server())
    ran = deploy(tmp_path, DEV, "--confirm-loss", "psql-kaito-dev-6f10b7")
    assert ran.done.returncode == 0, ran.done.stderr
    refusal(deploy(tmp_path, DEV, "--confirm-loss", "psql-kaito-dev"))


def test_another_name_or_region_of_a_resource_is_a_loss(tmp_path: Path) -> None:
    deployed(tmp_path, server(name="psql-other"))
    said = refusal(deploy(tmp_path, DEV + DATABASE))
    assert "name changes from 'psql-other' to 'psql-kaito-dev-6f10b7'" in said


@pytest.mark.parametrize(
    ("key", "deployed_as", "setting", "words"),
    [
        ("version", {"version": "18"}, 'version = "17"', "postgresql.version = '17': must not be lower than '18'"),
        ("storage", {}, "storage_gib = 64", "postgresql.storage_gib = 64: must not be lower than 128"),
    ],
)
def test_a_lower_setting_of_the_database_is_refused(
    tmp_path: Path, key: str, deployed_as: dict[str, Any], setting: str, words: str
) -> None:
    size = named(
        states.resource("terraform_data", triggers_replace={"type": "number", "value": 128}),
        "postgresql_disk-size_80E14E43",
    )
    deployed(tmp_path, server(**deployed_as), *([size] if key == "storage" else []))
    said = refusal(deploy(tmp_path, f"{DEV}{DATABASE}{setting}\n"))
    assert words in said
    # No confirmation helps: Azure cannot go back.
    refusal(deploy(tmp_path, f"{DEV}{DATABASE}{setting}\n", "--confirm-loss", "psql-kaito-dev-6f10b7"))


def test_an_unchanged_or_larger_database_is_deployed(tmp_path: Path) -> None:
    size = named(
        states.resource("terraform_data", triggers_replace={"type": "number", "value": 32}),
        "postgresql_disk-size_80E14E43",
    )
    deployed(tmp_path, server(location="West Europe"), size, VAULT)
    ran = deploy(tmp_path, f"{DEV}{DATABASE}storage_gib = 64\n")
    assert ran.done.returncode == 0, ran.done.stderr
    assert not starting(ran, "az keyvault list-deleted")


def test_a_deleted_vault_of_another_region_blocks_the_name(tmp_path: Path) -> None:
    deleted = {"[properties.location": "northeurope\t2026-12-24T00:00:00+00:00"}
    said = refusal(deploy(tmp_path, DEV, answers=deleted))
    assert "Azure keeps a deleted vault kv-kaito-dev-6f10b7 in northeurope until 2026-12-24T00:00:00+00:00" in said
    assert "key_vault.name" in said
    # In the same region, azurerm recovers it.
    same = {"[properties.location": "westeurope\t2026-12-24T00:00:00+00:00"}
    assert deploy(tmp_path, DEV, answers=same).done.returncode == 0


@pytest.mark.parametrize(
    ("resource", "setting", "words"),
    [
        (
            named(
                states.resource("terraform_data", input={"type": "string", "value": "1.36"}),
                "kubernetes-upgrade_version_32FA9BC7",
            ),
            'kubernetes_version = "1.35"\nautomatic_upgrade_channel = "rapid"',
            "cluster.kubernetes_version = '1.35': must not be lower than '1.36'",
        ),
        (
            named(
                states.resource(
                    "azurerm_kubernetes_cluster",
                    name="aks-kaito-dev-westeurope",
                    api_server_access_profile=[{"virtual_network_integration_enabled": True}],
                ),
                "cluster_611F8AFF",
            ),
            "api_server_vnet_integration_enabled = false",
            "cluster.api_server_vnet_integration_enabled = False: must not be lower than True",
        ),
    ],
)
def test_a_cluster_does_not_go_back(tmp_path: Path, resource: dict[str, Any], setting: str, words: str) -> None:
    deployed(tmp_path, resource)
    keys = {line.split(" = ")[0] for line in setting.splitlines()}
    kept = [line for line in DEV.splitlines() if line.split(" = ")[0] not in keys]
    kept.insert(kept.index("[cluster]") + 1, setting)
    assert words in refusal(deploy(tmp_path, "\n".join(kept)))
