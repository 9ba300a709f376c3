"""A Workspace's conditions as KAITO 0.6 writes them."""

from typing import Any

import pytest

from kaito_chat.kubernetes.failures import Failure
from kaito_chat.kubernetes.workspace import conditions_of
from support.chat.workspaces import (
    CLAIMS,
    CREATED_CLAIMS,
    DEPLOYED,
    PENDING_CLAIMS,
    QUOTA,
    RESOURCE,
    SUCCEEDED,
    TIMED_OUT,
    condition,
    inference,
    workspace,
)


@pytest.mark.parametrize(
    ("given", "node", "failure", "message"),
    [
        (workspace(PENDING_CLAIMS, CREATED_CLAIMS), False, None, "creating 1 nodeClaims"),
        (
            workspace(
                PENDING_CLAIMS, CREATED_CLAIMS, condition("WorkspaceSucceeded", "False", "workspaceFailed", TIMED_OUT)
            ),
            False,
            Failure.NODE_TIMED_OUT,
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
            Failure.NODE_LOST,
            "creating 1 nodeClaims",
        ),
        (
            workspace(
                condition(
                    "ResourceReady", "False", "workspaceResourceStatusFailed", f"failed to create nodeClaim: {QUOTA}"
                ),
            ),
            False,
            Failure.QUOTA,
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
            Failure.GPU_DRIVER,
            "node plugin installation timed out. node x",
        ),
        (
            workspace(CLAIMS, RESOURCE, inference("WorkspaceInferenceStatusFailed", "context deadline exceeded")),
            True,
            Failure.SERVER_TIMED_OUT,
            "context deadline exceeded",
        ),
        (
            workspace(
                CLAIMS, RESOURCE, inference("WorkspaceInferenceStatusFailed", "deployment x is not progressing: y")
            ),
            True,
            Failure.SERVER_TIMED_OUT,
            None,
        ),
    ],
    ids=["creating", "timed-out", "came-late", "lost", "quota", "plugin", "server-timed-out", "not-progressing"],
)
def test_kaito_0_6(given: dict[str, Any], node: bool, failure: Failure | None, message: str | None) -> None:  # noqa: FBT001
    found = conditions_of(given)
    assert (found.node_ready, found.server_ready, found.failure) == (node, False, failure)
    assert message is None or found.message == message
