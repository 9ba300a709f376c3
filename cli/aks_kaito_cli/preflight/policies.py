"""Policies that would deny a resource of the environment for its type, region, size, tags or public address.

Azure evaluates them, with initiatives, exemptions, excluded scopes and parameters. Each question describes one resource
by the fields that are known before a deployment. A denial for another field cannot be decided.
See: https://learn.microsoft.com/rest/api/policyinsights/policy-restrictions
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from aks_kaito_cli.answers import Check, Finding, State
from aks_kaito_cli.azure.arm import Answer
from aks_kaito_cli.azure.errors import AzureAnswerError
from aks_kaito_cli.preflight import demand, resource_types
from aks_kaito_cli.preflight.asking import if_there, together
from aks_kaito_cli.preflight.context import Context

GROUP = "Policies"
_ASSIGNMENTS = "providers/Microsoft.Authorization/policyAssignments"
_CHECK = "providers/Microsoft.PolicyInsights/checkPolicyRestrictions"
# Effects that refuse a resource, and those that change one, which Terraform would change back.
_DENIES, _CHANGES = {"deny"}, {"append", "modify"}
_KNOWN = re.compile(r"(type|location|name|tags\b.*|.*/sku\.name|sku\.name)", re.IGNORECASE)
_TAG = re.compile(r"tags(?:\.|\[')(?P<name>.+?)(?:'\])?")


@dataclass(frozen=True)
class _Verdict:
    """The result of one policy for one or several resources.

    Attributes:
        assignment: The id of the policy's assignment.
        state: The severity.
        text: The reason, without the resources.
        remedy: The change that satisfies the policy; empty if none is known.
    """

    assignment: str
    state: State
    text: str
    remedy: str = ""


def checks(context: Context) -> list[Check]:
    """Return the one check, whose questions are asked at once."""
    return [Check(GROUP, "policies", partial(_policies, context))]


def _policies(context: Context) -> list[Finding]:
    probes = list(_probes(context))
    questions = [partial(_restrictions, context, name, content) for name, content in probes]
    titles, *answers = together(partial(_titles, context), *questions)
    found: dict[_Verdict, list[str]] = {}
    for (name, content), answer in zip(probes, answers, strict=True):
        for verdict in _verdicts(context, content, answer):
            found.setdefault(verdict, []).append(name)
    findings = [_finding(verdict, names, titles) for verdict, names in found.items()]
    return findings or [Finding(GROUP, "policies", "ok", f"none of {len(probes)} kinds of resources is denied")]


def _probes(context: Context) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a name and a description for each resource: one of each type, and one of each VM size."""
    yield "the resource group", _described(context, resource_types.RESOURCE_GROUP)
    for kind in resource_types.of(context.settings):
        if kind == resource_types.PUBLIC_ADDRESS:
            address = {"sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
            yield "public addresses", {**_described(context, kind), **address}
        elif kind != resource_types.VIRTUAL_MACHINE:
            yield kind.partition("/")[2], _described(context, kind)
    for size in {each.size for each in demand.of(context.settings) if not each.is_machine}:
        content = {**_described(context, resource_types.SCALE_SET), "sku": {"name": size}}
        yield f"nodes of {size}", content
    if context.settings.jump_box.enabled:
        hardware = {"hardwareProfile": {"vmSize": context.settings.jump_box.vm_size}}
        yield "the jump box", {**_described(context, resource_types.VIRTUAL_MACHINE), "properties": hardware}


def _described(context: Context, kind: str) -> dict[str, Any]:
    return {"type": kind, "location": context.settings.location, "tags": context.environment.tags}


def _restrictions(context: Context, name: str, content: dict[str, Any]) -> Answer:
    # The group need not exist: Azure evaluates the policies at its scope.
    is_group = content["type"] == resource_types.RESOURCE_GROUP
    body = {
        "resourceDetails": {"resourceContent": content, "scope": context.scope if is_group else context.group},
        "pendingFields": [{"field": "tags"}],
        "includeAuditEffect": True,
    }
    try:
        return context.arm.post(f"{context.scope}/{_CHECK}", body)
    except AzureAnswerError as error:
        raise type(error)(f"policies for {name}: {error}", error.status, error.code) from None


def _titles(context: Context) -> dict[str, str]:
    """Return the display name of each assignment, at the subscription or above it, by its id in lower case."""
    path = f"{context.scope}/{_ASSIGNMENTS}"
    try:
        listed = if_there(partial(context.arm.pages, path, filter="atScope()")) or []
    except AzureAnswerError:
        return {}
    return {str(each["id"]).lower(): str(each["properties"].get("displayName") or each["name"]) for each in listed}


def _verdicts(context: Context, content: dict[str, Any], answer: Answer) -> Iterator[_Verdict]:
    denied = set()
    if not answer.keys() & {"contentEvaluationResult", "fieldRestrictions"}:
        raise AzureAnswerError("the answer has no result of the policies")
    content_result = answer.get("contentEvaluationResult")
    for each in [] if content_result is None else content_result.get("policyEvaluations") or []:
        verdict = _evaluated(each)
        if verdict:
            denied.add(verdict.assignment)
            yield verdict
    for field in answer.get("fieldRestrictions") or []:
        for restriction in field.get("restrictions") or []:
            verdict = _restricted(context, content, str(field["field"]), restriction)
            if verdict and verdict.assignment not in denied:
                yield verdict


def _evaluated(evaluation: dict[str, Any]) -> _Verdict | None:
    """Return the verdict for the resource as it was described."""
    effect = str((evaluation.get("effectDetails") or {}).get("policyEffect") or "Deny").lower()
    if evaluation.get("evaluationResult") != "NonCompliant" or effect not in {*_DENIES, "audit"}:
        return None
    expressions = (evaluation.get("evaluationDetails") or {}).get("evaluatedExpressions") or []
    paths = {str(each.get("path") or each.get("expression") or "") for each in expressions}
    unknown = sorted(path for path in paths if path and not _KNOWN.fullmatch(path))
    # The type selects the policy's resources; another field is the reason.
    reasons = [_worded(each) for each in expressions if str(each.get("path")).lower() != "type"]
    text = "; ".join(reasons) or "for its type"
    assignment = str(evaluation["policyInfo"]["policyAssignmentId"])
    if effect == "audit":
        return _Verdict(assignment, "info", f"reports {text}")
    if unknown:
        return _Verdict(assignment, "unknown", f"may deny, which depends on {', '.join(unknown)}")
    return _Verdict(assignment, "blocker", f"denies {text}")


def _worded(expression: dict[str, Any]) -> str:
    """Return one condition of a policy, such as: location westeurope, which is notIn ["northeurope"]."""
    name = expression.get("path") or expression.get("expression")
    value = expression.get("expressionValue")
    shown = "(unset)" if value is None else value
    return f"{name} {shown} ({expression.get('operator')} {expression.get('targetValue')})"


def _restricted(context: Context, content: dict[str, Any], field: str, restriction: dict[str, Any]) -> _Verdict | None:
    """Return the verdict for a tag that a policy requires or sets."""
    tag = _TAG.fullmatch(field)
    if tag is None or restriction.get("result") != "Required":
        return None
    name, effect = tag["name"], str(restriction.get("policyEffect")).lower()
    tags = {key.lower(): value for key, value in content["tags"].items()}
    values = [str(each) for each in restriction.get("values") or []]
    value = tags.get(name.lower())
    assignment = str(restriction["policy"]["policyAssignmentId"])
    if effect in _DENIES and (value is None or (values and value not in values)):
        text = f"requires the tag {name}" + (f" to be one of {', '.join(values)}" if values else "")
        return _Verdict(assignment, "blocker", text, f"Set tags.{name} in the environment's file")
    ignored = {each.lower() for each in context.settings.tags_ignored}
    if effect in _CHANGES and value is None and name.lower() not in ignored:
        text = f"sets the tag {name}, which each deployment would remove"
        return _Verdict(assignment, "warning", text, f'Add "{name}" to tags_ignored in the environment\'s file')
    return None


def _finding(verdict: _Verdict, names: list[str], titles: dict[str, str]) -> Finding:
    title = titles.get(verdict.assignment.lower()) or verdict.assignment.rpartition("/")[2]
    unknown = f"Ask for an exemption: az policy exemption create --policy-assignment {verdict.assignment}"
    remedy = verdict.remedy or ("" if verdict.state == "info" else unknown)
    return Finding(GROUP, title, verdict.state, f"{verdict.text}: {', '.join(names)}", remedy)
