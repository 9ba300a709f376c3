"""Tunings in `status`: no model, and a warning while a finished one is billed."""

import pytest

from aks_kaito.settings import Environment
from aks_kaito_cli.status import tunings
from aks_kaito_cli.status.replicas import replicas
from support.kaito_cluster import MODEL, NAMESPACE, Object, cluster, condition, workspace

SUCCEEDED = condition("WorkspaceSucceeded", "True", "workspaceSucceeded")
FAILED = condition("WorkspaceSucceeded", "False", "workspaceFailed", "tuning job failed")
STARTED = condition("JobStarted", "True", "WorkspaceTuningJobStatusStarted")


def tuning(*conditions: Object) -> Object:
    """Return the Workspace of a tuning."""
    found = workspace(*conditions, name="tune", metadata={"labels": {"kaito-chat/tuning": "support"}})
    del found["inference"]
    return {**found, "tuning": {"preset": {"name": "phi-4"}}}


def test_a_tuning_is_no_replica_of_a_model() -> None:
    found = cluster(workspaces=[workspace(SUCCEEDED), tuning(SUCCEEDED)])
    assert [each.name for each in replicas(found, NAMESPACE)] == [MODEL]


@pytest.mark.parametrize(
    ("given", "state", "detail", "remedy"),
    [
        ((), "info", "waits for its GPU node", ""),
        ((STARTED,), "info", "trains an adapter", ""),
        (
            (STARTED, SUCCEEDED),
            "warning",
            "billed until the Workspace",
            "Set tuning.support.enabled = false",
        ),
        ((STARTED, FAILED), "warning", "has failed: tuning job failed", "logs job/tune --all-containers"),
    ],
)
def test_the_finding_names_the_state_and_the_bill(
    given: tuple[Object, ...], state: str, detail: str, remedy: str, environments: dict[str, Environment]
) -> None:
    found = cluster(workspaces=[workspace(), tuning(*given)])
    (finding,) = tunings.findings(found, environments["dev"])
    assert (finding.subject, finding.state) == ("tune", state)
    assert detail in finding.detail
    assert remedy in finding.remedy
