"""A Workspace's conditions as KAITO 0.6 and 0.12 write them: the worst wins, and its reason is said in words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from kaito_chat.kubernetes.hindrance import Hindrance, hindrance_of
from kaito_chat.kubernetes.workspace import LONGEST_MESSAGE, Conditions, conditions_of
from kaito_chat.models.readiness import Model
from kaito_chat.texts import texts_for
from support.chat.fakes.kaito import Fake
from support.chat.talk import endpoint, model_settings

CREATED, LATER = "2026-11-24T09:50:00Z", "2026-11-24T10:30:00Z"
QUOTA = (
    'creating instance, creating agentpool "ws1": RESPONSE 400: ERROR CODE: QuotaExceeded: Operation could not be '
    "completed as it results in exceeding approved standardNCADSA100v4Family Cores quota. Additional Required: 24"
)


def condition(kind: str, status: str, reason: str, message: str = "", at: str = CREATED) -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": at}


def workspace(*conditions: dict[str, str], state: str = "") -> dict[str, Any]:
    status: dict[str, Any] = {"conditions": list(conditions)} | ({"state": state} if state else {})
    return {"metadata": {"creationTimestamp": CREATED}, "status": status}


# KAITO 0.6: pkg/workspace/controllers/workspace_controller.go
CREATED_CLAIMS = condition("ResourceReady", "False", "workspaceResourceCreated", "nodeclaims created successfully")
PENDING_CLAIMS = condition("NodeClaimReady", "Unknown", "CreateNodeClaimPending", "creating 1 nodeClaims")
TIMED_OUT = "check nodeClaim status timed out. nodeClaim ws1 is not ready"
DEPLOYED = condition(
    "InferenceReady", "True", "WorkspaceInferenceStatusSuccess", "Inference has been deployed successfully"
)
SUCCEEDED = condition("WorkspaceSucceeded", "True", "workspaceSucceeded", "workspace succeeds")
CLAIMS = condition("NodeClaimReady", "True", "installNodePluginsSuccess", "nodeClaim plugins have been installed")
RESOURCE = condition("ResourceReady", "True", "workspaceResourceStatusSuccess", "workspace resource is ready", LATER)
# KAITO 0.12: pkg/nodeprovision, and applyInferenceWorkspaceStatus
NODES = condition("NodesReady", "True", "NodesReady", "Enough Nodes are ready")
NO_NODES = condition("NodesReady", "False", "NodeNotReady", "Not enough Nodes are ready")
WAITS = condition(
    "WorkspaceSucceeded", "False", "workspacePending", "workspace is waiting for inference workload readiness"
)
INFERENCE_WAITS = condition(
    "InferenceReady", "False", "WorkspaceInferenceStatusPending", "Inference workload is not ready"
)


def claims(reason: str, message: str) -> tuple[dict[str, str], dict[str, str]]:
    """How 0.12 writes Karpenter's reason: to the claims and to the resource."""
    return condition("NodeClaimReady", "False", reason, message), condition("ResourceReady", "False", reason, message)


def inference(reason: str, message: str) -> dict[str, str]:
    return condition("InferenceReady", "False", reason, message)


