"""One look at an environment: Azure's answers, the cluster's, and the findings on its models."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from aks_kaito.settings import Environment
from aks_kaito_cli import kaito_version
from aks_kaito_cli.answers import Finding, State
from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.azure.errors import AzureAnswerError
from aks_kaito_cli.status import azure_cluster
from aks_kaito_cli.status.azure_cluster import AzureCluster, Failure
from aks_kaito_cli.status.causes import Diagnosis, Evidence, diagnose
from aks_kaito_cli.status.objects import at, duration, name
from aks_kaito_cli.status.questions import CONTROLLER, PROVISIONERS, WEBHOOK
from aks_kaito_cli.status.reach import Cluster, Reader
from aks_kaito_cli.status.replicas import ModelSet, Replica, model_sets, replicas
from aks_kaito_cli.status.stages import TYPICAL_SECONDS, Stage, Step, current, steps
from aks_kaito_cli.status.symptoms import of_set, symptoms

_CLUSTER = "Cluster"
# Above this multiple of the typical time, a stage is slow.
_SLOW = 3


@dataclass(frozen=True)
class ModelState:
    """A replica and what was found about it.

    Attributes:
        step: The stage in progress; None if it answers.
        diagnosis: The reason why it cannot become ready; None if it is in progress.
    """

    replica: Replica
    steps: list[Step]
    step: Step | None
    diagnosis: Diagnosis | None


@dataclass(frozen=True)
class Look:
    """The result.

    Attributes:
        set_causes: By the InferenceSet's name, the reason why it cannot make its replicas.
        failures: Failed operations on KAITO's pools, if they were asked for.
        log_error: The reason for which they are unknown.
    """

    azure: AzureCluster
    cluster: Cluster
    models: list[ModelState]
    sets: list[ModelSet]
    set_causes: dict[str, Diagnosis]
    failures: list[Failure]
    log_error: str
    now: datetime

    @property
    def settled(self) -> bool:
        """Whether waiting would change nothing: no model is on its way, or one cannot become ready."""
        if self.set_causes or any(each.diagnosis for each in self.models):
            return True
        return not any(each.step or each.replica.deleted for each in self.models) and all(
            each.ready >= each.wanted for each in self.sets
        )


def look(environment: Environment, arm: Arm, cluster_id: str, reader: Reader, now: datetime) -> Look:
    """Look once."""
    azure = azure_cluster.read(arm, cluster_id)
    cluster = reader.read(azure.host) if azure.runs else Cluster("none", (_stopped(azure),))
    found = replicas(cluster, environment.settings.chat.namespace)
    progress = {each.name: steps(each, now) for each in found}
    in_nodes = any(
        (step := current(progress[each.name])) and step.stage in (Stage.NODE, Stage.INITIALIZATION) for each in found
    )
    failures: list[Failure] = []
    log_error = ""
    if azure.found and (in_nodes or cluster.path == "none"):
        try:
            failures = azure_cluster.failures(arm, cluster_id, now)
        except AzureAnswerError as error:
            log_error = str(error)
    models = [_model(each, progress[each.name], azure, failures, cluster) for each in found]
    sets = model_sets(cluster)
    causes = {each.name: cause for each in sets if (cause := diagnose(of_set(each)))}
    return Look(azure, cluster, models, sets, causes, failures, log_error, now)


def _stopped(azure: AzureCluster) -> str:
    if azure.found is False:
        return "there is no cluster"
    return "the cluster is stopped" if azure.power == "Stopped" else "the cluster is being deleted"


def _model(
    replica: Replica, progress: list[Step], azure: AzureCluster, failures: Sequence[Failure], cluster: Cluster
) -> ModelState:
    step = current(progress)
    if step is None:
        return ModelState(replica, progress, None, None)
    evidence = symptoms(replica, step, azure.pools, failures)
    return ModelState(replica, progress, step, diagnose([*_of_controllers(cluster), *evidence], step.seconds))


def _of_controllers(cluster: Cluster) -> Iterator[Evidence]:
    """Yield the parts of KAITO that are missing or do not run; nothing where that is unknown."""
    if not cluster.error("controllers"):
        running = {name(each): at(each, "status", "availableReplicas") for each in cluster.items("controllers")}
        for each in (CONTROLLER, *PROVISIONERS):
            if each in running and not running[each]:
                yield Evidence("controller", f"{each} is not available", f"deployment {each}")
        if CONTROLLER not in running:
            yield Evidence("controller", f"{CONTROLLER} is not available: it is missing", f"deployment {CONTROLLER}")


def of_cluster(seen: Look, environment: Environment, words: dict[str, str]) -> Iterator[Finding]:
    """Yield the findings on the cluster, the path to it, and KAITO."""
    azure, cluster = seen.azure, seen.cluster
    yield _power(azure, words)
    if cluster.path == "none":
        if azure.runs:
            detail = f"Azure's answers only: {'; '.join(cluster.reasons)}"
            yield Finding(
                _CLUSTER,
                "path",
                "unknown",
                detail,
                f"make status ENV={words['environment']}, inside the environment's network",
            )
            yield from _of_failed_pools(seen, words)
        return
    reason = f", because {cluster.reasons[0]}" if cluster.reasons else ""
    path = "kubectl" if cluster.path == "direct" else "az aks command invoke"
    yield Finding(_CLUSTER, "path", "ok", f"read through {path}{reason}")
    if environment.settings.kaito.enabled:
        yield from _of_kaito(cluster, environment, words)


def _power(azure: AzureCluster, words: dict[str, str]) -> Finding:
    group = f"--resource-group {words['group']} --name {words['cluster']}"
    if azure.found is None:
        return Finding(_CLUSTER, "Azure", "unknown", azure.error, "az login")
    if azure.found is False:
        remedy = f"make deploy ENV={words['environment']} TAG=..."
        return Finding(_CLUSTER, "Azure", "blocker", f"there is no cluster {words['cluster']}", remedy)
    if azure.power == "Stopped":
        detail = "the cluster is stopped; AKS does not support that while Workspaces exist"
        return Finding(_CLUSTER, "Azure", "blocker", detail, f"az aks start {group}")
    if azure.state == "Deleting":
        detail = "the cluster is being deleted"
        return Finding(_CLUSTER, "Azure", "blocker", detail, f"make destroy ENV={words['environment']} CONFIRM=...")
    failed = azure.state in ("Failed", "Canceled")
    detail = f"provisioningState {azure.state or 'unknown'}{f': {azure.failure}' if azure.failure else ''}"
    return Finding(_CLUSTER, "Azure", "warning" if failed else "ok", detail, f"az aks update {group}" if failed else "")


def _of_failed_pools(seen: Look, words: dict[str, str]) -> Iterator[Finding]:
    """Yield the failed pools of KAITO: without the cluster, the only words about a model."""
    if seen.log_error:
        yield Finding("Model", "activity log", "unknown", seen.log_error)
    texts = {each.pool: each.text for each in reversed(seen.failures)}
    texts |= {
        each.name: each.error or each.state for each in seen.azure.pools if each.by_kaito and each.state == "Failed"
    }
    succeeded = {each.name for each in seen.azure.pools if each.state == "Succeeded"}
    for pool, said in texts.items():
        sizes = {each.name: each.size for each in seen.azure.pools}
        found = None if pool in succeeded else diagnose([Evidence("azure", said, f"node pool {pool}")])
        if found is not None:
            named = {**words, "model": f"node pool {pool}", "size": sizes.get(pool) or words["size"]}
            detail = f"{found.cause.sentence.format(**named)} ({said})"
            yield Finding("Model", f"node pool {pool}", "blocker", detail, found.cause.remedy.format(**named))


def _of_kaito(cluster: Cluster, environment: Environment, words: dict[str, str]) -> Iterator[Finding]:
    if error := cluster.error("controllers"):
        yield Finding(_CLUSTER, "KAITO", "unknown", error)
        return
    if found := diagnose(_of_controllers(cluster)):
        detail = f"{found.cause.sentence}: {found.evidence.text}"
        yield Finding(_CLUSTER, "KAITO", "blocker", detail, found.cause.remedy.format(**words))
    if not cluster.error("webhooks") and not cluster.items("webhooks"):
        detail = f"there is no {WEBHOOK}: KAITO does not check Workspaces before they are stored"
        yield Finding(_CLUSTER, "KAITO's webhook", "warning", detail, f"make deploy ENV={environment.name} TAG=...")
    image = next(
        (
            str(at(each, "spec", "template", "spec", "containers", 0, "image") or "")
            for each in cluster.items("controllers")
            if name(each) == CONTROLLER
        ),
        "",
    )
    expected = environment.settings.kaito.version
    running = kaito_version.version_of(image)
    state: State = "ok" if running == expected else "unknown" if running is None else "warning"
    remedy = "" if state == "ok" else kaito_version.way_out(image)
    yield Finding(_CLUSTER, "KAITO version", state, kaito_version.sentence(image, expected), remedy)


def slowness(step: Step) -> str:
    """Return words for a stage that takes much longer than usual; empty if it does not."""
    typical = TYPICAL_SECONDS[step.stage]
    if step.seconds is None or step.seconds <= _SLOW * typical:
        return ""
    return f", {step.seconds / typical:.0f} times the typical {duration(typical)}"
