"""Upgrade of Kubernetes when `cluster.kubernetes_version` changes: the control plane first, then the node pools.

azurerm ignores the version after the creation, because the upgrade channel changes it. Terraform therefore stores the
version of the settings, and azapi writes it to Azure when the stored one changes. Versions that the channel installs
are not reverted.

See: https://learn.microsoft.com/azure/aks/upgrade-aks-cluster
"""

from cdktn import ITerraformDependable, Precondition, TerraformResourceLifecycle, TerraformStack
from cdktn_provider_azapi.update_resource import UpdateResource, UpdateResourceRetry, UpdateResourceTimeouts
from constructs import Construct

from aks_kaito.cluster.aks import AksCluster
from aks_kaito.cluster.azapi_properties import API_VERSION, CONFLICTS
from aks_kaito.settings.cluster import Cluster
from aks_kaito.stored import address, stored

# Channels that install other minor versions than the one in the settings.
_MOVING_CHANNELS = ("stable", "rapid")
# Azure drains the nodes of a pool in small groups; azapi waits for 30 minutes by default.
_TIMEOUT = "6h"


class KubernetesUpgrade(Construct):
    """Updates of the control plane and of each node pool, in this order.

    A plan fails if the cluster runs a newer version, because AKS cannot downgrade, or one that is more than one minor
    version older. While the upgrade channel installs newer minor versions, the plan warns of a newer version instead.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Cluster,
        cluster: AksCluster,
        depends_on: ITerraformDependable,
    ) -> None:
        """Define the updates after `depends_on`, because AKS refuses concurrent changes of a cluster."""
        super().__init__(scope, construct_id)
        version, running = settings.kubernetes_version, f"{cluster.address}.kubernetes_version"
        conditions = [_is_next_minor(version, running)]
        target = version
        if settings.automatic_upgrade_channel in _MOVING_CHANNELS:
            self._warn_of_older_setting(version, running)
            target = f'${{{_is_newer(running, version)} ? {running} : "{version}"}}'
        else:
            conditions.append(_is_no_downgrade(version, running, f"{cluster.address}.current_kubernetes_version"))
        trigger = stored(self, "version", version)

        def update(
            name: str, kind: str, resource_id: str, key: str, after: ITerraformDependable, *conditions: Precondition
        ) -> UpdateResource:
            return UpdateResource(
                self,
                name,
                type=f"Microsoft.ContainerService/{kind}@{API_VERSION}",
                resource_id=resource_id,
                body={"properties": {key: target}},
                retry=UpdateResourceRetry(error_message_regex=CONFLICTS),
                timeouts=UpdateResourceTimeouts(create=_TIMEOUT),
                depends_on=[after],
                lifecycle=TerraformResourceLifecycle(
                    # The upgrade channel changes the version in Azure.
                    ignore_changes=["body"],
                    # A replacement writes the version again, and deletes nothing in Azure.
                    replace_triggered_by=[address(trigger)],
                    precondition=list(conditions) or None,
                ),
            )

        last = update(
            "control-plane", "managedClusters", cluster.resource_id, "kubernetesVersion", depends_on, *conditions
        )
        for pool, pool_id in cluster.pool_ids.items():
            last = update(pool, "managedClusters/agentPools", pool_id, "orchestratorVersion", last)

    def _warn_of_older_setting(self, version: str, running: str) -> None:
        text = (
            f'cluster.kubernetes_version = "{version}" has no effect: the upgrade channel moved the cluster to '
            f'${{{running}}}. Set it to "1.${{{_minor_of(running)}}}".'
        )
        check = {"condition": f"${{!({_is_newer(running, version)})}}", "error_message": text}
        TerraformStack.of(self).add_override("check.kubernetes_version", {"assert": [check]})


def _is_next_minor(version: str, running: str) -> Precondition:
    """Require that the cluster is at most one minor version older."""
    minor, _ = _numbers(version)
    return Precondition(
        condition=f"${{{_minor_of(running)} >= {minor - 1}}}",
        error_message=(
            f'cluster.kubernetes_version = "{version}": the cluster runs ${{{running}}}, and AKS upgrades one minor '
            f'version at a time. Set "1.${{{_minor_of(running)} + 1}}", deploy, and repeat with the next one.'
        ),
    )


def _is_no_downgrade(version: str, running: str, current: str) -> Precondition:
    """Require that neither the requested nor the installed version of the cluster is newer."""
    return Precondition(
        condition=f"${{!({_is_newer(running, version)}) && !({_is_newer(current, version)})}}",
        error_message=(
            f'cluster.kubernetes_version = "{version}": the cluster runs ${{{current}}} (requested: ${{{running}}}), '
            "and AKS cannot downgrade. Set a version that is not older."
        ),
    )


def _is_newer(running: str, version: str) -> str:
    """Return the condition that the version at the address `running` is newer than `version`.

    The patch matters only if `version` names one.
    """
    minor, patch = _numbers(version)
    if patch is None:
        return f"{_minor_of(running)} > {minor}"
    same = f'{_minor_of(running)} == {minor} && try(tonumber(split(".", {running})[2]), 0) > {patch}'
    return f"{_minor_of(running)} > {minor} || {same}"


def _minor_of(running: str) -> str:
    return f'tonumber(split(".", {running})[1])'


def _numbers(version: str) -> tuple[int, int | None]:
    _, minor, *patch = (int(part) for part in version.split("."))
    return minor, patch[0] if patch else None