@pytest.mark.parametrize(
    ("given", "node", "hindrance", "message"),
    [
        (workspace(PENDING_CLAIMS, CREATED_CLAIMS), False, None, "creating 1 nodeClaims"),
        (
            workspace(
                PENDING_CLAIMS, CREATED_CLAIMS, condition("WorkspaceSucceeded", "False", "workspaceFailed", TIMED_OUT)
            ),
            False,
            Hindrance.NODE_TIMED_OUT,
            TIMED_OUT,
        ),
        (
            workspace(CLAIMS, RESOURCE, condition("WorkspaceSucceeded", "False", "workspaceFailed", TIMED_OUT)),
            True,
            None,
            "",
        ),
        (
            workspace(PENDING_CLAIMS, CREATED_CLAIMS, DEPLOYED, SUCCEEDED),
            False,
            Hindrance.NODE_LOST,
            "creating 1 nodeClaims",
        ),
        (
            workspace(
                condition(
                    "ResourceReady", "False", "workspaceResourceStatusFailed", f"failed to create nodeClaim: {QUOTA}"
                ),
            ),
            False,
            Hindrance.QUOTA,
            None,
        ),
        (
            workspace(
                CLAIMS,
                condition(
                    "ResourceReady",
                    "False",
                    "workspaceResourceStatusFailed",
                    "node plugin installation timed out. node x",
                ),
            ),
            False,
            Hindrance.GPU_DRIVER,
            "node plugin installation timed out. node x",
        ),
        (
            workspace(CLAIMS, RESOURCE, inference("WorkspaceInferenceStatusFailed", "context deadline exceeded")),
            True,
            Hindrance.SERVER_TIMED_OUT,
            "context deadline exceeded",
        ),
        (
            workspace(
                CLAIMS, RESOURCE, inference("WorkspaceInferenceStatusFailed", "deployment x is not progressing: y")
            ),
            True,
            Hindrance.SERVER_TIMED_OUT,
            None,
        ),
    ],
    ids=["creating", "timed-out", "came-late", "lost", "quota", "plugin", "server-timed-out", "not-progressing"],
)
def test_kaito_0_6(given: dict[str, Any], node: bool, hindrance: Hindrance | None, message: str | None) -> None:  # noqa: FBT001
    found = conditions_of(given)
    assert (found.node_ready, found.server_ready, found.hindrance) == (node, False, hindrance)
    assert message is None or found.message == message


@pytest.mark.parametrize(
    ("given", "node", "hindrance"),
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
        (workspace(*claims("LaunchFailed", QUOTA), NO_NODES, INFERENCE_WAITS, WAITS), False, Hindrance.QUOTA),
        (
            workspace(*claims("LaunchFailed", "SkuNotAvailable: Standard_NC24 is not available in location"), NO_NODES),
            False,
            Hindrance.SKU,
        ),
        (
            workspace(*claims("InsufficientCapacity", "ZonalAllocationFailed: no capacity"), NO_NODES),
            False,
            Hindrance.CAPACITY,
        ),
        (
            workspace(*claims("LaunchFailed", "AuthorizationFailed: the client does not have"), NO_NODES),
            False,
            Hindrance.NO_RIGHT,
        ),
        (workspace(*claims("LaunchFailed", "something new"), NO_NODES), False, Hindrance.NODE_FAILED),
        (
            workspace(
                CLAIMS, condition("NodesReady", "False", "NodePluginsNotReady", "waiting all node plugins to be ready")
            ),
            False,
            Hindrance.GPU_DRIVER,
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
            Hindrance.IMAGE_PULL,
        ),
        (
            workspace(CLAIMS, NODES, RESOURCE, inference("ContainerOOMKilled", 'container "x" was OOMKilled'), WAITS),
            True,
            Hindrance.OUT_OF_MEMORY,
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
            Hindrance.CRASHED,
        ),
        (
            workspace(CLAIMS, NODES, RESOURCE, inference("ContainerStartError", "RunContainerError"), WAITS),
            True,
            Hindrance.CRASHED,
        ),
        (workspace(CLAIMS, NODES, RESOURCE, inference("NodeDiskPressure", "evicted"), WAITS), True, Hindrance.EVICTED),
        (
            workspace(CLAIMS, NODES, RESOURCE, inference("Unschedulable", "0/3 nodes"), WAITS),
            True,
            Hindrance.UNSCHEDULABLE,
        ),
        (
            workspace(CLAIMS, NODES, RESOURCE, inference("SASTokenFetchFailed", "SAS token fetch failed"), WAITS),
            True,
            Hindrance.DOWNLOAD,
        ),
        (
            workspace(
                CLAIMS,
                NODES,
                condition("ResourceReady", "False", "ModelMirrorNotReady", "Model download in progress"),
                WAITS,
            ),
            True,
            Hindrance.DOWNLOAD,
        ),
        (
            workspace(
                CLAIMS, NODES, RESOURCE, DEPLOYED, condition("WorkspaceSucceeded", "False", "BenchmarkFailed", "x")
            ),
            True,
            Hindrance.BENCHMARK,
        ),
        (
            workspace(*claims("NodeClaimNotReady", "x"), NO_NODES, INFERENCE_WAITS, WAITS, state="NotReady"),
            False,
            Hindrance.NODE_LOST,
        ),
    ],
)
def test_kaito_0_12(given: dict[str, Any], node: bool, hindrance: Hindrance | None) -> None:  # noqa: FBT001
    found = conditions_of(given)
    assert (found.node_ready, found.hindrance) == (node, hindrance)


