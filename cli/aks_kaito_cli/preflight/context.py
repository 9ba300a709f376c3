"""The environment and the access that all checks share."""

from collections.abc import Mapping
from dataclasses import dataclass

from aks_kaito.naming import Names
from aks_kaito.settings import Environment, Settings
from aks_kaito_cli.azure.arm import Arm


@dataclass(frozen=True)
class Context:
    """Everything that a check may read.

    Attributes:
        variables: The process's environment variables.
        arm: Azure Resource Manager.
        subscription: The id of the subscription that Terraform deploys to.
    """

    environment: Environment
    variables: Mapping[str, str]
    arm: Arm
    subscription: str

    @property
    def settings(self) -> Settings:
        """The environment's settings."""
        return self.environment.settings

    @property
    def names(self) -> Names:
        """The environment's names in Azure."""
        return self.environment.names

    @property
    def scope(self) -> str:
        """The subscription's resource id."""
        return f"/subscriptions/{self.subscription}"

    @property
    def group(self) -> str:
        """The resource id of the resource group."""
        return f"{self.scope}/resourceGroups/{self.names.resource_group}"
