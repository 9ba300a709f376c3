"""A change of KAITO's distribution or provisioner, or its end, which is refused while there are models or nodes.

Workspaces belong to the controller that is installed, and their nodes to its provisioner: without these, nobody removes
their finalizers and their virtual machines, which Azure bills.
"""

import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple

from aks_kaito.charts import theirs
from aks_kaito.charts.names import GPU_PROVISIONER, KAITO_DEPLOYMENT, KAITO_NAMESPACE
from aks_kaito.settings.model import Kaito
from aks_kaito_cli.cluster import exists
from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.deploy import states
from aks_kaito_cli.deploy.states import States
from aks_kaito_cli.gpu_pools import cluster
from aks_kaito_cli.gpu_pools.cluster import ClusterUnreadableError, Objects
from aks_kaito_cli.gpu_pools.ways import ways
from aks_kaito_cli.pages import DISTRIBUTION
from aks_kaito_cli.project import environment_file
from aks_kaito_cli.shell import RefusedError, Shell

_ADD_ON, _CHART = "addon", "helm"
_REFUSED = """\
{file}: {change}, and the deployed KAITO still has:

  {left}

Nothing was changed. The next steps ({page}):

  {steps}
"""
_UNREADABLE = """\
{file}: {change}. Whether models exist cannot be decided, so nothing was changed: {reason}
Deploy from a machine that reaches the cluster ({page})."""


class Installed(NamedTuple):
    """A distribution of KAITO with the provisioner of its nodes; that of the add-on is AKS's own."""

    distribution: str
    provisioner: str

    def change_to(self, other: "Installed | None") -> str:
        """Return the changed key with both values; empty if nothing changes. None stands for no KAITO."""
        if other is None:
            return "kaito.enabled changes to false"
        if self.distribution != other.distribution:
            return f'kaito.distribution changes from "{self.distribution}" to "{other.distribution}"'
        if self.provisioner != other.provisioner:
            return f'kaito.provisioner changes from "{self.provisioner}" to "{other.provisioner}"'
        return ""


def check(shell: Shell, found: States) -> None:
    """Check that a change of the distribution or the provisioner, or the end of KAITO, leaves no model and no node.

    Raises:
        RefusedError: Workspaces, nodes or the open-source release exist, or the cluster cannot be read.
        StepError: Azure cannot be asked for the cluster.
    """
    old, new = deployed(found), wanted(shell.environment.settings.kaito)
    change = old.change_to(new) if old else ""
    if old is None or not change or not exists(shell):
        return
    file = str(environment_file(shell.environment.name))
    print(f"== check whether models of KAITO exist, since {change}", flush=True)
    try:
        objects = cluster.read(ways(shell))
        is_replaced = old.distribution == _CHART and new is not None and new.distribution == _ADD_ON
        is_installed = is_replaced and cluster.has_chart(ways(shell))
    except ClusterUnreadableError as error:
        text = _UNREADABLE.format(file=file, change=change, reason=error, page=DISTRIBUTION)
        raise RefusedError(text) from None
    left = list(_left(objects))
    if left or is_installed:
        if is_installed:
            left.append(f"the release {KAITO_DEPLOYMENT} in the namespace {KAITO_NAMESPACE}")
        steps = "\n  ".join(_steps(shell, old, objects, uninstalls=is_installed))
        text = _REFUSED.format(file=file, change=change, left="\n  ".join(left), steps=steps, page=DISTRIBUTION)
        raise RefusedError(text)


def wanted(kaito: Kaito) -> Installed | None:
    """Return what the settings ask for; None without KAITO."""
    if not kaito.enabled:
        return None
    return Installed(kaito.distribution, kaito.installed_provisioner or "")


def deployed(found: States) -> Installed | None:
    """Return what the states list; None if neither distribution is installed."""
    releases = {each.get("name") for each in states.managed(found["workloads"], "helm_release")}
    if KAITO_DEPLOYMENT in releases:
        return Installed(_CHART, _provisioner(found, {str(each) for each in releases}))
    bodies = [each.get("body") for each in states.managed(found["platform"], "azapi_update_resource")]
    return Installed(_ADD_ON, "") if any(_has_add_on(body) for body in bodies) else None


def _provisioner(found: States, releases: set[str]) -> str:
    if GPU_PROVISIONER in releases:
        return "gpu-provisioner"
    clusters = states.managed(found["platform"], "azurerm_kubernetes_cluster")
    profiles = [profile for each in clusters for profile in each.get("node_provisioning_profile") or []]
    return "node-auto-provisioning" if any(each.get("mode") == "Auto" for each in profiles) else "none"


def _has_add_on(body: Any) -> bool:  # noqa: ANN401 - a value of any type, which Terraform stores beside its type
    """Return whether azapi has switched the add-on on."""
    properties = (body or {}).get("value", body or {}).get("properties") or {}
    return bool((properties.get("aiToolchainOperatorProfile") or {}).get("enabled"))


def _left(objects: Objects) -> Iterator[str]:
    yield from sorted(str(owner) for owner in objects.owners)
    yield from (f"NodeClaim {claim.name} of {claim.owner}" for claim in objects.nodes)


def _steps(shell: Shell, old: Installed, objects: Objects, *, uninstalls: bool) -> Iterator[str]:
    """Yield the commands that remove what is left, and the deployment."""
    namespace = shell.environment.settings.chat.namespace
    kubectl = Kubectl(namespace)
    if objects.owners:
        yield "delete the models; the chat has none until others are deployed:"
        kinds = "inferencesets.kaito.sh,workspaces.kaito.sh" if old.distribution == _CHART else "workspaces.kaito.sh"
        yield f"  {shlex.join(kubectl.command('delete', kinds, '--all'))}"
        for kind, place, name in sorted(each for each in objects.owners if each.namespace != namespace):
            yield f"  {shlex.join(kubectl.command('delete', kind.lower(), name, namespace=place))}"
    if objects.owners or objects.nodes:
        yield "wait until none of their nodes is left:"
        yield f"  {shlex.join(kubectl.command('get', 'nodeclaims.karpenter.sh'))}"
    if uninstalls:
        yield "uninstall the open-source KAITO, with its custom resource definitions:"
        yield from (f"  helm uninstall {release} --namespace {place} --wait" for release, place in _releases(old))
    yield f"look for node pools that are left, and billed: make gpu-pools ENV={shell.environment.name}"
    yield "deploy again"


def _releases(old: Installed) -> Iterator[tuple[str, str]]:
    yield KAITO_DEPLOYMENT, KAITO_NAMESPACE
    if old.provisioner == "gpu-provisioner":
        yield GPU_PROVISIONER, theirs.GPU_PROVISIONER_CHART.namespace
