"""The disk of the history database over time: growth by Azure, and by the setting. Real Terraform, stub providers."""

import json
from pathlib import Path
from typing import Any

from aks_kaito.settings import Environment
from support.command_lines import Place, prepare
from support.environments import changed

SERVER = "azurerm_postgresql_flexible_server"


def planned(place: Place, folder: Path) -> dict[str, tuple[str, ...]]:
    """Plan, and return the actions of each type of resource that would change."""
    place.shell(f"terraform -chdir={folder} plan -out=plan -input=false")
    place.shell(f"terraform -chdir={folder} show -json plan > {folder}/plan.json")
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    found = {each["type"]: tuple(each["change"]["actions"]) for each in plan["resource_changes"]}
    return {kind: actions for kind, actions in found.items() if actions not in {("no-op",), ("read",)}}


def sent_gib(folder: Path) -> int:
    """Return the size in the last PATCH of the server."""
    state = json.loads((folder / "terraform.tfstate").read_text(encoding="utf-8"))
    (action,) = [each for each in state["resources"] if each["type"] == "azapi_resource_action"]
    size: int = action["instances"][0]["attributes"]["body"]["value"]["properties"]["storage"]["storageSizeGB"]
    return size


def grow(folder: Path, gib: int) -> None:
    """Let Azure grow the disk, as far as Terraform's state tells."""
    path = folder / "terraform.tfstate"
    state = json.loads(path.read_text(encoding="utf-8"))
    (server,) = [each for each in state["resources"] if each["type"] == SERVER]
    server["instances"][0]["attributes"]["storage_mb"] = gib * 1024
    state["serial"] += 1
    path.write_text(json.dumps(state), encoding="utf-8")


def write(environments: dict[str, Environment], folder: Path, gib: int) -> dict[str, Any]:
    """Write the platform of an environment with a disk of this size."""
    document = changed(environments, postgresql={"enabled": True, "storage_gib": gib})
    document["terraform"].pop("backend", None)
    (folder / "cdk.tf.json").write_text(json.dumps(document), encoding="utf-8")
    return document


def test_a_disk_grows_and_never_replaces_its_server(environments: dict[str, Environment], tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    folder.mkdir()
    document = write(environments, folder, 32)
    (tmp_path / "place").mkdir()
    place = prepare("cdktn", "dev", {"platform": document}, tmp_path / "place")
    place.shell(f"terraform -chdir={folder} init -input=false")
    place.shell(f"terraform -chdir={folder} apply -auto-approve -input=false")
    assert sent_gib(folder) == 32

    # Azure grows the disk: no plan changes.
    grow(folder, 64)
    assert planned(place, folder) == {}

    # The setting grows it further, and then once more by less than Azure.
    write(environments, folder, 128)
    replaced = {"terraform_data": ("delete", "create"), "azapi_resource_action": ("update",)}
    assert planned(place, folder) == replaced
    place.shell(f"terraform -chdir={folder} apply -auto-approve -input=false")
    assert sent_gib(folder) == 128
    assert planned(place, folder) == {}
    grow(folder, 512)
    write(environments, folder, 256)
    place.shell(f"terraform -chdir={folder} apply -auto-approve -input=false")
    assert sent_gib(folder) == 512
    assert planned(place, folder) == {}
