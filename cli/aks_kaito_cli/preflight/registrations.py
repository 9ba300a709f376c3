"""Registrations of resource providers and features, and the region's services: one list of Azure has all three.

See: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types
"""

from collections.abc import Iterator
from functools import partial

from aks_kaito.resource_providers import RESOURCE_PROVIDERS
from aks_kaito.settings import Settings
from aks_kaito_cli.answers import Check, Finding
from aks_kaito_cli.azure.arm import Answer
from aks_kaito_cli.preflight import permissions, resource_types
from aks_kaito_cli.preflight.asking import together
from aks_kaito_cli.preflight.context import Context

GROUP = "Registrations"
_ENCRYPTION = ("Microsoft.Compute", "EncryptionAtHost")


def checks(context: Context) -> list[Check]:
    """Return the checks of providers with their types, and of each feature that the settings need."""
    return [
        Check(GROUP, "resource providers", partial(_providers, context)),
        *(
            Check(GROUP, name, partial(_feature, context, namespace, name))
            for namespace, name in _features(context.settings)
        ),
    ]


def _features(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.system_pool.host_encryption_enabled or settings.user_pool.host_encryption_enabled:
        yield _ENCRYPTION


def _providers(context: Context) -> Iterator[Finding]:
    listed, roles = together(
        partial(context.arm.pages, f"{context.scope}/providers"), partial(permissions.of, context, context.scope)
    )
    found: dict[str, Answer] = {str(each["namespace"]).lower(): each for each in listed}
    states = {name: str(found.get(name.lower(), {}).get("registrationState")) for name in RESOURCE_PROVIDERS}
    lacking = {name: state for name, state in states.items() if state != "Registered"}
    for name, state in lacking.items():
        yield _unregistered(context, name, state, is_allowed=permissions.granted(roles, f"{name}/register/action"))
    if not lacking:
        yield Finding(GROUP, "resource providers", "ok", f"all {len(states)} are registered")
    yield from _elsewhere(context, found)


def _unregistered(context: Context, name: str, state: str, *, is_allowed: bool) -> Finding:
    command = f"az provider register --namespace {name} --subscription {context.subscription} --wait"
    if state == "Registering":
        return Finding(GROUP, name, "warning", "its registration runs, which takes some minutes", command)
    if context.settings.resource_provider_registration_enabled and is_allowed:
        return Finding(GROUP, name, "info", f"{state}; the deployment registers it")
    reason = (
        "the identity may not register it"
        if context.settings.resource_provider_registration_enabled
        else "resource_provider_registration_enabled = false"
    )
    return Finding(GROUP, name, "blocker", f"{state}, and {reason}", command)


def _elsewhere(context: Context, found: dict[str, Answer]) -> Iterator[Finding]:
    """Yield a blocker for each type that the region does not have."""
    location = context.settings.location
    for kind in resource_types.of(context.settings):
        provider, _, name = kind.partition("/")
        types = found.get(provider.lower(), {}).get("resourceTypes") or []
        places: list[str] = next(
            (each["locations"] for each in types if str(each["resourceType"]).lower() == name.lower()), []
        )
        regions = {str(place).lower().replace(" ", "") for place in places}
        if regions and location not in regions:
            text = f"{location} does not have {kind}"
            yield Finding(GROUP, kind, "blocker", text, "Set another location, or disable what needs it")


def _feature(context: Context, namespace: str, name: str) -> list[Finding]:
    path = f"{context.scope}/providers/Microsoft.Features/providers/{namespace}/features/{name}"
    state = str(context.arm.get(path)["properties"]["state"])
    if state == "Registered":
        return [Finding(GROUP, name, "ok", f"the feature of {namespace} is registered")]
    chosen = f"--namespace {namespace} --name {name} --subscription {context.subscription}"
    text = f"the feature of {namespace} is {state}"
    if state in ("Registering", "Pending"):
        text += "; registration takes about fifteen minutes"
        return [Finding(GROUP, name, "blocker", text, f"az feature show {chosen} --query properties.state")]
    return [Finding(GROUP, name, "blocker", text, f"az feature register {chosen}")]
