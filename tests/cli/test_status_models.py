"""Stages and causes of models, from objects as KAITO 0.6 and 0.12 write them."""

from typing import Any

import pytest

from aks_kaito_cli.status.azure_cluster import Failure, Pool
from aks_kaito_cli.status.causes import Diagnosis, diagnose
from aks_kaito_cli.status.reach import Cluster
from aks_kaito_cli.status.replicas import model_sets, replicas
from aks_kaito_cli.status.stages import TYPICAL_SECONDS, Stage, Step, current, steps
from aks_kaito_cli.status.symptoms import symptoms
from support.kaito_cluster import (
    CLAIM,
    MODEL,
    NAMESPACE,
    NODE_READY_06,
    NODE_READY_12,
    NODE_UP,
    NOW,
    PENDING_06,
    READY_06,
    SIZE,
    ago,
    claim,
    cluster,
    condition,
    event,
    log,
    pod,
    running,
    waiting,
    workspace,
)

DONE_LOG = log("INFO Model loading took 51.75 GiB and 62.1 seconds", since=100)
SERVES_LOG = log("INFO:     Application startup complete.", since=30)


def staged(found: Cluster) -> list[Step]:
    (replica,) = replicas(found, NAMESPACE)
    return steps(replica, NOW)


def stage(found: Cluster) -> Step | None:
    return current(staged(found))


def cause(found: Cluster, *pools: Pool, failures: tuple[Failure, ...] = ()) -> Diagnosis | None:
    (replica,) = replicas(found, NAMESPACE)
    step = current(steps(replica, NOW))
    assert step is not None
    return diagnose(symptoms(replica, step, pools, failures), step.seconds)


def key(found: Cluster, *pools: Pool, failures: tuple[Failure, ...] = ()) -> str | None:
    diagnosis = cause(found, *pools, failures=failures)
    return diagnosis.cause.key if diagnosis else None


def of_pool(error: str, name: str = CLAIM, state: str = "Failed") -> Pool:
    return Pool(name, state, error, MODEL, by_kaito=True, size=SIZE, image="", power="")


@pytest.mark.parametrize(
    ("given", "expected", "seconds"),
    [
        ({"workspaces": [workspace(age=90)]}, Stage.NODE, 90),
        ({"workspaces": [workspace(*PENDING_06, age=90)], "claims": [claim()]}, Stage.NODE, 90),
        ({"workspaces": [workspace(*PENDING_06, age=600)], "claims": [claim(*NODE_UP)]}, Stage.INITIALIZATION, 316),
        ({"workspaces": [workspace(*NODE_READY_06)], "claims": [claim(*NODE_UP)]}, Stage.PULL, 190),
        (
            {"workspaces": [workspace(*NODE_READY_06)], "pods": [pod(waiting("ContainerCreating"))]},
            Stage.PULL,
            190,
        ),
        ({"workspaces": [workspace(*NODE_READY_06)], "pods": [pod(running(50))]}, Stage.LOAD, 50),
        (
            {"workspaces": [workspace(*NODE_READY_06)], "pods": [pod(running(150))], "logs": DONE_LOG},
            Stage.ENGINE,
            100,
        ),
        # 0.6 has no benchmark.
        (
            {"workspaces": [workspace(*NODE_READY_06)], "pods": [pod(running(150))], "logs": DONE_LOG + SERVES_LOG},
            Stage.ENGINE,
            100,
        ),
        (
            {"workspaces": [workspace(*NODE_READY_12)], "pods": [pod(running(150))], "logs": DONE_LOG + SERVES_LOG},
            Stage.BENCHMARK,
            30,
        ),
        ({"workspaces": [workspace(*NODE_READY_12)], "claims": [claim(*NODE_UP)]}, Stage.PULL, 190),
        # The model's download holds up 0.12's ResourceReady, not the node.
        (
            {
                "workspaces": [
                    workspace(
                        condition("NodesReady", "True", "NodesReady", since=70),
                        condition("ResourceReady", "False", "ModelMirrorNotReady", "Model download in progress"),
                    )
                ]
            },
            Stage.PULL,
            70,
        ),
    ],
)
def test_the_stage_in_progress_has_its_time(given: dict[str, Any], expected: Stage, seconds: float) -> None:
    found = stage(cluster(**given))
    assert found == Step(expected, "now", seconds)


