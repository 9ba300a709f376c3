"""Azure OpenAI: models, versions and deployment types of the region, and the subscription's quota for them.

See: https://learn.microsoft.com/azure/ai-foundry/openai/how-to/quota
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from aks_kaito.settings.services import OpenAiDeployment
from aks_kaito_cli.answers import Finding, State
from aks_kaito_cli.azure.arm import Answer
from aks_kaito_cli.azure.errors import NotFoundError
from aks_kaito_cli.preflight import resources
from aks_kaito_cli.preflight.context import Context

SUBJECT = "Azure OpenAI"
_RETIRES_SOON = timedelta(days=60)


def findings(context: Context, group: str) -> Iterator[Finding]:
    """Yield the findings on each deployment, then one for each quota."""
    location = f"{context.scope}/providers/Microsoft.CognitiveServices/locations/{context.settings.location}"
    models = [each["model"] for each in context.arm.pages(f"{location}/models") if each["kind"] == "OpenAI"]
    usages = {each["name"]["value"].lower(): each for each in context.arm.pages(f"{location}/usages")}
    deployed = _deployed(context)
    needed: dict[str, int] = defaultdict(int)
    for name, wanted in context.settings.openai.deployments.items():
        found = _model(models, wanted)
        sku = _sku(found, wanted) if found else None
        # Azure does not ask for a model that is deployed already.
        own = deployed.get(name)
        if found is None or sku is None:
            if own is None or _differs(own, wanted):
                yield _not_offered(context, group, name, models)
            continue
        is_deployed = own is not None and not _differs(own, wanted)
        yield from _retiring(group, name, wanted, found, is_deployed=is_deployed)
        needed[sku["usageName"]] += wanted.capacity - (int(own["sku"]["capacity"]) if own and is_deployed else 0)
    for usage, capacity in needed.items():
        yield _quota(group, usage, capacity, usages.get(usage.lower()))


def _deployed(context: Context) -> dict[str, Answer]:
    """Return the deployments of this environment's account by name; none if there is no account."""
    account = resources.own(context, "Microsoft.CognitiveServices/accounts", context.names.openai)
    try:
        return {each["name"]: each for each in context.arm.pages(f"{account}/deployments")}
    except NotFoundError:
        return {}


def _differs(own: Answer, wanted: OpenAiDeployment) -> bool:
    model = own["properties"]["model"]
    return (model["name"], model["version"], own["sku"]["name"]) != (wanted.model, wanted.version, wanted.sku_name)


def _model(models: list[Answer], wanted: OpenAiDeployment) -> Answer | None:
    matching = (each for each in models if (each["name"], each["version"]) == (wanted.model, wanted.version))
    return next(matching, None)


def _sku(model: Answer, wanted: OpenAiDeployment) -> Answer | None:
    # Azure writes some of these names with a small letter.
    matching = (each for each in model["skus"] if each["name"].lower() == wanted.sku_name.lower())
    return next(matching, None)


def _not_offered(context: Context, group: str, name: str, models: list[Answer]) -> Finding:
    location, wanted = context.settings.location, context.settings.openai.deployments[name]
    key = f"openai.deployments.{name}"
    versions = sorted({each["version"] for each in models if each["name"] == wanted.model})
    found = _model(models, wanted)
    if not versions:
        names = sorted({each["name"] for each in models})
        text = f"{name}: {location} has no model {wanted.model}"
        return Finding(group, SUBJECT, "blocker", text, f"Set {key}.model to one of {', '.join(names) or '(none)'}")
    if found is None:
        text = f"{name}: {location} has no version {wanted.version} of {wanted.model}"
        return Finding(group, SUBJECT, "blocker", text, f"Set {key}.version to one of {', '.join(versions)}")
    skus = sorted(each["name"] for each in found["skus"])
    text = f"{name}: {location} has no {wanted.sku_name} deployments of {wanted.model} {wanted.version}"
    return Finding(group, SUBJECT, "blocker", text, f"Set {key}.sku_name to one of {', '.join(skus) or '(none)'}")


def _retiring(
    group: str, name: str, wanted: OpenAiDeployment, model: Answer, *, is_deployed: bool
) -> Iterator[Finding]:
    """Yield the model's retirement; Azure refuses a retired one only to a new deployment."""
    end = (model.get("deprecation") or {}).get("inference")
    if not end:
        return
    retired = datetime.fromisoformat(end).astimezone(UTC)
    if retired <= datetime.now(UTC) + _RETIRES_SOON:
        text = f"{name}: Azure retires {wanted.model} {wanted.version} on {retired.date()}"
        state: State = "blocker" if retired <= datetime.now(UTC) and not is_deployed else "warning"
        yield Finding(group, SUBJECT, state, text, f"Set openai.deployments.{name}.version to a newer one")


def _quota(group: str, usage: str, needed: int, found: Answer | None) -> Finding:
    if found is None:
        text = f"Azure names no quota {usage}, so that it is not known whether {needed} more fit"
        return Finding(group, SUBJECT, "unknown", text)
    used, limit = int(found["currentValue"]), int(found["limit"])
    text = f"{usage}: {used} of {limit} used, {max(needed, 0)} more needed"
    if needed <= 0 or used + needed <= limit:
        return Finding(group, SUBJECT, "ok", text)
    remedy = "Lower the capacity of openai.deployments, or ask for more: https://aka.ms/oai/stuquotarequest"
    return Finding(group, SUBJECT, "blocker", text, remedy)
