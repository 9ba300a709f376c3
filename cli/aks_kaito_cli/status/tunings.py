"""The tunings in the cluster: each Workspace that trains an adapter, and whether its job has ended.

See: https://github.com/kaito-project/kaito/blob/v0.12.0/pkg/workspace/controllers/workspace_controller.go
"""

from collections.abc import Iterator

from aks_kaito.settings import Environment
from aks_kaito_cli.answers import Finding
from aks_kaito_cli.status.objects import Object, conditions, label, name
from aks_kaito_cli.status.reach import Cluster

_GROUP = "Model"
# The chart's label with the key of the tuning.
_KEY = "kaito-chat/tuning"
_ENDED, _STARTED, _FAILED = "WorkspaceSucceeded", "JobStarted", "failed"


def findings(cluster: Cluster, environment: Environment) -> Iterator[Finding]:
    """Yield a finding for each tuning; a finished one is a warning, since its GPU node is billed."""
    for each in cluster.items("workspaces"):
        if "tuning" in each:
            yield _finding(each, environment)


def _finding(workspace: Object, environment: Environment) -> Finding:
    own, key = name(workspace), label(workspace, _KEY)
    found = conditions(workspace)
    ended = found.get(_ENDED)
    if ended is not None and ended.true:
        text = "has finished; its GPU node is billed until the Workspace is deleted"
        remedy = f"Set tuning.{key}.enabled = false, then make deploy" if key else f"kubectl delete workspace {own}"
        return Finding(_GROUP, own, "warning", text, remedy)
    if ended is not None and ended.reason.lower().endswith(_FAILED):
        logs = f"kubectl --namespace {environment.settings.chat.namespace} logs job/{own} --all-containers"
        return Finding(_GROUP, own, "warning", f"has failed: {ended.message}; its GPU node is billed", logs)
    is_started = _STARTED in found and found[_STARTED].true
    return Finding(_GROUP, own, "info", "trains an adapter" if is_started else "waits for its GPU node")
