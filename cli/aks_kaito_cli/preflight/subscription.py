"""Who deploys, and where: the identity, the subscription with its offer, the resource group."""

from functools import partial

from aks_kaito_cli.answers import Check, Finding, State
from aks_kaito_cli.preflight import claims
from aks_kaito_cli.preflight.asking import if_there
from aks_kaito_cli.preflight.context import Context

GROUP = "Subscription"
_QUOTAS = "https://portal.azure.com/#view/Microsoft_Azure_Billing/SubscriptionsBlade"
# The beginnings of quota ids whose offers get no increase of quota, and so no GPU.
# See: https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits
_WITHOUT_INCREASE = {
    "FreeTrial": "a free trial",
    "AzureForStudents": "Azure for Students",
    "AzurePass": "an Azure Pass",
    "DreamSpark": "Azure for Students Starter",
}
# See: https://learn.microsoft.com/azure/cost-management-billing/manage/subscription-states
_STATES: dict[str, tuple[State, str]] = {
    "Enabled": ("ok", ""),
    "PastDue": ("warning", "A payment is past due: Azure disables the subscription if it is not made."),
    "Warned": ("warning", "A payment is past due: Azure disables the subscription soon."),
}


def checks(context: Context) -> list[Check]:
    """Return the checks of identity, subscription and resource group."""
    return [
        Check(GROUP, "identity", partial(_identity, context)),
        Check(GROUP, "subscription", partial(_subscription, context)),
        Check(GROUP, "resource group", partial(_resource_group, context)),
    ]


def _identity(context: Context) -> list[Finding]:
    return [claims.identity(GROUP, claims.of(context.arm.token().token))]


def _subscription(context: Context) -> list[Finding]:
    found = context.arm.get(context.scope)
    policies = found["subscriptionPolicies"]
    offer, limit = str(policies.get("quotaId")), policies.get("spendingLimit")
    state, reason = _STATES.get(found["state"], ("blocker", "Azure accepts no changes in this state."))
    text = f"{found['displayName']} ({found['subscriptionId']}), {found['state']}, offer {offer}. {reason}".strip()
    return [
        Finding(GROUP, "subscription", state, text, "" if state == "ok" else f"Settle it in {_QUOTAS}"),
        *_offer(offer),
        *_spending(limit),
    ]


def _offer(offer: str) -> list[Finding]:
    name = next((name for start, name in _WITHOUT_INCREASE.items() if offer.startswith(start)), "")
    if not name:
        return []
    text = f"the subscription is {name}: Azure raises none of its quotas, and gives it none for GPUs"
    return [Finding(GROUP, "offer", "warning", text, f"Upgrade to pay-as-you-go in {_QUOTAS}")]


def _spending(limit: str | None) -> list[Finding]:
    if limit in ("Off", None):
        return []
    text = "Azure stops everything in the subscription when its credit is used up"
    if limit == "CurrentPeriodOff":
        text = "the spending limit is off until the end of the billing period only; then " + text
    return [Finding(GROUP, "spending limit", "warning", text, f"Remove the spending limit in {_QUOTAS}")]


def _resource_group(context: Context) -> list[Finding]:
    place = f"{context.names.resource_group} in {context.settings.location}"
    if if_there(lambda: context.arm.get(context.group)) is None:
        return [Finding(GROUP, "resource group", "info", f"{place}, which the deployment creates")]
    return [Finding(GROUP, "resource group", "info", f"{place}, which exists")]
