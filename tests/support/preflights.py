"""Checks of preflight against a fake of Azure."""

from collections.abc import Callable
from pathlib import Path

from aks_kaito.settings import Environment, load
from aks_kaito_cli.answers import Check, Finding, side_by_side
from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.azure.errors import AzureAnswerError
from aks_kaito_cli.preflight.context import Context
from support.fake_azure import TOKEN, Credential, FakeAzure
from support.project import OWN_ID, ROOT, TODAY, own

DEV, PROD, SAMPLE = (
    own((ROOT / "environments" / f"{name}.toml").read_text(encoding="utf-8")) for name in ("dev", "prod", "sample")
)


def written(folder: Path, text: str = DEV, name: str = "dev") -> Environment:
    """Return the environment of a text."""
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, TODAY)


def context(fake: FakeAzure, environment: Environment, token: str = TOKEN) -> Context:
    """Return the access of checks to the fake."""
    return Context(environment, {}, Arm(Credential(token), fake.endpoint), OWN_ID)


def found(
    fake: FakeAzure, environment: Environment, checks: Callable[[Context], list[Check]], token: str = TOKEN
) -> dict[str, Finding]:
    """Return the findings of a module's checks, by their subjects, which are unique."""
    findings = side_by_side(checks(context(fake, environment, token)), (AzureAnswerError,))
    by_subject = {finding.subject: finding for finding in findings}
    assert len(by_subject) == len(findings), findings
    return by_subject