@pytest.mark.parametrize(
    "given", [workspace(CLAIMS, RESOURCE, DEPLOYED, SUCCEEDED), workspace(CLAIMS, NODES, RESOURCE, DEPLOYED, SUCCEEDED)]
)
def test_a_workspace_that_works_has_nothing_to_say(given: dict[str, Any]) -> None:
    assert conditions_of(given) == Conditions(True, True, datetime(2026, 11, 24, 10, 30, tzinfo=UTC))  # noqa: FBT003


def test_a_lost_node_is_gone_since_it_was_lost() -> None:
    lost = condition("ResourceReady", "False", "workspaceResourceCreated", "nodeclaims created successfully", LATER)
    assert conditions_of(workspace(PENDING_CLAIMS, lost, DEPLOYED, SUCCEEDED)).since == datetime(
        2026, 11, 24, 10, 30, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "given", [{}, {"status": {"conditions": 7}}, {"status": {"conditions": [7, {}]}}, {"metadata": 1, "status": []}]
)
def test_an_odd_workspace_is_survived(given: dict[str, Any]) -> None:
    assert not conditions_of(given).node_ready


def test_a_message_is_bounded_and_on_one_line() -> None:
    found = conditions_of(workspace(inference("ContainerCrashLoopBackOff", "line\n" * 500), CLAIMS, RESOURCE))
    assert len(found.message) <= LONGEST_MESSAGE
    assert "\n" not in found.message


def test_every_hindrance_has_words() -> None:
    assert all(texts_for("en-US").say(f"hindrance.{each}") for each in Hindrance)


def test_a_failure_that_nobody_knows_is_one_all_the_same() -> None:
    assert hindrance_of("SomethingFailed", "whatever") is Hindrance.FAILED
    assert hindrance_of("SomethingElse", "whatever") is None


class Reporting:
    """An API server that has one Workspace."""

    def __init__(self, found: Conditions) -> None:
        self.found = found

    async def conditions(self, name: str) -> Conditions:
        assert name == "phi"
        return self.found


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (
            workspace(
                PENDING_CLAIMS, CREATED_CLAIMS, condition("WorkspaceSucceeded", "False", "workspaceFailed", TIMED_OUT)
            ),
            ["▸ GPU node: provisioning", "did not come in time", "check nodeClaim status timed out"],
        ),
        (
            workspace(PENDING_CLAIMS, CREATED_CLAIMS, DEPLOYED, SUCCEEDED),
            ["▸ GPU node: provisioning", "The GPU node is gone"],
        ),
        (
            workspace(*claims("LaunchFailed", QUOTA), NO_NODES),
            ["▸ GPU node", "quota for this size of GPU node is used up", "Additional Required: 24"],
        ),
        (
            workspace(CLAIMS, NODES, RESOURCE, inference("ImagePullError", "image <b>x</b>")),
            ["✓ GPU node", "▸ Model server", "cannot be pulled", "image \\<b\\>x"],
        ),
    ],
)
async def test_the_page_shows_the_worst_in_words(given: dict[str, Any], shown: list[str]) -> None:
    model = Model(model_settings(workspace_name="phi"), endpoint(Fake()), 1, Reporting(conditions_of(given)))  # type: ignore[arg-type]
    await model.look()
    text = texts_for("en-US").warming_up(model)
    for part in shown:
        assert part in text
    if "provisioning" in shown[0]:
        assert "✓ GPU node" not in text
