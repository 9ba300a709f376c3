"""The chat's rights after an upgrade from the first version: what Terraform grants, revokes and forgets.

Real Terraform, stub providers.
"""

import copy
import json
from pathlib import Path
from typing import Any

from support.command_lines import Place, prepare

ADMINISTRATOR = "azurerm_postgresql_flexible_server_active_directory_administrator"
FORMER, CURRENT = "postgresql_administrator_1BB32092", "postgresql_role-administrator_31493B0C"
ROLE = "azurerm_role_assignment"
SECRETS = "chat-reads-secrets"
NEW_ASSIGNMENT = "chat-reads-chat-entra-client-secret"


def former(document: dict[str, Any]) -> dict[str, Any]:
    """Return the platform with the rights of the first version: the chat reads the vault and administers the server."""
    found = copy.deepcopy(document)
    found.pop("removed")
    resources = found["resource"]
    chat = "azurerm_user_assigned_identity.workload-identity_418DEA0F"
    (administrator,) = resources[ADMINISTRATOR].values()
    facts = {key: f"${{{chat}.{value}}}" for key, value in (("object_id", "principal_id"), ("principal_name", "name"))}
    facts["tenant_id"] = f"${{{chat}.tenant_id}}"
    resources[ADMINISTRATOR] = {FORMER: administrator | facts}
    for kind in ("azurerm_user_assigned_identity", "azurerm_federated_identity_credential"):
        for name in [each for each in resources[kind] if each.startswith("database-administrator")]:
            del resources[kind][name]
    (server,) = resources["azurerm_postgresql_flexible_server"].values()
    server["authentication"]["tenant_id"] = f"${{{chat}.tenant_id}}"
    del resources[ROLE][NEW_ASSIGNMENT]
    assignment = resources[ROLE][SECRETS]
    for key in ("lifecycle", "depends_on"):
        del assignment[key]
    assignment["scope"] = assignment["scope"].partition("/secrets/")[0]
    return found


def write(folder: Path, document: dict[str, Any]) -> None:
    document["terraform"].pop("backend", None)
    (folder / "cdk.tf.json").write_text(json.dumps(document), encoding="utf-8")


def planned(place: Place, folder: Path, options: str = "") -> dict[str, list[str]]:
    """Plan, and return the actions of each resource that would change, by address."""
    place.shell(f"terraform -chdir={folder} plan -out=plan -input=false {options}")
    place.shell(f"terraform -chdir={folder} show -json plan > {folder}/plan.json")
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    return {
        each["address"]: each["change"]["actions"]
        for each in plan["resource_changes"]
        if each["change"]["actions"] not in (["no-op"], ["read"])
    }


def test_rights_are_granted_before_others_end_and_no_role_is_dropped(
    stacks: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    folder = tmp_path / "stack"
    folder.mkdir()
    document = copy.deepcopy(stacks["prod"])
    (tmp_path / "place").mkdir()
    place = prepare("cdktn", "prod", {"platform": document}, tmp_path / "place")
    write(folder, former(document))
    place.shell(f"terraform -chdir={folder} init -input=false")
    place.shell(f"terraform -chdir={folder} apply -auto-approve -input=false")

    write(folder, document)
    # A new scope means a new assignment, which the stub providers do not know.
    found = planned(place, folder, f"-replace={ROLE}.{SECRETS}")
    assert found.pop(f"{ADMINISTRATOR}.{FORMER}") == ["forget"]
    assert found.pop(f"{ADMINISTRATOR}.{CURRENT}") == ["create"]
    assert found.pop(f"{ROLE}.{NEW_ASSIGNMENT}") == ["create"]
    # The right to the vault ends last.
    assert found.pop(f"{ROLE}.{SECRETS}") == ["create", "delete"]
    created = {address: actions for address, actions in found.items() if actions == ["create"]}
    assert {address.partition("_")[2].partition(".")[0] for address in created} == {
        "user_assigned_identity",
        "federated_identity_credential",
    }
    assert not [address for address, actions in found.items() if "delete" in actions]
    place.shell(f"terraform -chdir={folder} apply -input=false plan")
    assert planned(place, folder) == {}
