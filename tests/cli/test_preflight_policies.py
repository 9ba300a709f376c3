"""Policies that would deny a resource, as Azure evaluates them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aks_kaito_cli.answers import Finding
from aks_kaito_cli.preflight import policies
from support import ready_subscription as ready
from support.fake_azure import FakeAzure, Request, error, running
from support.preflights import DEV, PROD, found, written

ASSIGNMENT = f"{ready.SCOPE}/providers/Microsoft.Authorization/policyAssignments/57DAC8A0"
TITLE = "Allowed locations"
NOTHING: dict[str, Any] = {"fieldRestrictions": [], "contentEvaluationResult": {"policyEvaluations": []}}
POLICY = {
    "policyDefinitionId": "/providers/Microsoft.Authorization/policyDefinitions/e56962a6-4747-49cd-b67b-bf8b01975c4c",
    "policySetDefinitionId": "",
    "policyDefinitionReferenceId": "",
    "policyAssignmentId": ASSIGNMENT,
}


def expression(path: str, value: Any, operator: str, target: Any) -> dict[str, Any]:
    """Return one evaluated condition."""
    return {
        "result": "True",
        "expressionKind": "Field",
        "expression": path,
        "path": path,
        "expressionValue": value,
        "targetValue": target,
        "operator": operator,
    }


def denial(*expressions: dict[str, Any], effect: str = "Deny", result: str = "NonCompliant") -> dict[str, Any]:
    """Return the answer for a resource that a policy denies."""
    evaluation = {
        "policyInfo": POLICY,
        "evaluationResult": result,
        "evaluationDetails": {"evaluatedExpressions": list(expressions)},
        "effectDetails": {"policyEffect": effect},
    }
    return {"fieldRestrictions": [], "contentEvaluationResult": {"policyEvaluations": [evaluation]}}


def restricted(field: str, effect: str = "Deny", result: str = "Required", **more: Any) -> dict[str, Any]:
    """Return the answer for a field that a policy restricts."""
    restriction = {"result": result, "policy": POLICY, "policyEffect": effect, "reason": "", **more}
    return {**NOTHING, "fieldRestrictions": [{"field": field, "restrictions": [restriction]}]}


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with running() as fake:
        yield fake


def checked(
    azure: FakeAzure, folder: Path, answer: Callable[[dict[str, Any]], dict[str, Any]], text: str = DEV
) -> dict[str, Finding]:
    """Return the findings where Azure answers a description of a resource by a function."""
    environment = written(folder, text)
    ready.prepare(azure, environment)
    azure.listed(ready.ASSIGNMENTS, {"id": ASSIGNMENT, "name": "57DAC8A0", "properties": {"displayName": TITLE}})

    def answered(request: Request) -> dict[str, Any]:
        return answer(request.body["resourceDetails"]["resourceContent"])

    azure.answer(ready.RESTRICTIONS, answered)
    return found(azure, environment, policies.checks)


def for_kind(kind: str, answer: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return the function that gives the answer for one type of resource, and none of others."""
    return lambda content: answer if content["type"].lower() == kind.lower() else NOTHING


def test_azure_is_asked_about_each_kind_of_resource(azure: FakeAzure, tmp_path: Path) -> None:
    findings = checked(azure, tmp_path, lambda _: NOTHING, PROD.replace("[jump_box]", "[jump_box]"))
    assert findings["policies"].state == "ok"
    asked = azure.asked("checkPolicyRestrictions")
    assert {each.method for each in asked} == {"POST"}
    assert asked[0].query == {"api-version": ["2024-10-01"]}
    contents = [each.body["resourceDetails"]["resourceContent"] for each in asked]
    assert all(each["location"] == "westeurope" and each["tags"]["environment"] == "dev" for each in contents)
    sizes = {each["sku"]["name"] for each in contents if each["type"] == "Microsoft.Compute/virtualMachineScaleSets"}
    assert sizes == {"Standard_D4ads_v5", "Standard_NC24ads_A100_v4"}
    (machine,) = (each for each in contents if each["type"] == "Microsoft.Compute/virtualMachines")
    assert machine["properties"]["hardwareProfile"]["vmSize"] == "Standard_D2ads_v5"
    (address,) = (each for each in contents if each["type"] == "Microsoft.Network/publicIPAddresses")
    assert (address["sku"]["name"], address["properties"]) == ("Standard", {"publicIPAllocationMethod": "Static"})
    scopes = {each.body["resourceDetails"]["scope"] for each in asked}
    assert scopes == {ready.SCOPE, f"{ready.SCOPE}/resourceGroups/rg-kaito-dev-westeurope"}


