"""PostgreSQL: size, version, storage and redundancy that the region offers, in answers of Azure's form."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aks_kaito_cli.answers import Finding, side_by_side
from aks_kaito_cli.azure.errors import AzureAnswerError
from aks_kaito_cli.preflight import services
from support.fake_azure import FakeAzure, Reply, error, running
from support.preflight_checks import GROUP, context, short
from support.ready_region import CAPABILITIES, region

ON = ["enabled = true", 'sku_name = "GP_Standard_D2ds_v5"', "zone_redundancy_enabled = true"]


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with running() as fake:
        fake.listed(CAPABILITIES, region())
        yield fake


def checked(folder: Path, azure: FakeAzure, *lines: str) -> list[Finding]:
    own = {line.partition(" ")[0] for line in lines}
    kept = [line for line in ON if line.partition(" ")[0] not in own]
    checks = services.checks(context(folder, azure, {"postgresql": [*kept, *lines]}))
    found = side_by_side(checks, (AzureAnswerError,))
    return [each for each in found if each.subject == "PostgreSQL"]


def test_an_offered_server_is_fine(tmp_path: Path, azure: FakeAzure) -> None:
    assert short(checked(tmp_path, azure)) == [
        ("ok", "westeurope offers GP_Standard_D2ds_v5, version 17 with a standby in another zone")
    ]
    small = ['sku_name = "B_Standard_B1ms"', "zone_redundancy_enabled = false"]
    assert short(checked(tmp_path, azure, *small)) == [("ok", "westeurope offers B_Standard_B1ms, version 17")]
    assert azure.asked("capabilities")[0].query["api-version"] == ["2025-08-01"]


@pytest.mark.parametrize(
    ("lines", "detail", "remedy"),
    [
        (
            ['sku_name = "GP_Standard_D16ds_v5"'],
            "westeurope does not offer GP_Standard_D16ds_v5",
            "Set postgresql.sku_name to one of GP_Standard_D2ds_v5, GP_Standard_D4ds_v5",
        ),
        # Azure lists the size, and has disabled it.
        (
            ['sku_name = "GP_Standard_D8ds_v5"'],
            "westeurope does not offer GP_Standard_D8ds_v5",
            "one of GP_Standard_D2",
        ),
        (['sku_name = "MO_Standard_E2ds_v5"'], "does not offer MO_Standard_E2ds_v5", "one of (none of this tier)"),
        (
            ['sku_name = "GP_Standard_D4ds_v5"'],
            "westeurope does not offer a standby of GP_Standard_D4ds_v5 in another zone",
            "Set postgresql.zone_redundancy_enabled = false, or choose another size",
        ),
        (['version = "18"'], "westeurope does not offer version 18", "Set postgresql.version to one of 16, 17"),
        (
            ["storage_gib = 256"],
            "westeurope does not offer 256 GiB",
            "Set postgresql.storage_gib to one of 32, 64, 128",
        ),
    ],
)
def test_what_the_region_lacks_is_a_blocker(
    tmp_path: Path, azure: FakeAzure, lines: list[str], detail: str, remedy: str
) -> None:
    (result,) = checked(tmp_path, azure, *lines)
    assert result.state == "blocker"
    assert detail in result.detail
    assert remedy in result.remedy


@pytest.mark.parametrize(
    ("changes", "lines", "detail"),
    [
        ({"features": {"ZoneRedundantHa": "Disabled"}}, [], "does not offer a standby in another zone"),
        (
            {"features": {"GeoBackup": "Disabled"}},
            ["geo_redundant_backup_enabled = true"],
            "westeurope does not offer geo-redundant backups",
        ),
        (
            {"features": {"OfferRestricted": "Enabled"}, "reason": "Subscriptions are restricted."},
            [],
            "Azure admits no new servers of this subscription in westeurope: Subscriptions are restricted.",
        ),
        # Older answers have keys instead of features.
        ({"supportedFeatures": None, "restricted": "Enabled"}, [], "Azure admits no new servers"),
        ({"supportedFeatures": [], "zoneRedundantHaSupported": "Disabled"}, [], "does not offer a standby"),
        # An answer that names no redundancy offers none.
        ({"supportedFeatures": []}, [], "does not offer a standby in another zone"),
    ],
)
def test_the_regions_restrictions_are_blockers(
    tmp_path: Path, azure: FakeAzure, changes: dict[str, Any], lines: list[str], detail: str
) -> None:
    azure.listed(CAPABILITIES, region(**changes))
    (result,) = checked(tmp_path, azure, *lines)
    assert result.state == "blocker"
    assert detail in result.detail


def test_older_answers_with_keys_are_read(tmp_path: Path, azure: FakeAzure) -> None:
    azure.listed(
        CAPABILITIES, region(supportedFeatures=None, restricted="Disabled", zoneRedundantHaSupported="Enabled")
    )
    assert [each.state for each in checked(tmp_path, azure)] == ["ok"]


def test_each_obstacle_is_named(tmp_path: Path, azure: FakeAzure) -> None:
    result = checked(tmp_path, azure, 'version = "18"', "storage_gib = 256", 'sku_name = "GP_Standard_D4ds_v5"')
    assert [each.state for each in result] == ["blocker"] * 3


def test_a_server_that_runs_as_configured_needs_no_offer(tmp_path: Path, azure: FakeAzure) -> None:
    azure.listed(CAPABILITIES, region(features={"OfferRestricted": "Enabled"}))
    name = context(tmp_path, azure, {"postgresql": ON}).names.postgresql
    server = {
        "sku": {"name": "Standard_D2ds_v5", "tier": "GeneralPurpose"},
        "properties": {"version": "17", "highAvailability": {"mode": "ZoneRedundant"}},
    }
    azure.answer(f"{GROUP}/providers/Microsoft.DBforPostgreSQL/flexibleServers/{name}", server)
    (result,) = checked(tmp_path, azure)
    assert result.state == "info"
    assert result.detail.startswith("the server runs as configured")
    # Another size, version or redundancy is asked for anew.
    for line in ('sku_name = "GP_Standard_D4ds_v5"', 'version = "16"', "zone_redundancy_enabled = false"):
        assert {each.state for each in checked(tmp_path, azure, line)} == {"blocker"}


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (error(403, "AuthorizationFailed"), "HTTP 403"),
        (error(429, "TooManyRequests", Retry_After="300"), "wait 300 seconds"),
        (Reply(200, b"<html>"), "no JSON object"),
        ({"value": []}, "ValueError: no capabilities"),
        ({"value": [{"name": "FlexibleServerCapabilities"}]}, "KeyError: 'supportedServerVersions'"),
        ({"value": ["east"]}, "another form than expected"),
    ],
)
def test_an_answer_that_decides_nothing_is_never_a_pass(
    tmp_path: Path, azure: FakeAzure, answer: Any, text: str
) -> None:
    azure.answer(CAPABILITIES, answer)
    (result,) = checked(tmp_path, azure)
    assert result.state == "unknown"
    assert text in result.detail


def test_nothing_is_asked_without_a_server(tmp_path: Path, azure: FakeAzure) -> None:
    checks = services.checks(context(tmp_path, azure))
    assert [each.subject for each in checks] == ["Kubernetes version"]
