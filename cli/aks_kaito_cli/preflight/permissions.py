"""Permissions of the identity where the deployment writes, and deny assignments, which take precedence over roles.

See: https://learn.microsoft.com/azure/role-based-access-control/overview
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from aks_kaito.settings import Settings
from aks_kaito_cli.answers import Check, Finding
from aks_kaito_cli.azure.arm import Answer
from aks_kaito_cli.preflight import claims, resource_types
from aks_kaito_cli.preflight.asking import if_there, together
from aks_kaito_cli.preflight.context import Context

GROUP = "Permissions"
ASSIGN_ROLES = "Microsoft.Authorization/roleAssignments/write"
_AUTHORIZATION = "providers/Microsoft.Authorization"
_ASSIGNER = "Role Based Access Control Administrator"
_EVERYONE = "00000000-0000-0000-0000-000000000000"
_SHOWN = 4


def checks(context: Context) -> list[Check]:
    """Return the checks of roles and deny assignments; of the DNS zone's group, too, if there is a zone."""
    found = [
        Check(GROUP, "roles", partial(_roles, context)),
        Check(GROUP, "deny assignments", partial(_denied, context)),
    ]
    if context.settings.ingress.dns_zone_resource_group_name:
        found.append(Check(GROUP, "DNS zone", partial(_zone, context)))
    return found


def of(context: Context, scope: str) -> list[Answer]:
    """Return the identity's permissions at a scope, one entry for each role."""
    return context.arm.pages(f"{scope}/{_AUTHORIZATION}/permissions")


def granted(permissions: list[Answer], action: str) -> bool:
    """Return whether a role allows an action: what one role excludes, another may grant."""
    return any(
        _matches(each.get("actions"), action) and not _matches(each.get("notActions"), action) for each in permissions
    )


def needed(settings: Settings) -> list[str]:
    """Return the actions with which the platform is created."""
    group = f"{resource_types.RESOURCE_GROUP}/write"
    return [group, *(f"{kind}/write" for kind in resource_types.of(settings)), ASSIGN_ROLES]


def _roles(context: Context) -> Iterator[Finding]:
    # An existing group may have roles of its own; those of the subscription are inherited.
    at_group = partial(if_there, partial(of, context, context.group))
    inherited, own = together(partial(of, context, context.scope), at_group)
    permissions = [*inherited, *(own or [])]
    lacking = [action for action in needed(context.settings) if not granted(permissions, action)]
    yield from _lacking(context, "roles", context.scope, lacking)


def _zone(context: Context) -> Iterator[Finding]:
    scope = f"{context.scope}/resourceGroups/{context.settings.ingress.dns_zone_resource_group_name}"
    wanted = ["Microsoft.Network/dnsZones/A/write", ASSIGN_ROLES]
    permissions = of(context, scope)
    lacking = [action for action in wanted if not granted(permissions, action)]
    yield from _lacking(context, "DNS zone", scope, lacking)


def _lacking(context: Context, subject: str, scope: str, lacking: list[str]) -> Iterator[Finding]:
    """Yield a blocker for missing rights to create resources, and one for those to assign roles."""
    place = "the subscription" if scope == context.scope else f"the resource group {scope.rpartition('/')[2]}"
    writes = [action for action in lacking if action != ASSIGN_ROLES]
    if writes:
        more = f" and {len(writes) - _SHOWN} more" if len(writes) > _SHOWN else ""
        text = f"not allowed in {place}: {', '.join(writes[:_SHOWN])}{more}"
        yield Finding(GROUP, subject, "blocker", text, _assign(context, "Contributor", scope))
    if ASSIGN_ROLES in lacking:
        text = f"not allowed in {place}: {ASSIGN_ROLES}, which gives identities their rights"
        yield Finding(GROUP, f"{subject} (assigning)", "blocker", text, _assign(context, _ASSIGNER, scope))
    if not lacking:
        yield Finding(GROUP, subject, "ok", "resources can be created, and roles assigned")


def _assign(context: Context, role: str, scope: str) -> str:
    """Return the command that somebody who may assign roles runs."""
    assignee = claims.object_id(claims.of(context.arm.token().token)) or "OBJECT_ID"
    return f"Ask an owner for: az role assignment create --assignee {assignee} --role '{role}' --scope {scope}"


def _denied(context: Context) -> list[Finding]:
    path = f"{_AUTHORIZATION}/denyAssignments"
    at_group = partial(if_there, partial(context.arm.pages, f"{context.group}/{path}", filter="atScope()"))
    # Those of an existing group include those above it.
    own, inherited = together(at_group, partial(context.arm.pages, f"{context.scope}/{path}", filter="atScope()"))
    found = inherited if own is None else own
    identity = claims.of(context.arm.token().token)
    findings = [each for deny in found for each in _deny(deny["properties"], context, identity)]
    return findings or [Finding(GROUP, "deny assignments", "ok", "none denies the deployment")]


def _deny(deny: dict[str, Any], context: Context, identity: dict[str, Any]) -> Iterator[Finding]:
    """Yield a finding if a deny assignment may stop the deployment."""
    actions = [each for each in needed(context.settings) if granted(deny.get("permissions") or [], each)]
    above = str(deny.get("scope") or "").lower() != context.group.lower()
    if not actions or (above and deny.get("doNotApplyToChildScopes")):
        return
    applies = _applies(deny, identity)
    if applies is False:
        return
    name = str(deny.get("denyAssignmentName"))
    text = f"denies {', '.join(actions[:_SHOWN])} at {deny.get('scope')}"
    if applies is None:
        groups = ", ".join(str(each["id"]) for each in deny.get("principals") or [] if each.get("type") == "Group")
        text += f", if you are a member of {groups or 'a group that it excludes or not'}"
    remedy = "Ask its owner (a managed application, a blueprint or a deployment stack) for an exception"
    yield Finding(GROUP, name, "unknown" if applies is None else "blocker", text, remedy)


def _applies(deny: dict[str, Any], identity: dict[str, Any]) -> bool | None:
    """Return whether a deny assignment applies to the identity; None if membership in a group decides, unknown here."""
    mine = {claims.object_id(identity), *(identity.get("groups") or [])}
    complete = "groups" in identity
    excluded = _named(deny.get("excludePrincipals"), mine, complete=complete)
    if excluded:
        return False
    named = _named(deny.get("principals"), {*mine, _EVERYONE}, complete=complete)
    return named if excluded is False or not named else None


def _named(principals: list[dict[str, Any]] | None, mine: set[str], *, complete: bool) -> bool | None:
    """Return whether principals include one of ids; None if a group of unknown members may."""
    listed = principals or []
    if any(each.get("id") in mine for each in listed):
        return True
    return None if not complete and any(each.get("type") == "Group" for each in listed) else False


def _matches(patterns: list[str] | None, action: str) -> bool:
    """Return whether an action matches a pattern, in which * stands for any text, without regard to case."""
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), action, re.IGNORECASE) for pattern in patterns or []
    )