@pytest.mark.parametrize(
    ("kind", "expressions", "words"),
    [
        (
            "Microsoft.KeyVault/vaults",
            [expression("location", "westeurope", "NotIn", ["northeurope"])],
            "denies location westeurope (NotIn ['northeurope']): vaults",
        ),
        (
            "Microsoft.Compute/virtualMachineScaleSets",
            [
                expression("type", "microsoft.compute/virtualmachinescalesets", "Equals", "..."),
                expression("Microsoft.Compute/virtualMachineScaleSets/sku.name", "Standard_D4ads_v5", "NotIn", ["a"]),
            ],
            "denies Microsoft.Compute/virtualMachineScaleSets/sku.name Standard_D4ads_v5",
        ),
        (
            "Microsoft.Network/publicIPAddresses",
            [
                expression(
                    "type", "microsoft.network/publicipaddresses", "Equals", "microsoft.network/publicipaddresses"
                )
            ],
            "denies for its type: public addresses",
        ),
        (
            "Microsoft.Resources/subscriptions/resourceGroups",
            [expression("tags['costCenter']", None, "Exists", "false")],
            "denies tags['costCenter'] (unset) (Exists false): the resource group",
        ),
        ("Microsoft.Network/publicIPAddresses", [], "denies for its type: public addresses"),
    ],
)
def test_denials_of_type_region_size_and_tags_are_blockers(
    kind: str, expressions: list[dict[str, Any]], words: str, azure: FakeAzure, tmp_path: Path
) -> None:
    findings = checked(azure, tmp_path, for_kind(kind, denial(*expressions)))
    assert set(findings) == {TITLE}
    assert (findings[TITLE].state, findings[TITLE].detail.startswith(words)) == ("blocker", True)
    assert (
        findings[TITLE].remedy == f"Ask for an exemption: az policy exemption create --policy-assignment {ASSIGNMENT}"
    )


def test_one_policy_is_named_once_for_all_resources(azure: FakeAzure, tmp_path: Path) -> None:
    findings = checked(azure, tmp_path, lambda _: denial(expression("location", "westeurope", "NotIn", ["a"])))
    assert set(findings) == {TITLE}
    for name in ("the resource group", "vaults", "public addresses", "nodes of Standard_D4ads_v5"):
        assert name in findings[TITLE].detail


def test_a_denial_for_a_field_that_is_not_known_yet_is_undecided(azure: FakeAzure, tmp_path: Path) -> None:
    field = "Microsoft.KeyVault/vaults/publicNetworkAccess"
    answer = denial(
        expression("type", "microsoft.keyvault/vaults", "Equals", ""), expression(field, None, "NotEquals", "x")
    )
    finding = checked(azure, tmp_path, for_kind("Microsoft.KeyVault/vaults", answer))[TITLE]
    assert (finding.state, finding.detail) == ("unknown", f"may deny, which depends on {field}: vaults")


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (denial(expression("location", "westeurope", "NotIn", []), effect="Audit"), "info"),
        (denial(expression("location", "westeurope", "NotIn", []), effect="DenyAction"), None),
        (denial(expression("location", "westeurope", "NotIn", []), effect="AuditIfNotExists"), None),
        (denial(expression("location", "westeurope", "In", []), result="Compliant"), None),
        (restricted("tags.costCenter"), "blocker"),
        (restricted("tags['cost center']"), "blocker"),
        # We have these, with a permitted value or another one.
        (restricted("tags.Environment"), None),
        (restricted("tags.environment", values=["dev", "prod"]), None),
        (restricted("tags.environment", values=["Test", "Prod"]), "blocker"),
        (restricted("tags.owner", effect="Modify", defaultValue="ada"), "warning"),
        (restricted("tags.ignored", effect="Modify", defaultValue="ada"), None),
        (restricted("tags.createdWith", result="Removed", effect="Modify"), None),
    ],
)
def test_effects_and_tags_are_told_apart(
    answer: dict[str, Any], state: str | None, azure: FakeAzure, tmp_path: Path
) -> None:
    text = 'tags_ignored = ["Ignored"]\n' + DEV
    findings = checked(azure, tmp_path, for_kind("Microsoft.KeyVault/vaults", answer), text)
    assert {each.state for each in findings.values()} == {state or "ok"}


def test_the_remedy_for_a_tag_is_a_setting(azure: FakeAzure, tmp_path: Path) -> None:
    kind = "Microsoft.KeyVault/vaults"
    answer = restricted("tags.costCenter", values=["1", "2"])
    finding = checked(azure, tmp_path, for_kind(kind, answer))[TITLE]
    assert finding.detail == "requires the tag costCenter to be one of 1, 2: vaults"
    assert finding.remedy == "Set tags.costCenter in the environment's file"
    finding = checked(azure, tmp_path, for_kind(kind, restricted("tags.owner", effect="Append")))[TITLE]
    assert finding.remedy == 'Add "owner" to tags_ignored in the environment\'s file'


def test_policies_that_cannot_be_asked_are_no_pass(azure: FakeAzure, tmp_path: Path) -> None:
    environment = written(tmp_path)
    answers: list[Any] = [
        error(403, "AuthorizationFailed"),
        error(404, "NotFound"),
        {"contentEvaluationResult": []},
        [],
    ]
    for answer in answers:
        ready.prepare(azure, environment)
        azure.answer(ready.RESTRICTIONS, answer)
        assert found(azure, environment, policies.checks)["policies"].state == "unknown"
    # Without their names, the assignments' ids are shown.
    ready.prepare(azure, environment)
    azure.answer(ready.ASSIGNMENTS, error(403, "AuthorizationFailed"))
    azure.answer(ready.RESTRICTIONS, denial())
    assert found(azure, environment, policies.checks)["57DAC8A0"].state == "blocker"