def test_past_stages_have_their_times_and_the_benchmark_belongs_to_the_newer_version() -> None:
    found = staged(
        cluster(
            workspaces=[workspace(*NODE_READY_06, age=600)],
            claims=[claim(*NODE_UP)],
            pods=[pod(running(89))],
        )
    )
    assert found == [
        Step(Stage.NODE, "done", 284),
        Step(Stage.INITIALIZATION, "done", 126),
        Step(Stage.PULL, "done", 101),
        Step(Stage.LOAD, "now", 89),
        Step(Stage.ENGINE, "waiting"),
    ]
    newer = staged(cluster(workspaces=[workspace(*NODE_READY_12)]))
    assert [each.stage for each in newer] == list(Stage)


def test_the_typical_times_are_those_of_the_measurement() -> None:
    assert list(TYPICAL_SECONDS.values()) == [284, 126, 101, 157, 195, 92]


def test_a_ready_model_has_no_stage_in_progress() -> None:
    ready = condition("Ready", "True")
    assert stage(cluster(workspaces=[workspace(*READY_06)])) is None
    assert stage(cluster(workspaces=[workspace(*READY_06)], pods=[pod(running(50), ready)])) is None


def test_a_server_that_crashed_is_not_ready_although_the_older_version_says_so() -> None:
    crashed = pod(waiting("CrashLoopBackOff", restartCount=3), condition("Ready", "False"))
    found = cluster(workspaces=[workspace(*READY_06)], pods=[crashed])
    assert stage(found) is not None
    assert key(found) == "crash"


def test_a_lost_node_is_not_ready() -> None:
    lost = condition(
        "ResourceReady", "False", "workspaceResourceStatusNotReady", "node claim or node status condition not ready"
    )
    found = stage(cluster(workspaces=[workspace(*READY_06[:1], lost, *READY_06[2:], state="NotReady")]))
    assert found is not None
    assert found.stage is Stage.NODE


def test_several_models_keep_apart_what_is_theirs() -> None:
    found = cluster(
        workspaces=[workspace(*READY_06), workspace(*PENDING_06, name="phi-4")],
        claims=[claim(model="phi-4", name="ws0000000aa"), claim(*NODE_UP, model="phi-4", name="x", namespace="other")],
        pods=[pod(running(50), condition("Ready", "True"))],
        logs=log("torch.OutOfMemoryError: CUDA out of memory.", model="phi-4-mini-instruct"),
    )
    small, large = replicas(found, NAMESPACE)[1], replicas(found, NAMESPACE)[0]
    assert (small.name, small.ready, len(small.log), len(small.claims)) == (MODEL, True, 1, 0)
    assert (large.name, large.ready, large.log) == ("phi-4", False, ())
    assert [each["metadata"]["name"] for each in large.claims] == ["ws0000000aa"]


def test_replicas_of_an_inference_set_have_its_name() -> None:
    labels = {"labels": {"inferenceset.kaito.sh/created-by": "phi"}}
    found = cluster(
        workspaces=[workspace(name="phi-x1", metadata=labels)],
        sets=[{"metadata": {"name": "phi"}, "spec": {"replicas": 3}, "status": {"readyReplicas": 1}}],
    )
    assert [each.model for each in replicas(found, NAMESPACE)] == ["phi"]
    assert [(each.name, each.wanted, each.ready) for each in model_sets(found)] == [("phi", 3, 1)]


