"""Resources of an environment that may exist already, and answers of providers that are not registered yet."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from aks_kaito_cli.answers import Check, Finding
from aks_kaito_cli.azure.arm import Answer
from aks_kaito_cli.azure.errors import AzureAnswerError
from aks_kaito_cli.preflight.asking import if_there
from aks_kaito_cli.preflight.context import Context

CLUSTERS = "Microsoft.ContainerService/managedClusters"
# See: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-register-resource-provider
_UNREGISTERED = {"MissingSubscriptionRegistration", "SubscriptionNotRegistered"}


def own(context: Context, kind: str, name: str) -> str:
    """Return the resource id that the environment's deployment gives to a resource."""
    return f"{context.group}/providers/{kind}/{name}"


def existing(context: Context, path: str) -> Answer | None:
    """Read a resource that need not exist.

    Raises:
        AzureAnswerError: Azure gives another answer than the resource or its absence.
    """
    return if_there(partial(context.arm.get, path))


def registered(group: str, subject: str, provider: str, ask: Callable[[], Iterable[Finding]]) -> Check:
    """Return a check of which the answer is unknown, with the remedy, until its provider is registered."""

    def run() -> Iterator[Finding]:
        try:
            yield from ask()
        except AzureAnswerError as error:
            if error.code not in _UNREGISTERED:
                raise
            text = f"{provider} is not registered, and answers nothing before"
            yield Finding(group, subject, "unknown", text, f"az provider register --namespace {provider} --wait")

    return Check(group, subject, run)
