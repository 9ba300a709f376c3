"""Names that are unique in Azure: free, own, taken, held by a deleted resource, or not to be decided."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aks_kaito_cli.preflight import names
from support.fake_azure import FakeAzure, Reply, error, running
from support.preflight_checks import GROUP, SCOPE, context, found
from support.ready_region import QUESTIONS, prepare

ALL = {
    "openai": ["enabled = true"],
    "openai.deployments.chat": ['model = "gpt-4o"', 'version = "2024-11-20"'],
    "postgresql": ["enabled = true"],
}
OWN = {
    "registry": "Microsoft.ContainerRegistry/registries/crkaitodev",
    "key vault": "Microsoft.KeyVault/vaults/kv-kaito-dev-",
    "storage account": "Microsoft.Storage/storageAccounts/stkaitodev",
    "Grafana": "Microsoft.Dashboard/grafana/amg-kaito-dev-",
    "Azure OpenAI": "Microsoft.CognitiveServices/accounts/oai-kaito-dev-",
    "PostgreSQL": "Microsoft.DBforPostgreSQL/flexibleServers/psql-kaito-dev-",
}
TAKEN = {"nameAvailable": False, "reason": "AlreadyExists", "message": "The name is already\nin use."}


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with running() as fake:
        prepare(fake)
        yield fake


def taken(azure: FakeAzure, subject: str, answer: Any = TAKEN) -> None:
    if subject == "Azure OpenAI" and answer is TAKEN:
        answer = {"isSubdomainAvailable": False, "reason": TAKEN["message"]}
    azure.answer(f"{SCOPE}/providers/{QUESTIONS[subject]}", answer)


def test_free_names_are_fine_and_asked_for_in_azures_form(tmp_path: Path, azure: FakeAzure) -> None:
    result = found(names.checks(context(tmp_path, azure, ALL)))
    assert {subject: each.state for subject, each in result.items()} == dict.fromkeys(QUESTIONS, "ok")
    assert result["registry"].detail == "crkaitodev6f10b7 is free"
    bodies = {each.path.rpartition("providers/")[2]: each.body for each in azure.requests if each.method == "POST"}
    assert bodies[QUESTIONS["storage account"]] == {
        "name": "stkaitodev6f10b7",
        "type": "Microsoft.Storage/storageAccounts",
    }
    assert bodies[QUESTIONS["Azure OpenAI"]] == {
        "subdomainName": "oai-kaito-dev-6f10b7",
        "type": "Microsoft.CognitiveServices/accounts",
        "kind": "OpenAI",
    }


def test_services_that_are_off_need_no_name(tmp_path: Path, azure: FakeAzure) -> None:
    assert list(found(names.checks(context(tmp_path, azure)))) == [
        "registry",
        "key vault",
        "storage account",
        "Grafana",
    ]


@pytest.mark.parametrize("subject", QUESTIONS)
def test_a_second_deployment_finds_its_own_names(tmp_path: Path, azure: FakeAzure, subject: str) -> None:
    taken(azure, subject)
    read = context(tmp_path, azure, ALL)
    attribute = {"Azure OpenAI": "openai"}.get(subject, subject.lower().replace(" ", "_"))
    name = getattr(read.names, attribute)
    kind = OWN[subject].rpartition("/")[0]
    azure.answer(f"{GROUP}/providers/{kind}/{name}", {"name": name})
    result = found(names.checks(read))[subject]
    assert (result.state, result.detail) == ("ok", f"{name} is this environment's own")


@pytest.mark.parametrize("subject", QUESTIONS)
def test_a_name_of_others_stops_a_deployment(tmp_path: Path, azure: FakeAzure, subject: str) -> None:
    taken(azure, subject)
    result = found(names.checks(context(tmp_path, azure, ALL)))
    assert result[subject].state == "blocker"
    assert result[subject].detail.endswith(" is taken: The name is already in use.")
    assert result[subject].remedy == (
        "Set key_vault.name to another name"
        if subject == "key vault"
        else "Set subscription_id in the environment's file, which makes the name this subscription's own"
    )
    assert [each.state for name, each in result.items() if name != subject] == ["ok"] * 5


def test_a_name_with_the_subscriptions_hash_needs_another_prefix(tmp_path: Path, azure: FakeAzure) -> None:
    taken(azure, "registry")
    edits = {"": [f'subscription_id = "{SCOPE.rpartition("/")[2]}"']}
    remedy = found(names.checks(context(tmp_path, azure, edits)))["registry"].remedy
    assert remedy == "Choose another prefix, which is part of the name"


def vault(location: str, group: str, *, protected: bool = True) -> dict[str, Any]:
    """Return a deleted vault with our name, as Azure describes it."""
    return {
        "id": f"{SCOPE}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/kv-kaito-dev-6f10b7",
        "name": "KV-kaito-dev-6f10b7",
        "properties": {
            "vaultId": f"{SCOPE}/resourcegroups/{group}/providers/Microsoft.KeyVault/vaults/kv-kaito-dev-6f10b7",
            "location": location,
            "deletionDate": "2026-11-20T00:00:59Z",
            "scheduledPurgeDate": "2026-12-20T00:00:59Z",
            "purgeProtectionEnabled": protected,
        },
    }


def test_a_deleted_vault_of_this_environment_is_recovered(tmp_path: Path, azure: FakeAzure) -> None:
    taken(azure, "key vault")
    listed = f"{SCOPE}/providers/Microsoft.KeyVault/deletedVaults"
    other = {"name": "another"}
    azure.answer(
        listed,
        {"value": [other], "nextLink": f"{azure.endpoint}{listed}?page=2"},
        {"value": [vault("westeurope", "RG-kaito-dev-westeurope")]},
    )
    result = found(names.checks(context(tmp_path, azure)))["key vault"]
    assert result.state == "info"
    assert result.detail == (
        "kv-kaito-dev-6f10b7 was deleted in westeurope, group RG-kaito-dev-westeurope, and holds the name until it is "
        "purged on 2026-12-20; the deployment recovers it with its secrets"
    )
    assert result.remedy == "az keyvault recover --name kv-kaito-dev-6f10b7 --location westeurope"


@pytest.mark.parametrize(
    ("deleted", "purge"),
    [
        (vault("northeurope", "rg-kaito-dev-westeurope"), ""),
        (vault("westeurope", "rg-other", protected=False), "az keyvault purge --name kv-kaito-dev-6f10b7"),
    ],
)
def test_a_deleted_vault_elsewhere_stops_a_deployment(
    tmp_path: Path, azure: FakeAzure, deleted: dict[str, Any], purge: str
) -> None:
    taken(azure, "key vault")
    azure.listed(f"{SCOPE}/providers/Microsoft.KeyVault/deletedVaults", deleted)
    result = found(names.checks(context(tmp_path, azure)))["key vault"]
    location = deleted["properties"]["location"]
    assert result.state == "blocker"
    assert "purged on 2026-12-20" in result.detail
    assert result.remedy.startswith(
        "Set key_vault.name to another name; or recover it: "
        f"az keyvault recover --name kv-kaito-dev-6f10b7 --location {location}"
    )
    assert (purge in result.remedy) if purge else "purge" not in result.remedy


def test_a_deleted_openai_account_stops_a_deployment(tmp_path: Path, azure: FakeAzure) -> None:
    taken(azure, "Azure OpenAI")
    place = f"{SCOPE}/providers/Microsoft.CognitiveServices/locations/westeurope/resourceGroups/rg-old"
    account = {
        "id": f"{place}/deletedAccounts/oai-kaito-dev-6f10b7",
        "name": "oai-kaito-dev-6f10b7",
        "location": "westeurope",
    }
    azure.listed(f"{SCOPE}/providers/Microsoft.CognitiveServices/deletedAccounts", account)
    result = found(names.checks(context(tmp_path, azure, ALL)))["Azure OpenAI"]
    assert result.state == "blocker"
    assert result.remedy == (
        "az cognitiveservices account purge --name oai-kaito-dev-6f10b7 --resource-group rg-old --location westeurope"
    )


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (error(403, "AuthorizationFailed", "no right"), "HTTP 403 AuthorizationFailed"),
        (error(401, "ExpiredAuthenticationToken"), "HTTP 401"),
        (error(429, "TooManyRequests", Retry_After="600"), "Azure asks to wait 600 seconds"),
        (error(500, "InternalServerError"), "HTTP 500"),
        (Reply(200, b"<html>"), "no JSON object"),
        ({}, "another form than expected (KeyError: 'nameAvailable')"),
        ({"nameAvailable": "true"}, "another form than expected (ValueError: nameAvailable is 'true')"),
        ({"nameAvailable": None}, "another form than expected"),
    ],
)
def test_an_answer_that_decides_nothing_is_never_a_pass(
    tmp_path: Path, azure: FakeAzure, answer: Any, text: str
) -> None:
    taken(azure, "registry", answer)
    result = found(names.checks(context(tmp_path, azure)))["registry"]
    assert result.state == "unknown"
    assert text in result.detail


def test_a_resource_that_cannot_be_read_is_never_a_pass(tmp_path: Path, azure: FakeAzure) -> None:
    read = context(tmp_path, azure)
    path = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{read.names.storage_account}"
    azure.answer(path, error(403, "AuthorizationFailed"))
    assert found(names.checks(read))["storage account"].state == "unknown"


def test_deleted_vaults_that_cannot_be_listed_leave_a_taken_vault_undecided(tmp_path: Path, azure: FakeAzure) -> None:
    taken(azure, "key vault")
    azure.answer(f"{SCOPE}/providers/Microsoft.KeyVault/deletedVaults", error(403, "AuthorizationFailed"))
    assert found(names.checks(context(tmp_path, azure)))["key vault"].state == "unknown"


def test_an_unregistered_provider_is_named_with_its_command(tmp_path: Path, azure: FakeAzure) -> None:
    taken(azure, "Grafana", error(409, "MissingSubscriptionRegistration", "not registered"))
    result = found(names.checks(context(tmp_path, azure)))["Grafana"]
    assert (result.state, result.remedy) == ("unknown", "az provider register --namespace Microsoft.Dashboard --wait")


@pytest.mark.parametrize("status", [400, 404, 405])
def test_grafanas_question_may_not_exist(tmp_path: Path, azure: FakeAzure, status: int) -> None:
    taken(azure, "Grafana", error(status, "InvalidResourceType"))
    result = found(names.checks(context(tmp_path, azure)))
    assert result["Grafana"].state == "info"
    assert "does not tell in advance" in result["Grafana"].detail


def test_only_grafanas_question_may_be_missing(tmp_path: Path, azure: FakeAzure) -> None:
    taken(azure, "registry", error(404, "InvalidResourceType"))
    assert found(names.checks(context(tmp_path, azure)))["registry"].state == "unknown"
