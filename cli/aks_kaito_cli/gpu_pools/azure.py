"""The pools of an environment's cluster in Azure: list, read and delete them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aks_kaito.settings import Environment
from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.azure.errors import AzureAnswerError, NotFoundError
from aks_kaito_cli.azure.operations import wait
from aks_kaito_cli.gpu_pools.pools import Pool, of_answer

# AKS drains the node first, for up to half an hour.
_DELETION_SECONDS = 45 * 60


@dataclass(frozen=True)
class Pools:
    """The pools of one cluster.

    Attributes:
        subscription: The id of the subscription that was asked.
        path: The cluster's resource id.
        terraforms: Names of the pools that Terraform manages.
    """

    arm: Arm
    subscription: str
    path: str
    terraforms: frozenset[str]

    def is_stopped(self) -> bool:
        """Return whether the cluster is stopped, so that nobody can read it.

        Raises:
            NotFoundError: There is no such cluster.
            AzureAnswerError: Azure gives no usable answer.
        """
        properties = self.arm.get(self.path).get("properties") or {}
        return bool((properties.get("powerState") or {}).get("code") == "Stopped")

    def all(self) -> list[Pool]:
        """Return all pools, KAITO's and others.

        Raises:
            AzureAnswerError: Azure gives no usable answer.
        """
        return [self._pool(each) for each in self.arm.pages(f"{self.path}/agentPools")]

    def find(self, name: str) -> Pool | None:
        """Return one pool; None if there is none of this name.

        Raises:
            AzureAnswerError: Azure gives no usable answer.
        """
        try:
            return self._pool(self.arm.get(f"{self.path}/agentPools/{name}"))
        except NotFoundError:
            return None

    def delete(self, name: str, tell: Callable[[float], None], seconds: float = _DELETION_SECONDS) -> None:
        """Delete a pool, and wait until it is gone.

        Raises:
            AzureAnswerError: Azure does not delete it, or does not say so in time.
        """
        try:
            answer = self.arm.send("DELETE", f"{self.path}/agentPools/{name}")
        except NotFoundError:
            return
        wait(self.arm, answer, seconds, tell)

    def _pool(self, answer: Mapping[str, Any]) -> Pool:
        try:
            return of_answer(answer, self.terraforms)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            words = f"the node pool has another form than expected ({type(error).__name__}: {error})"
            raise AzureAnswerError(words) from None


def of_environment(arm: Arm, subscription: str, environment: Environment) -> Pools:
    """Return the pools of an environment's cluster."""
    names, settings = environment.names, environment.settings
    group = f"/subscriptions/{subscription}/resourceGroups/{names.resource_group}"
    return Pools(
        arm,
        subscription,
        f"{group}/providers/Microsoft.ContainerService/managedClusters/{names.cluster}",
        frozenset({settings.system_pool.name, settings.user_pool.name}),
    )
