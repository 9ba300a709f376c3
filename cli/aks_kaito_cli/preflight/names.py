"""Names that are unique in all of Azure: free, this environment's own, or taken."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from aks_kaito_cli.answers import Check, Finding
from aks_kaito_cli.azure.arm import Answer
from aks_kaito_cli.azure.errors import AzureAnswerError
from aks_kaito_cli.preflight import resources
from aks_kaito_cli.preflight.context import Context

GROUP = "Names"
_VAULTS = "Microsoft.KeyVault/vaults"
_ACCOUNTS = "Microsoft.CognitiveServices/accounts"
_GRAFANA = "Microsoft.Dashboard/grafana"
# Statuses of a path, a method or a body that Azure does not know.
_NOT_OFFERED = {400, 404, 405}


class _Name(NamedTuple):
    subject: str
    kind: str
    name: str

    @property
    def provider(self) -> str:
        return self.kind.partition("/")[0]


def checks(context: Context) -> list[Check]:
    """Return a check for each name that the deployment will ask for."""
    settings, names = context.settings, context.names
    wanted = [
        _Name("registry", "Microsoft.ContainerRegistry/registries", names.registry),
        _Name("key vault", _VAULTS, names.key_vault),
        _Name("storage account", "Microsoft.Storage/storageAccounts", names.storage_account),
        _Name("Grafana", _GRAFANA, names.grafana),
    ]
    if settings.openai.enabled:
        wanted.append(_Name("Azure OpenAI", _ACCOUNTS, names.openai))
    if settings.postgresql.enabled:
        wanted.append(_Name("PostgreSQL", "Microsoft.DBforPostgreSQL/flexibleServers", names.postgresql))
    return [resources.registered(GROUP, each.subject, each.provider, partial(_name, context, each)) for each in wanted]


def _name(context: Context, wanted: _Name) -> Iterator[Finding]:
    finding = partial(Finding, GROUP, wanted.subject)
    if resources.existing(context, resources.own(context, wanted.kind, wanted.name)) is not None:
        yield finding("ok", f"{wanted.name} is this environment's own")
        return
    try:
        free, reason = _availability(context, wanted)
    except AzureAnswerError as error:
        if wanted.kind != _GRAFANA or error.status not in _NOT_OFFERED:
            raise
        # The operation is in Azure's list of permissions, and in no published API.
        yield finding("info", f"{wanted.name}: Azure does not tell in advance whether the name is free")
        return
    if free:
        yield finding("ok", f"{wanted.name} is free")
    elif deleted := _deleted(context, wanted):
        yield deleted
    else:
        yield finding("blocker", f"{wanted.name} is taken{f': {reason}' if reason else ''}", _other(context, wanted))


def _availability(context: Context, wanted: _Name) -> tuple[bool, str]:
    """Ask whether a name is free, and for the reason if it is not.

    Raises:
        ValueError: The answer is neither yes nor no.
    """
    path = f"{context.scope}/providers/{wanted.provider}"
    body: dict[str, Any] = {"type": wanted.kind}
    if wanted.kind == _ACCOUNTS:
        key = "isSubdomainAvailable"
        body |= {"subdomainName": wanted.name, "kind": "OpenAI"}
        answer = context.arm.post(f"{path}/checkDomainAvailability", body)
    else:
        key = "nameAvailable"
        answer = context.arm.post(f"{path}/checkNameAvailability", body | {"name": wanted.name})
    free = answer[key]
    if not isinstance(free, bool):
        raise ValueError(f"{key} is {free!r}")  # noqa: TRY004 - an answer of another form, not an argument
    return free, " ".join(str(answer.get("message") or answer.get("reason") or "").split())


def _deleted(context: Context, wanted: _Name) -> Finding | None:
    """Return the finding for a deleted resource that still holds the name, if there is one."""
    kinds = {_VAULTS: ("deletedVaults", _deleted_vault), _ACCOUNTS: ("deletedAccounts", _deleted_account)}
    if wanted.kind not in kinds:
        return None
    kind, described = kinds[wanted.kind]
    for each in context.arm.pages(f"{context.scope}/providers/{wanted.provider}/{kind}"):
        if each["name"].lower() == wanted.name.lower():
            return described(context, each)
    return None


def _deleted_vault(context: Context, vault: Answer) -> Finding:
    """Return the finding for a deleted vault: azurerm recovers one of the same region and group."""
    name, properties = context.names.key_vault, vault["properties"]
    location, group = properties["location"], _group(properties["vaultId"])
    purged = str(properties.get("scheduledPurgeDate") or "an unknown date").partition("T")[0]
    recover = f"az keyvault recover --name {name} --location {location}"
    text = f"{name} was deleted in {location}, group {group}, and holds the name until it is purged on {purged}"
    is_own = location.replace(" ", "").lower() == context.settings.location
    if is_own and group.lower() == context.names.resource_group.lower():
        return Finding(GROUP, "key vault", "info", f"{text}; the deployment recovers it with its secrets", recover)
    ways = ["set key_vault.name to another name", f"recover it: {recover}"]
    if not properties.get("purgeProtectionEnabled"):
        ways.append(f"purge it: az keyvault purge --name {name} --location {location}")
    remedy = "; or ".join(ways)
    return Finding(GROUP, "key vault", "blocker", text, f"{remedy[0].upper()}{remedy[1:]}")


def _deleted_account(_context: Context, account: Answer) -> Finding:
    name, location, group = account["name"], account["location"], _group(account["id"])
    text = f"{name} was deleted in {location}, group {group}, and holds the name for 48 hours"
    remedy = f"az cognitiveservices account purge --name {name} --resource-group {group} --location {location}"
    return Finding(GROUP, "Azure OpenAI", "blocker", text, remedy)


def _group(resource_id: str) -> str:
    """Return the resource group in an id, in whatever case Azure writes the key."""
    parts = resource_id.split("/")
    place = [part.lower() for part in parts].index("resourcegroups")
    return parts[place + 1]


def _other(context: Context, wanted: _Name) -> str:
    """Return the way to another name, all before the first deployment."""
    if wanted.kind == _VAULTS:
        return "Set key_vault.name to another name"
    if context.settings.subscription_id is None:
        return "Set subscription_id in the environment's file, which makes the name this subscription's own"
    return "Choose another prefix, which is part of the name"