PULL_FAILED = event("Pod", f"{MODEL}-0", "Failed", "Failed to pull image: dial tcp: i/o timeout")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # Words of a stage that was overcome are no reason.
        ({"pods": [pod(running(50))], "events": [PULL_FAILED]}, None),
        ({"pods": [pod(waiting("ContainerCreating"))], "events": [PULL_FAILED]}, None),
        (
            {"pods": [pod(waiting("ImagePullBackOff", "Back-off pulling image"))], "events": [PULL_FAILED]},
            "image_unreachable",
        ),
        ({"pods": [pod(waiting("ImagePullBackOff", "Back-off pulling image"))]}, "image_pull"),
        ({"pods": [pod(running(50))], "events": [event("Pod", f"{MODEL}-0", "FailedScheduling", "0/4 nodes")]}, None),
        (
            {
                "pods": [pod(running(50))],
                "events": [event("Pod", f"{MODEL}-0", "Unhealthy", "Startup probe failed: x")],
            },
            None,
        ),
        (
            {
                "pods": [pod(running(50))],
                "events": [
                    event(
                        "Pod", f"{MODEL}-0", "Killing", "Container x failed startup probe, will be restarted", "Normal"
                    )
                ],
            },
            "probe",
        ),
        # One accident is none; the second one counts.
        ({"pods": [pod(running(5, restartCount=1))], "previous": log("CUDA out of memory")}, None),
        ({"pods": [pod(running(5, restartCount=2))], "previous": log("CUDA out of memory")}, "gpu_memory"),
        (
            {
                "pods": [
                    pod(
                        waiting(
                            "CrashLoopBackOff",
                            restartCount=1,
                            lastState={"terminated": {"reason": "OOMKilled", "exitCode": 137}},
                        )
                    )
                ]
            },
            "host_memory",
        ),
        (
            {"pods": [pod(running(5))], "logs": log("GatedRepoError: 401 Client Error. (Request ID: x)")},
            "huggingface_unauthorized",
        ),
        ({"pods": [pod(running(5), phase="Failed", reason="Evicted", message="low on resource: pods")]}, "evicted"),
    ],
)
def test_evidence_counts_while_its_stage_lasts(given: dict[str, Any], expected: str | None) -> None:
    assert key(cluster(workspaces=[workspace(*NODE_READY_06)], **given)) == expected


QUOTA = "ErrCode_InsufficientVCPUQuota: Insufficient vcpu quota requested 24, remaining 0"


def test_azures_words_about_the_pool_come_before_the_cut_ones_of_the_node_claim() -> None:
    cut = condition(
        "Launched", "False", "LaunchFailed", "creating instance, agentPool.BeginCreateOrUpdate failed: PUT https://..."
    )
    found = cluster(workspaces=[workspace(*PENDING_06)], claims=[claim(cut)])
    assert key(found) == "node_launch"
    assert key(found, of_pool(QUOTA)) == "quota"
    diagnosis = cause(found, failures=(Failure(CLAIM, QUOTA, NOW),))
    assert diagnosis is not None
    assert (diagnosis.cause.key, diagnosis.evidence.place) == ("quota", f"activity log of node pool {CLAIM}")


def test_a_failure_of_another_pool_or_of_an_earlier_try_is_no_reason() -> None:
    found = cluster(workspaces=[workspace(*PENDING_06)], claims=[claim()])
    assert key(found, failures=(Failure("wsother00000", QUOTA, NOW),)) is None
    assert key(found, of_pool("", state="Succeeded"), failures=(Failure(CLAIM, QUOTA, NOW),)) is None
    assert key(found, of_pool("", state="Creating")) is None


def test_a_pool_that_failed_without_words_is_a_failure() -> None:
    found = cluster(workspaces=[workspace(*PENDING_06)], claims=[claim()])
    assert key(found, of_pool("")) == "failed"


def test_a_node_claim_without_a_pool_is_stuck_after_a_quarter_of_an_hour() -> None:
    def at_age(age: float) -> Cluster:
        return cluster(workspaces=[workspace(*PENDING_06, age=age)], claims=[claim()])

    assert key(at_age(880)) is None
    assert key(at_age(900)) == "claim_stuck"
    assert key(at_age(900), of_pool("", state="Creating")) is None


def test_odd_objects_are_survived() -> None:
    odd = [
        {"metadata": None, "status": []},
        {"metadata": {"name": "b", "creationTimestamp": "yesterday"}, "status": {"conditions": [None, 3, {}]}},
        {"metadata": {"name": "c", "creationTimestamp": ago(5)}, "status": {"conditions": "none"}, "resource": []},
    ]
    found = replicas(cluster(workspaces=odd, claims=[{}], pods=[{"status": 1}], logs="no prefix\n[pod/x"), NAMESPACE)
    assert [each.name for each in found] == ["", "b", "c"]
    assert [current(steps(each, NOW)) for each in found] == [
        Step(Stage.NODE, "now", None),
        Step(Stage.NODE, "now", None),
        Step(Stage.NODE, "now", 5),
    ]
