"""Services of the region: the Kubernetes version, PostgreSQL's sizes, and the models and quota of Azure OpenAI."""

from collections.abc import Callable, Iterator
from functools import partial

from aks_kaito_cli.answers import Check, Finding
from aks_kaito_cli.preflight import kubernetes_versions, openai, postgresql, resources
from aks_kaito_cli.preflight.context import Context

GROUP = "Region"


def checks(context: Context) -> list[Check]:
    """Return a check for each service that the environment uses."""
    wanted: list[tuple[str, str, Callable[[Context, str], Iterator[Finding]]]] = [
        (kubernetes_versions.SUBJECT, "Microsoft.ContainerService", kubernetes_versions.findings)
    ]
    if context.settings.postgresql.enabled:
        wanted.append((postgresql.SUBJECT, "Microsoft.DBforPostgreSQL", postgresql.findings))
    if context.settings.openai.enabled:
        wanted.append((openai.SUBJECT, "Microsoft.CognitiveServices", openai.findings))
    return [
        resources.registered(GROUP, subject, provider, partial(ask, context, GROUP))
        for subject, provider, ask in wanted
    ]
