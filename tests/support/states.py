"""States as Terraform writes them, with as much as the driver reads."""

import json
from pathlib import Path
from typing import Any

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


def resource(kind: str, mode: str = "managed", **attributes: Any) -> dict[str, Any]:
    """Return one resource or data source."""
    return {"mode": mode, "type": kind, "name": "x", "provider": "p", "instances": [{"attributes": attributes}]}


def group(name: str, subscription: str = SUBSCRIPTION) -> dict[str, Any]:
    """Return the platform's resource group."""
    return resource("azurerm_resource_group", name=name, id=f"/subscriptions/{subscription}/resourceGroups/{name}")


def found_cluster(resource_group: str, subscription: str = SUBSCRIPTION) -> dict[str, Any]:
    """Return the cluster that the workloads look up."""
    place = f"/subscriptions/{subscription}/resourceGroups/{resource_group}"
    identity = f"{place}/providers/Microsoft.ContainerService/managedClusters/aks"
    return resource("azurerm_kubernetes_cluster", "data", name="aks", resource_group_name=resource_group, id=identity)


def state(*resources: dict[str, Any]) -> str:
    """Return the text of a state."""
    return json.dumps(
        {"version": 4, "terraform_version": "1.13.0", "serial": 1, "lineage": "x", "resources": resources}
    )


def write(root: Path, stack: str, *resources: dict[str, Any]) -> Path:
    """Write the local state of a stack into a project, and return its path."""
    root.mkdir(exist_ok=True)
    path = root / f"terraform.{stack}.tfstate"
    path.write_text(state(*resources), encoding="utf-8")
    return path
