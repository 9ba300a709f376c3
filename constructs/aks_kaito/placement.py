"""Resource group, region, tags, names and log destination, which every construct takes as one argument."""

from dataclasses import dataclass, replace
from typing import Any

from aks_kaito.naming import Names


@dataclass(frozen=True)
class Placement:
    """Where the resources of an environment go and where their logs go.

    Attributes:
        resource_group_name: A token of the group, so that Terraform creates the group before the resources in it.
        workspace_resource_id: The Log Analytics workspace. Empty in a stack that sends no logs.
    """

    names: Names
    tags: dict[str, str]
    location: str
    resource_group_name: str
    workspace_resource_id: str = ""

    def logging_to(self, workspace_resource_id: str) -> "Placement":
        """Return a copy that sends logs to another workspace."""
        return replace(self, workspace_resource_id=workspace_resource_id)

    @property
    def arguments(self) -> dict[str, Any]:
        """Keyword arguments that nearly every azurerm resource takes."""
        return {
            "location": self.location,
            "resource_group_name": self.resource_group_name,
            "tags": self.tags,
        }
