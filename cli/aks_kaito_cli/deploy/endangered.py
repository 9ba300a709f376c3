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
    lost = {name: line for name, line in _lost(platform, _synthesized(shell)) if name not in confirmed}
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
    """Yield a line for each setting of the database that is lower than what was deployed."""
    settings = shell.environment.settings.postgresql
    if not settings.enabled:
        return
    for server in states.managed(platform, _SERVER):
        if int(server.get("version") or 0) > int(settings.version):
            yield _LOWER.format(key="postgresql.version", new=settings.version, old=server["version"])
    for stored in states.managed(platform, "terraform_data"):
        gib = (stored.get("triggers_replace") or {}).get("value")
        if isinstance(gib, int) and gib > settings.storage_gib:
            yield _LOWER.format(key="postgresql.storage_gib", new=settings.storage_gib, old=gib)


def _lost(platform: list[Resource], document: Document) -> Iterator[tuple[str, str]]:
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
    ignored = {str(key) for key in wanted.get("lifecycle", {}).get("ignore_changes", [])}
    for key in replacing.keys if replacing else ():
        old, new = attributes.get(key), wanted.get(key)
        if key not in ignored and _differ(old, new):
            return f"{key} changes from {old!r} to {new!r}"
    return ""


def _differ(old: object, new: object) -> bool:
    """Return whether two literals differ; references and blocks are left to the plan, and Azure ignores case."""
    if isinstance(old, str) and isinstance(new, str):
        return "${" not in new and old.lower().replace(" ", "") != new.lower().replace(" ", "")
    return isinstance(old, bool | int) and isinstance(new, bool | int) and old != new
