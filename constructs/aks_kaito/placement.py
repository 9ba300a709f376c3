"""Where a resource goes and what it is called: what every construct is handed."""

from dataclasses import dataclass, replace
from typing import Any

from aks_kaito.naming import Names


@dataclass(frozen=True)
class Placement:
    """Resource group, region, tags and names of an environment, and where its logs go.

    `resource_group_name` is a token of the group, so that what uses it waits for the group.
    `workspace_resource_id` is the Log Analytics workspace's.
    """

    names: Names
    tags: dict[str, str]
    location: str
    resource_group_name: str
    workspace_resource_id: str = ""

    def logging_to(self, workspace_resource_id: str) -> "Placement":
        """The same place, with logs."""
        return replace(self, workspace_resource_id=workspace_resource_id)

    @property
    def arguments(self) -> dict[str, Any]:
        """The keyword arguments that nearly every azurerm resource takes."""
        return {
            "location": self.location,
            "resource_group_name": self.resource_group_name,
            "tags": self.tags,
        }
