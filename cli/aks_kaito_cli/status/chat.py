"""The chat's own pods."""

from collections.abc import Iterator

from aks_kaito.settings import Environment
from aks_kaito_cli.answers import Finding, State
from aks_kaito_cli.status.objects import at, conditions
from aks_kaito_cli.status.reach import Cluster

_GROUP, _SUBJECT = "Chat", "pods"


def findings(cluster: Cluster, environment: Environment) -> Iterator[Finding]:
    """Yield whether the pods of the chat's Deployment are ready."""
    if error := cluster.error("chat"):
        yield Finding(_GROUP, _SUBJECT, "unknown", error)
        return
    deployed = next(iter(cluster.items("chat")), None)
    if deployed is None:
        remedy = f"make deploy ENV={environment.name} TAG=..."
        yield Finding(_GROUP, _SUBJECT, "blocker", "the chat is not deployed", remedy)
        return
    wanted, ready = at(deployed, "spec", "replicas") or 0, at(deployed, "status", "readyReplicas") or 0
    detail = f"{ready} of {wanted} are ready"
    if ready >= wanted > 0:
        yield Finding(_GROUP, _SUBJECT, "ok", detail)
        return
    if wanted == 0:
        yield Finding(_GROUP, _SUBJECT, "blocker", "the chat is scaled to no pod", _look(environment))
        return
    progressing = conditions(deployed).get("Progressing")
    starts = progressing is not None and progressing.true and progressing.reason != "NewReplicaSetAvailable"
    state: State = "warning" if ready else "unknown" if starts else "blocker"
    yield Finding(_GROUP, _SUBJECT, state, detail, _look(environment))


def _look(environment: Environment) -> str:
    namespace = environment.settings.chat.namespace
    return f"kubectl --namespace {namespace} describe pods --selector app.kubernetes.io/component=chat"
