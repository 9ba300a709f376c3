"""Checks before a deployment, in this process and against fakes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from aks_kaito.settings import load
from aks_kaito_cli.answers import Check, Finding, side_by_side
from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.azure.errors import AzureAnswerError
from aks_kaito_cli.preflight.context import Context
from support.environment_files import DEV, edited, written
from support.fake_azure import Credential, FakeAzure
from support.project import OWN_ID, TODAY

SCOPE = f"/subscriptions/{OWN_ID}"
GROUP = f"{SCOPE}/resourceGroups/rg-kaito-dev-westeurope"


def context(
    folder: Path,
    azure: FakeAzure,
    edits: dict[str, list[str]] | None = None,
    variables: Mapping[str, str] | None = None,
    *,
    text: str = DEV,
    credential: Credential | None = None,
) -> Context:
    """Return the context of the dev environment with changed lines, signed in to a fake."""
    environment = load(written(folder, edited(edits or {}, text)), TODAY)
    return Context(environment, variables or {}, Arm(credential or Credential(), azure.endpoint), OWN_ID)


def found(checks: Sequence[Check]) -> dict[str, Finding]:
    """Return the findings by subject, of which each has one."""
    findings = side_by_side(checks, (AzureAnswerError,))
    assert len({each.subject for each in findings}) == len(findings)
    return {each.subject: each for each in findings}


def short(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """Return state and detail of findings."""
    return [(each.state, each.detail) for each in findings]
