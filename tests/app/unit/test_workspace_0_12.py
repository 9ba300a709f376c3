"""A Workspace's conditions as KAITO 0.12 writes them."""

from typing import Any

import pytest

from kaito_chat.kubernetes.failures import Failure
from kaito_chat.kubernetes.workspace import conditions_of
from support.chat.workspaces import (
    CLAIMS,
    DEPLOYED,
    INFERENCE_WAITS,
    NO_NODES,
    NODES,
    QUOTA,
    RESOURCE,
    WAITS,
    claims,
    condition,
    inference,
    workspace,
)


@pytest.mark.parametrize(
    ("given", "node", "failure"),
    [
        (
            workspace(
                *claims("AwaitingReconciliation", "object is awaiting reconciliation"), NO_NODES, INFERENCE_WAITS, WAITS
            ),
            False,
            None,
        ),
        (
            workspace(
                *claims("NodeClaimNotReady", "Ready NodeClaims are not enough"), NO_NODES, INFERENCE_WAITS, WAITS
            ),
            False,
            None,
        ),
        (workspace(*claims("LaunchFailed", QUOTA), NO_NODES, INFERENCE_WAITS, WAITS), False, Failure.QUOTA),
        (
            workspace(*claims("LaunchFailed", "SkuNotAvailable: Standard_NC24 is not available in location"), NO_NODES),
            False,
            Failure.SKU,
        ),
        (
            workspace(*claims("InsufficientCapacity", "ZonalAllocationFailed: no capacity"), NO_NODES),
            False,
            Failure.CAPACITY,
        ),
        (
            workspace(*claims("LaunchFailed", "AuthorizationFailed: the client does not have"), NO_NODES),
            False,
            Failure.NO_RIGHT,
        ),
        (workspace(*claims("LaunchFailed", "something new"), NO_NODES), False, Failure.NODE_FAILED),
        (
            workspace(
                CLAIMS, condition("NodesReady", "False", "NodePluginsNotReady", "waiting all node plugins to be ready")
            ),
            False,
            Failure.GPU_DRIVER,
        ),
        (workspace(CLAIMS, NODES, RESOURCE, INFERENCE_WAITS, WAITS), True, None),
        (
            workspace(
                CLAIMS,
                NODES,
                RESOURCE,
                inference("ImagePullError", 'container "x" image pull failed: unauthorized'),
                WAITS,
            ),
            True,
            Failure.IMAGE_PULL,
        ),
        (
            workspace(CLAIMS, NODES, RESOURCE, inference("ContainerOOMKilled", 'container "x" was OOMKilled'), WAITS),
            True,
            Failure.OUT_OF_MEMORY,
        ),
        (
            workspace(
                CLAIMS,
                NODES,
                RESOURCE,
                inference("ContainerCrashLoopBackOff", "last termination: quota, plugin"),
                WAITS,
            ),
            True,
            Failure.CRASHED,
        ),
        (
            workspace(CLAIMS, NODES, RESOURCE, inference("ContainerStartError", "RunContainerError"), WAITS),
            True,
            Failure.CRASHED,
        ),
        (workspace(CLAIMS, NODES, RESOURCE, inference("NodeDiskPressure", "evicted"), WAITS), True, Failure.EVICTED),
        (
            workspace(CLAIMS, NODES, RESOURCE, inference("Unschedulable", "0/3 nodes"), WAITS),
            True,
            Failure.UNSCHEDULABLE,
        ),
        (
            workspace(CLAIMS, NODES, RESOURCE, inference("SASTokenFetchFailed", "SAS token fetch failed"), WAITS),
            True,
            Failure.DOWNLOAD,
        ),
        (
            workspace(
                CLAIMS,
                NODES,
                condition("ResourceReady", "False", "ModelMirrorNotReady", "Model download in progress"),
                WAITS,
            ),
            True,
            Failure.DOWNLOAD,
        ),
        (
            workspace(
                CLAIMS, NODES, RESOURCE, DEPLOYED, condition("WorkspaceSucceeded", "False", "BenchmarkFailed", "x")
            ),
            True,
            Failure.BENCHMARK,
        ),
        (
            workspace(*claims("NodeClaimNotReady", "x"), NO_NODES, INFERENCE_WAITS, WAITS, state="NotReady"),
            False,
            Failure.NODE_LOST,
        ),
    ],
)
def test_kaito_0_12(given: dict[str, Any], node: bool, failure: Failure | None) -> None:  # noqa: FBT001
    found = conditions_of(given)
    assert (found.node_ready, found.failure) == (node, failure)
