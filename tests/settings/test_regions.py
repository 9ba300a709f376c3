"""Regions: availability zones, paired regions, spelling, and clouds that are not public."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pydantic import BaseModel

from aks_kaito.catalog import CATALOG, Region
from aks_kaito.settings import Settings, load
from support.environment_files import changed, edited, problems, warnings, written
from support.project import TODAY

WITHOUT_ZONES = {
    "": ['location = "westus"'],
    "system_pool": ["zones = []"],
    "user_pool": ["zones = []"],
    "network": ["nat_gateway_zones = []", "public_ip_zones = []"],
}
WITHOUT_NAT_V2 = {
    "canadaeast",
    "chilecentral",
    "indonesiacentral",
    "israelnorthwest",
    "malaysiawest",
    "qatarcentral",
    "swedensouth",
    "westcentralus",
    "westindia",
}
# Settings that need zones: table, lines, key, and the value that the message asks for.
ZONAL = [
    ("system_pool", ['zones = ["1"]'], "system_pool.zones", "must be []"),
    ("user_pool", ['zones = ["1", "3"]'], "user_pool.zones", "must be []"),
    ("network", ['nat_gateway_zones = ["2"]'], "network.nat_gateway_zones", "must be []"),
    ("network", ['public_ip_zones = ["1", "2", "3"]'], "network.public_ip_zones", "must be []"),
    ("registry", ['sku = "Premium"', "zone_redundancy_enabled = true"],
     "registry.zone_redundancy_enabled", "must be fal"),
    ("monitoring", ["grafana_zone_redundancy_enabled = true"],
     "monitoring.grafana_zone_redundancy_enabled", "must be fal"),
    ("postgresql", ["enabled = true", 'sku_name = "GP_Standard_D2ds_v5"', "zone_redundancy_enabled = true"],
     "postgresql.zone_redundancy_enabled", "must be false"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "lines", "key", "words"), ZONAL)
def test_zones_are_refused_in_a_region_without_zones(
    table: str, lines: list[str], key: str, words: str, tmp_path: Path
) -> None:
    text = changed(table, *lines, text=edited(WITHOUT_ZONES))
    found = problems(written(tmp_path, text))
    assert set(found) == {key}
    assert words in found[key]
    assert "westus, which has no availability zones" in found[key]


def keys(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    """Yield the dotted name of each key of an environment file."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_every_key_that_carries_a_zone_is_checked() -> None:
    found = {key for key in keys() if re.search(r"(^|[._])zones?(_redundancy_enabled)?$", key)}
    assert found == {key for _, _, key, _ in ZONAL}


def test_a_zone_redundant_disk_is_refused_in_a_region_without_zones(tmp_path: Path) -> None:
    disk = {
        "bastion": ["enabled = true"],
        "jump_box": ["enabled = true", 'os_disk_storage_account_type = "Premium_ZRS"'],
    }
    found = problems(written(tmp_path, edited({**WITHOUT_ZONES, **disk})))
    assert 'must be "Premium_LRS"' in found["jump_box.os_disk_storage_account_type"]


def test_default_zones_are_refused_in_a_region_without_zones(tmp_path: Path) -> None:
    found = problems(written(tmp_path, edited({"": ['location = "westus"'], "user_pool": ["zones = []"]})))
    assert set(found) == {"system_pool.zones", "network.nat_gateway_zones", "network.public_ip_zones"}


def test_zones_of_public_addresses_matter_only_if_there_are_any(tmp_path: Path) -> None:
    edits = {**WITHOUT_ZONES, "network": ["nat_gateway_zones = []"], "ingress": ['mode = "none"']}
    assert load(written(tmp_path, edited(edits)), TODAY)
    found = problems(written(tmp_path, edited({**edits, "bastion": ["enabled = true"]})))
    assert set(found) == {"network.public_ip_zones"}


def test_a_region_without_zones_is_accepted_without_zones(tmp_path: Path) -> None:
    assert warnings(written(tmp_path, edited(WITHOUT_ZONES))) == []


@pytest.mark.parametrize(("table", "lines", "key", "words"), ZONAL)
def test_zones_are_accepted_in_a_region_with_zones(
    table: str, lines: list[str], key: str, words: str, tmp_path: Path
) -> None:
    assert load(written(tmp_path, changed(table, *lines)), TODAY)
    assert key
    assert words


