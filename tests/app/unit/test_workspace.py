"""A Workspace's conditions: the worst one is shown, with its reason in words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from kaito_chat.kubernetes.conditions import LONGEST_MESSAGE, Conditions
from kaito_chat.kubernetes.failures import Failure, failure_of
from kaito_chat.kubernetes.workspace import conditions_of
from kaito_chat.models.objects import Objects
from kaito_chat.models.readiness import Model
from kaito_chat.texts import texts_for
from support.chat.backends import endpoint, model_settings
from support.chat.fakes.kaito import Fake
from support.chat.workspaces import (
    CLAIMS,
    CREATED_CLAIMS,
    DEPLOYED,
    LATER,
    NO_NODES,
    NODES,
    PENDING_CLAIMS,
    QUOTA,
    RESOURCE,
    SUCCEEDED,
    TIMED_OUT,
    claims,
    condition,
    inference,
    workspace,
)


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
def test_a_malformed_workspace_is_tolerated(given: dict[str, Any]) -> None:
    assert not conditions_of(given).node_ready


def test_a_message_is_bounded_and_on_one_line() -> None:
    found = conditions_of(workspace(inference("ContainerCrashLoopBackOff", "line\n" * 500), CLAIMS, RESOURCE))
    assert len(found.message) <= LONGEST_MESSAGE
    assert "\n" not in found.message


def test_every_failure_has_a_text() -> None:
    assert all(texts_for("en-US").say(f"failure.{each}") for each in Failure)


def test_an_unknown_failure_is_still_a_failure() -> None:
    assert failure_of("SomethingFailed", "whatever") is Failure.FAILED
    assert failure_of("SomethingElse", "whatever") is None


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
            ["▸ GPU node: provisioning", "was not ready in time", "check nodeClaim status timed out"],
        ),
        (
            workspace(PENDING_CLAIMS, CREATED_CLAIMS, DEPLOYED, SUCCEEDED),
            ["▸ GPU node: provisioning", "The GPU node was lost"],
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
    settings = model_settings(workspace_name="phi")
    objects = Objects(settings, Reporting(conditions_of(given)))  # type: ignore[arg-type]
    model = Model(settings, [endpoint(Fake())], 1, objects)
    await model.check()
    text = texts_for("en-US").warming_up(model)
    for part in shown:
        assert part in text
    if "provisioning" in shown[0]:
        assert "✓ GPU node" not in text
