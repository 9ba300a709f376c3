"""The evidence of a replica that is not ready, as far as its stage makes it relevant.

Words of an earlier stage stay in events and conditions after they were overcome, and must not be a reason later.
"""

from collections.abc import Iterator, Sequence

from aks_kaito_cli.status.azure_cluster import Failure, Pool
from aks_kaito_cli.status.causes import Evidence
from aks_kaito_cli.status.objects import Object, at, conditions, duration, label, line, name, text
from aks_kaito_cli.status.replicas import KARPENTERS_WORKSPACE, LogLine, ModelSet, Replica, containers
from aks_kaito_cli.status.stages import Stage, Step

# Three times the measured time of the stage.
STUCK_SECONDS = 900
_OF_NODES = (Stage.NODE, Stage.INITIALIZATION)
# Reasons of conditions that are in progress.
_IN_PROGRESS = {
    "workspacePending",
    "workspaceResourceCreated",
    "CreateNodeClaimPending",
    "AwaitingReconciliation",
    "NodeClaimNotReady",
    "NodeNotReady",
    "NotLaunched",
    "NotRegistered",
    "NodeNotFound",
    "ModelMirrorNotReady",
    "ModelMirrorPending",
    "workspaceResourceStatusNotReady",
    "WorkspaceInferenceStatusPending",
    "BenchmarkPending",
    "inferencesetNotReady",
}
_SERVER_CONDITIONS = ("ModelMirrorReady", "InferenceReady", "BenchmarkCompleted", "WorkspaceSucceeded")


def symptoms(
    replica: Replica, step: Step, pools: Sequence[Pool] = (), failures: Sequence[Failure] = ()
) -> list[Evidence]:
    """Return the evidence for the stage in progress, that of Azure first."""
    if step.stage in _OF_NODES:
        return [
            *_of_azure(replica, pools, failures),
            *_of_claims(replica),
            *_stuck(replica, step, pools),
            *_of_conditions(replica, tuple(replica.conditions)),
        ]
    previous = replica.previous if _keeps_ending(replica) else ()
    return [
        *_of_log(replica.log),
        *_of_log(previous),
        *_of_pods(replica),
        *_of_conditions(replica, _SERVER_CONDITIONS),
    ]


def of_set(found: ModelSet) -> list[Evidence]:
    """Return the evidence of an InferenceSet, such as a Workspace that it could not create."""
    return [
        Evidence("kaito", each.text, f"InferenceSet {found.name}, condition {each.type}")
        for each in found.conditions.values()
        if not each.true and each.reason not in _IN_PROGRESS and not each.type.endswith("Deleting")
    ]


def _keeps_ending(replica: Replica) -> bool:
    """Return whether a server ended more than by one accident: Kubernetes delays its start, or it ended twice."""
    states = [state for pod in replica.pods for state in containers(pod)]
    return any(
        text(state, "state", "waiting", "reason") == "CrashLoopBackOff" or (at(state, "restartCount") or 0) > 1
        for state in states
    )


def _of_azure(replica: Replica, pools: Sequence[Pool], failures: Sequence[Failure]) -> Iterator[Evidence]:
    names = {name(each) for each in replica.claims}
    own = [each for each in pools if each.name in names or each.workspace == replica.name]
    for pool in own:
        if pool.error:
            yield Evidence("azure", pool.error, f"node pool {pool.name}")
        elif pool.state in ("Failed", "Canceled"):
            yield Evidence("azure", f"Failed: provisioningState is {pool.state}", f"node pool {pool.name}")
    created = {each.name for each in own if each.state == "Succeeded"}
    for failure in failures:
        if failure.pool in names and failure.pool not in created:
            yield Evidence("azure", failure.text, f"activity log of node pool {failure.pool}")


def _of_claims(replica: Replica) -> Iterator[Evidence]:
    for claim in replica.claims:
        for each in conditions(claim).values():
            if not each.true and each.reason not in _IN_PROGRESS and each.message:
                yield Evidence("claim", each.text, f"NodeClaim {name(claim)}")
    for event in replica.claim_events:
        yield Evidence("claim", _event(event), f"NodeClaim {text(event, 'involvedObject', 'name')}")


def _stuck(replica: Replica, step: Step, pools: Sequence[Pool]) -> Iterator[Evidence]:
    """Yield the NodeClaims that Azure has no pool for, long after they were made."""
    if step.stage is not Stage.NODE or (step.seconds or 0) < STUCK_SECONDS:
        return
    known = {each.name for each in pools}
    for claim in replica.claims:
        # The nodes of node auto-provisioning are in no pool.
        if name(claim) not in known and not label(claim, KARPENTERS_WORKSPACE):
            since = duration(step.seconds or 0)
            yield Evidence("claim", f"no node for {since}, and Azure has no pool for it", f"NodeClaim {name(claim)}")


def _of_conditions(replica: Replica, kinds: Sequence[str]) -> Iterator[Evidence]:
    for kind in kinds:
        found = replica.conditions.get(kind)
        if found is not None and not found.true and found.reason not in _IN_PROGRESS:
            yield Evidence("kaito", found.text, f"Workspace {replica.name}, condition {kind}")


def _of_log(lines: Sequence[LogLine]) -> Iterator[Evidence]:
    for each in reversed(lines):
        yield Evidence("log", line(each.text), f"log of {each.pod}")


def _of_pods(replica: Replica) -> Iterator[Evidence]:
    for pod in replica.pods:
        place = f"pod {name(pod)}"
        if text(pod, "status", "phase") == "Failed":
            yield Evidence("pod", line(f"{text(pod, 'status', 'reason')} {text(pod, 'status', 'message')}"), place)
        scheduled = conditions(pod).get("PodScheduled")
        if scheduled is not None and not scheduled.true:
            yield Evidence("pod", scheduled.text, place)
        for container in containers(pod):
            yield from _of_container(container, place, ended=_keeps_ending(replica))
        yield from _of_events(pod, replica.pod_events)


def _of_container(container: Object, place: str, *, ended: bool) -> Iterator[Evidence]:
    waiting = at(container, "state", "waiting")
    if waiting is not None and text(waiting, "reason") not in ("ContainerCreating", "PodInitializing"):
        yield Evidence("pod", line(f"{text(waiting, 'reason')} {text(waiting, 'message')}"), place)
    for path in (("state", "terminated"), ("lastState", "terminated")):
        found = at(container, *path)
        if ended and found is not None and text(found, "exitCode") not in ("", "0"):
            words = f"{text(found, 'reason')}: exit code {text(found, 'exitCode')} {text(found, 'message')}"
            yield Evidence("pod", line(words), place)


def _of_events(pod: Object, events: Sequence[Object]) -> Iterator[Evidence]:
    """Yield a pod's events; those of its pull, scheduling and volumes only while that still fails."""
    waiting = {text(each, "state", "waiting", "reason") for each in containers(pod)}
    passed = {"Failed", "BackOff"} if not any("Image" in reason or "Pull" in reason for reason in waiting) else set()
    if (scheduled := conditions(pod).get("PodScheduled")) and scheduled.true:
        passed.add("FailedScheduling")
    if not waiting & {"ContainerCreating", "PodInitializing", "CreateContainerConfigError"}:
        passed.add("FailedMount")
    for event in events:
        reason = text(event, "reason")
        is_own = text(event, "involvedObject", "name") == name(pod)
        if is_own and reason not in passed and (text(event, "type") == "Warning" or reason == "Killing"):
            yield Evidence("pod", _event(event), f"pod {name(pod)}")


def _event(event: Object) -> str:
    return line(f"{text(event, 'reason')} {text(event, 'message')}")