def test_a_region_whose_zones_are_unconfirmed_warns(tmp_path: Path) -> None:
    found = warnings(written(tmp_path, changed("", 'location = "indiasouthcentral"')))
    assert any("system_pool.zones" in warning and "not confirmed" in warning for warning in found)


def test_replicas_of_a_zone_redundant_registry_need_zones(tmp_path: Path) -> None:
    lines = ['sku = "Premium"', 'georeplication_locations = ["northeurope", "canadaeast"]']
    assert load(written(tmp_path, changed("registry", *lines)), TODAY)
    found = problems(written(tmp_path, changed("registry", *lines, "zone_redundancy_enabled = true")))
    assert '"canadaeast": has no availability zones' in found["registry.georeplication_locations"]
    assert "northeurope" not in found["registry.georeplication_locations"]


@pytest.mark.parametrize("replication", ["GRS", "RAGRS"])
def test_geo_redundant_storage_needs_a_paired_region(replication: str, tmp_path: Path) -> None:
    storage = {"storage": [f'replication_type = "{replication}"']}
    found = problems(written(tmp_path, edited({**storage, "": ['location = "italynorth"']})))
    assert 'must be "LRS" in italynorth' in found["storage.replication_type"]
    assert load(written(tmp_path, edited(storage)), TODAY)


def test_geo_redundant_backups_need_a_paired_region(tmp_path: Path) -> None:
    backup = {"postgresql": ["enabled = true", "geo_redundant_backup_enabled = true"]}
    found = problems(written(tmp_path, edited({**backup, "": ['location = "italynorth"']})))
    assert set(found) == {"postgresql.geo_redundant_backup_enabled"}
    assert "must be false in italynorth" in found["postgresql.geo_redundant_backup_enabled"]
    assert load(written(tmp_path, edited(backup)), TODAY)
    off = {"": ['location = "italynorth"'], "postgresql": ["enabled = false", "geo_redundant_backup_enabled = true"]}
    assert load(written(tmp_path, edited(off)), TODAY)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("West Europe", "must be westeurope"),
        ("WESTEUROPE", "must be westeurope"),
        ("west-europe", "must be westeurope"),
        ("usgovvirginia", "Azure Government, which is not supported"),
        ("USDoD Central", "Azure Government, which is not supported"),
        ("chinanorth3", "21Vianet, which is not supported"),
        ("germanynortheast", "Azure Germany"),
        ("atlantis", "such as westeurope"),
    ],
)
def test_other_names_of_regions_are_refused_in_words(location: str, words: str, tmp_path: Path) -> None:
    found = problems(written(tmp_path, changed("", f'location = "{location}"')))
    assert words in found["location"]


def test_a_retired_region_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOG.regions, "westindia", Region(retired_on=date(2026, 9, 30)))
    found = problems(written(tmp_path, changed("", 'location = "westindia"')))
    assert "was retired by Azure on 2026-09-30" in found["location"]


def test_the_facts_about_regions_are_azures() -> None:
    regions = CATALOG.regions
    assert len(regions) == 62
    assert regions["westus"] == Region(availability_zones=False, paired_region="eastus")
    assert regions["westus3"] == Region(availability_zones=True, paired_region="eastus")
    assert regions["polandcentral"] == Region(availability_zones=True)
    assert regions["francesouth"] == Region(availability_zones=False, paired_region="francecentral")
    assert regions["swedensouth"] == Region(
        availability_zones=False, paired_region="swedencentral", nat_gateway_v2=False
    )
    assert regions["taiwannorth"] == Region()


def test_every_paired_region_is_a_region() -> None:
    assert {region.paired_region for region in CATALOG.regions.values()} <= {None, *CATALOG.regions}


def test_regions_without_standard_v2_nat_are_azures() -> None:
    assert {name for name, region in CATALOG.regions.items() if not region.nat_gateway_v2} == WITHOUT_NAT_V2


@pytest.mark.parametrize("location", sorted(WITHOUT_NAT_V2))
def test_standard_v2_nat_is_refused_in_a_region_without_it(location: str, tmp_path: Path) -> None:
    text = edited({**WITHOUT_ZONES, "": [f'location = "{location}"']})
    assert load(written(tmp_path, text), TODAY)
    found = problems(written(tmp_path, changed("network", 'nat_gateway_sku = "StandardV2"', text=text)))
    assert set(found) == {"network.nat_gateway_sku"}
    assert f'must be "Standard" in {location}' in found["network.nat_gateway_sku"]
