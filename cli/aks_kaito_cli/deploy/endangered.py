"""Resources with data that a deployment would remove or replace: compare the state with the synthesized platform.

Terraform's plan would show them, but a deployment approves its plan, and `prevent_destroy` protects only what is still
in the configuration.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aks_kaito.review import changes, documents, kinds
from aks_kaito.review.documents import Document
from aks_kaito.state import stack
from aks_kaito_cli.deploy import states
from aks_kaito_cli.deploy.states import Resource, States
from aks_kaito_cli.pages import CHANGES
from aks_kaito_cli.project import environment_file
from aks_kaito_cli.shell import RefusedError, Shell, Step

_SERVER = "azurerm_postgresql_flexible_server"
_REFUSED = """\
{file} would lose data:

  {lines}

Undo the change, or keep the data elsewhere first and name what may be lost: CONFIRM_LOSS="{names}" ({page})"""
# Arguments that replace a resource when they disappear. Others that only a state has are computed.
_UNSET = ("network_profile.network_plugin_mode",)
_LOWER = "{key} = {new!r}: must not be lower than {old!r}, which is deployed: Azure cannot go back"
_BLOCKED = """\
key_vault.name: Azure keeps a deleted vault {vault} in {found} until {until}, so {location} cannot have that name.
Set another name in {file} ({page})"""


def check(shell: Shell, found: States, confirmed: frozenset[str]) -> None:
    """Check that a deployment loses nothing but what `confirmed` names: resources, by their names in Azure.

    Raises:
        RefusedError: It would remove or replace another resource with data, or its settings ask for less than Azure
            has; or a deleted vault blocks the name of the vault.
        StepError: The synthesis failed, or Azure cannot be asked.
    """
    platform = found["platform"]
    file = str(environment_file(shell.environment.name))
    if not any(states.managed(platform, "azurerm_key_vault")):
        _check_vault_name(shell, file)
    if not platform:
        return
    if lower := list(_lower(shell, platform)):
        raise RefusedError("\n".join([f"{file}:", *(f"  {line}" for line in lower)]))
    lost = {name: line for name, line in losses(platform, _synthesized(shell)) if name not in confirmed}
    if lost:
        lines = "\n  ".join(lost.values())
        raise RefusedError(_REFUSED.format(file=file, lines=lines, names=" ".join(lost), page=CHANGES))


def _check_vault_name(shell: Shell, file: str) -> None:
    vault, location = shell.environment.names.key_vault, shell.environment.settings.location
    answer = shell.ask(Step("find a deleted key vault of this name", shell.azure.deleted_vault_place()))
    found, _, until = answer.partition("\t")
    if found and found.lower().replace(" ", "") != location:
        raise RefusedError(
            _BLOCKED.format(vault=vault, found=found, until=until, location=location, file=file, page=CHANGES)
        )


def _synthesized(shell: Shell) -> Document:
    """Return the platform that the deployment would apply."""
    environment = shell.environment
    with tempfile.TemporaryDirectory(prefix="aks-kaito-") as folder:
        variables = {"AKS_KAITO_ENV": environment.name, "CDKTF_OUTDIR": folder}
        shell.ask(Step("synthesize", (sys.executable, "-O", "main.py"), variables=variables))
        return documents.read(Path(folder, "stacks", stack(environment, "platform"), documents.FILE))


def _lower(shell: Shell, platform: list[Resource]) -> Iterator[str]:
    """Yield a line for each setting that is lower than its deployed value, and that Azure cannot lower."""
    settings = shell.environment.settings
    if settings.postgresql.enabled:
        for server in states.managed(platform, _SERVER):
            if int(server.get("version") or 0) > int(settings.postgresql.version):
                yield _LOWER.format(key="postgresql.version", new=settings.postgresql.version, old=server["version"])
        gib = _stored(platform, "postgresql_disk-size", "triggers_replace")
        if isinstance(gib, int) and gib > settings.postgresql.storage_gib:
            yield _LOWER.format(key="postgresql.storage_gib", new=settings.postgresql.storage_gib, old=gib)
    version = settings.cluster.kubernetes_version
    deployed = _stored(platform, "kubernetes-upgrade_version", "input")
    if isinstance(deployed, str) and _numbers(deployed) > _numbers(version):
        yield _LOWER.format(key="cluster.kubernetes_version", new=version, old=deployed)
    for cluster in states.managed(platform, "azurerm_kubernetes_cluster"):
        is_integrated = _at(cluster, "api_server_access_profile.virtual_network_integration_enabled")
        if is_integrated and not settings.cluster.api_server_vnet_integration_enabled:
            yield _LOWER.format(key="cluster.api_server_vnet_integration_enabled", new=False, old=True)


def _stored(platform: list[Resource], name: str, key: str) -> object:
    """Return a value that a `terraform_data` stores; None without it."""
    for resource in platform:
        if resource.get("type") == "terraform_data" and str(resource.get("name")).startswith(f"{name}_"):
            for attributes in states.managed([resource], "terraform_data"):
                return (attributes.get(key) or {}).get("value")
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def losses(platform: list[Resource], document: Document) -> Iterator[tuple[str, str]]:
    """Yield name and description of each deployed resource with data that is removed or replaced."""
    for resource in platform:
        kind = str(resource.get("type"))
        holds = kinds.kind(kind).holds
        if resource.get("mode") != "managed" or not holds:
            continue
        wanted = document.resources.get(f"{kind}.{resource.get('name')}")
        for instance in resource.get("instances", []):
            attributes = instance.get("attributes") or {}
            reason = _reason(kind, attributes, wanted)
            if reason:
                name = str(attributes.get("name"))
                yield name, f"{kinds.kind(kind).noun} {name}, with {holds}: {reason}"


def _reason(kind: str, attributes: dict[str, Any], wanted: dict[str, Any] | None) -> str:
    """Return the reason why a resource is lost; empty if it stays."""
    if wanted is None:
        return "is not in the configuration any more"
    replacing = changes.replacing().get(kind)
    for key, new in _leaves(wanted) if replacing else ():
        old = _at(attributes, key)
        if (
            replacing
            and _differ(old, new)
            and replacing.replaces(key, old, new)
            and not changes.is_ignored(key, wanted)
        ):
            return f"{key} changes from {old!r} to {new!r}"
    for key in _UNSET:
        if _at(attributes, key) and not _at(wanted, key):
            return f"{key} is not set any more"
    return ""


def _leaves(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Yield the dotted keys of an argument and of its blocks; a block that occurs once may be a list."""
    match value:
        case {}:
            for name, inner in value.items():
                yield from _leaves(inner, f"{key}.{name}" if key else str(name))
        case [{} as block]:
            yield from _leaves(block, key)
        case _:
            yield key, value


def _at(value: Any, key: str) -> object:  # noqa: ANN401 - the attributes of any resource
    """Return the value at a dotted key of a state's attributes, in which each block is a list."""
    for name in key.split("."):
        if isinstance(value, list):
            value = value[0] if value else None
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _differ(old: object, new: object) -> bool:
    """Return whether two literals differ; references are left to the plan. Azure ignores case, spaces and order."""
    match old, new:
        case str() | None, str():
            return "${" not in new and _plain(old or "") != _plain(new)
        case list(), list():
            texts = [str(each) for each in new]
            return not any("${" in each for each in texts) and sorted(map(str, old)) != sorted(texts)
        case _:
            return isinstance(old, bool | int) and isinstance(new, bool | int) and old != new


def _plain(text: str) -> str:
    return text.lower().replace(" ", "")
