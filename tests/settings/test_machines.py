"""VM sizes of node pools and the jump box, and the disks and images on them."""

import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aks_kaito.catalog import CATALOG
from aks_kaito.settings import load
from support.environment_files import changed, edited, problems, warnings, written
from support.project import TODAY

SIZES = [
    pattern.replace("*", str(number)) for pattern, family in CATALOG.vm_families.items() for number in family.sizes
]
JUMP_BOX = {"bastion": ["enabled = true"]}


@pytest.mark.parametrize(
    ("table", "lines", "key", "words"),
    [
        ("system_pool", ['vm_size = "Standard_D4s_v5"'],
         "system_pool.os_disk_type", 'must be "Managed" with Standard_D4s_v5'),
        ("user_pool", ['vm_size = "Standard_D4as_v6"'], "user_pool.os_disk_type", 'must be "Managed"'),
        ("user_pool", ['vm_size = "Standard_D4_v3"'], "user_pool.os_disk_type", 'must be "Managed"'),
        ("user_pool", ['vm_size = "Standard_B4s_v2"'], "user_pool.os_disk_type", 'must be "Managed"'),
        ("user_pool", ["os_disk_size_gib = 128"],
         "user_pool.os_disk_size_gib", "must be at most 75 with Standard_D2ads_v5"),
        ("user_pool", ['vm_size = "standard_d2ADS_v5"', "os_disk_size_gib = 128"],
         "user_pool.os_disk_size_gib", "at most 75"),
        ("user_pool", ['vm_size = "Standard_D4s_v3"', "os_disk_size_gib = 128"],
         "user_pool.os_disk_size_gib", "at most 100"),
        ("user_pool", ['vm_size = "Standard_D2ads_v6"', "os_disk_size_gib = 128"],
         "user_pool.os_disk_size_gib", "at most 110"),
        ("user_pool", ['vm_size = "Standard_D96ads_v5"', "os_disk_size_gib = 2048"],
         "user_pool.os_disk_size_gib", "at most 2040"),
        ("user_pool", ['vm_size = "Standard_NC6s_v3"'], "user_pool.vm_size", "was retired by Azure on 2025-09-30"),
        ("system_pool", ['vm_size = "standard_nv6"'], "system_pool.vm_size", "was retired by Azure on 2023-09-06"),
        ("user_pool", ['vm_size = "Standard_D4pds_v5"'], "user_pool.vm_size", "must be an x64 size"),
        ("system_pool", ['vm_size = "Standard_E8ps_v6"'], "system_pool.vm_size", "must be an x64 size"),
        ("system_pool", ['vm_size = "Standard_B4ms"', "os_disk_size_gib = 30"], "system_pool.vm_size", "B series"),
        ("system_pool", ['vm_size = "Standard_B8as_v2"', 'os_disk_type = "Managed"'],
         "system_pool.vm_size", "is burstable"),
        ("system_pool", ['vm_size = "Standard_D2ads_v5"', "os_disk_size_gib = 64"], "system_pool.vm_size", "it has 2"),
        ("system_pool", ['vm_size = "Standard_DS2_v2"'], "system_pool.vm_size", "it has 2"),
        ("system_pool", ["max_pods = 29"], "system_pool.max_pods", "must be at least 30"),
        ("user_pool", ['vm_size = "Standard_A1_v2"', 'os_disk_type = "Managed"'],
         "user_pool.vm_size", "at least 2 vCPUs"),
        ("user_pool", ['vm_size = "D4ads_v5"'], "user_pool.vm_size", "must be an Azure VM size"),
    ],
)  # fmt: skip
def test_a_size_that_azure_refuses_in_a_pool_is_refused(
    table: str, lines: list[str], key: str, words: str, tmp_path: Path
) -> None:
    found = problems(written(tmp_path, changed(table, *lines)))
    assert key in found, found
    assert words in found[key]


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        ("system_pool", ['vm_size = "Standard_D4s_v5"', 'os_disk_type = "Managed"']),
        ("system_pool", ['vm_size = "Standard_D4ds_v5"', "os_disk_size_gib = 150"]),
        ("system_pool", ["max_pods = 30"]),
        ("user_pool", ['vm_size = "Standard_D2ads_v6"', "os_disk_size_gib = 110"]),
        ("user_pool", ['vm_size = "Standard_D8s_v3"', "os_disk_size_gib = 200"]),
        ("user_pool", ['vm_size = "Standard_B2s_v2"', 'os_disk_type = "Managed"']),
        ("user_pool", ["max_pods = 10"]),
    ],
)
def test_a_size_that_azure_accepts_in_a_pool_is_accepted(table: str, lines: list[str], tmp_path: Path) -> None:
    assert warnings(written(tmp_path, changed(table, *lines))) == []


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("standard_d2s_v6", "Standard_D2s_v6"),
        ("STANDARD_D4ADS_V5", "Standard_D4ads_v5"),
        ("standard_ds3_v2", "Standard_DS3_v2"),
        ("standard_nc24ads_a100_v4", "Standard_NC24ads_A100_v4"),
    ],
)
def test_sizes_compare_without_regard_to_case(name: str, spelled: str, tmp_path: Path) -> None:
    text = changed("user_pool", f'vm_size = "{name}"', 'os_disk_type = "Managed"')
    assert load(written(tmp_path, text), TODAY).settings.user_pool.vm_size == spelled


@given(st.sampled_from(SIZES), st.data())
def test_every_known_size_is_found_in_every_case(name: str, data: st.DataObject) -> None:
    flips = data.draw(st.lists(st.booleans(), min_size=len(name), max_size=len(name)))
    mixed = "".join(letter.swapcase() if flip else letter for letter, flip in zip(name, flips, strict=True))
    size = CATALOG.vm_size(mixed)
    assert size is not None
    assert size.name == name
    assert size.vcpus >= 1


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(SIZES),
    st.sampled_from(["system_pool", "user_pool"]),
    st.integers(30, 2048),
    st.booleans(),
)
def test_a_pool_is_accepted_if_and_only_if_its_size_fits(name: str, table: str, disk: int, managed: bool) -> None:  # noqa: FBT001
    size = CATALOG.vm_size(name)
    assert size is not None
    lines = [
        f'vm_size = "{name}"',
        f"os_disk_size_gib = {disk}",
        f'os_disk_type = "{"Managed" if managed else "Ephemeral"}"',
    ]
    expected = set[str]()
    if size.family.architecture == "Arm64":
        expected.add("vm_size")
    if table == "system_pool" and (size.vcpus < 4 or name.startswith("Standard_B")):
        expected.add("vm_size")
    if table == "user_pool" and size.vcpus < 2:
        expected.add("vm_size")
    if not managed and size.ephemeral_gib is not None and disk > size.ephemeral_gib:
        expected.add("os_disk_size_gib" if size.ephemeral_gib else "os_disk_type")
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), changed(table, *lines))
        if expected:
            assert set(problems(path)) == {f"{table}.{key}" for key in expected}
        else:
            assert load(path, TODAY)


@pytest.mark.parametrize("name", ["Standard_D4ads_v9", "Standard_E4-2ds_v5", "Standard_D3ads_v5", "Standard_D04ads_v5"])
def test_an_unknown_size_warns(name: str, tmp_path: Path) -> None:
    (warning,) = warnings(written(tmp_path, changed("user_pool", f'vm_size = "{name}"')))
    assert f'user_pool.vm_size = "{name}"' in warning
    assert "is not in catalog.toml" in warning


def test_a_size_that_azure_will_retire_warns(tmp_path: Path) -> None:
    (warning,) = warnings(written(tmp_path, changed("system_pool", 'vm_size = "Standard_DS3_v2"')))
    assert "will be retired by Azure on 2028-05-01" in warning


@pytest.mark.parametrize("name", ["Standard_DS3_v2", "standard_ds3_v2_promo", "Standard_DS3_v2_Promo"])
def test_a_size_is_refused_from_the_day_of_its_retirement(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, changed("system_pool", f'vm_size = "{name}"'))
    (warning,) = (text for text in load(path, date(2028, 4, 30)).warnings if "system_pool.vm_size" in text)
    assert "will be retired by Azure on 2028-05-01" in warning
    for day in (date(2028, 5, 1), date(2030, 1, 1)):
        assert "was retired by Azure on 2028-05-01" in problems(path, day)["system_pool.vm_size"]


def test_a_jump_box_of_a_retired_family_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, edited({**JUMP_BOX, "jump_box": ["enabled = true", 'vm_size = "Standard_B2ms"']}))
    assert load(path, date(2028, 11, 14))
    assert "was retired by Azure on 2028-11-15" in problems(path, date(2028, 11, 15))["jump_box.vm_size"]


@pytest.mark.parametrize("name", ["Standard_NC6_Promo", "standard_nc6_promo", "STANDARD_NV12_PROMO"])
@pytest.mark.parametrize(
    ("table", "key"), [("user_pool", "vm_size"), ("model", "instance_type"), ("model", "standby_instance_type")]
)
def test_promotional_names_of_retired_sizes_are_refused(table: str, key: str, name: str, tmp_path: Path) -> None:
    found = problems(written(tmp_path, changed(table, f'{key} = "{name}"')))
    assert set(found) == {f"{table}.{key}"}
    assert "was retired by Azure on 2023-09-06" in found[f"{table}.{key}"]


@pytest.mark.parametrize(
    ("lines", "image", "key", "words"),
    [
        (['vm_size = "Standard_NC6s_v3"'], [], "jump_box.vm_size", "was retired"),
        (['vm_size = "Standard_D2pds_v5"'], [], "jump_box.vm_size", "must be an x64 size"),
        ([], ['sku = "server-arm64"'], "jump_box.vm_size", "must be an Arm64 size"),
        ([], ['sku = "server-gen1"'], "jump_box.image.sku", "must be of generation 2"),
        ([], ['publisher = ""'], "jump_box.image.publisher", "must be letters, digits"),
        ([], ['offer = "UbuntuServer"', 'sku = "18.04-LTS"'], "jump_box.image.sku", "generation 2"),
        ([], ['publisher = "RedHat"', 'offer = "RHEL"', 'sku = "9_4"'], "jump_box.image.sku", "generation 2"),
        ([], ['publisher = "RedHat"', 'offer = "rhel-raw"', 'sku = "9_raw"'], "jump_box.image.sku", "generation 2"),
        ([], ['publisher = "OpenLogic"', 'offer = "CentOS"', 'sku = "7_9"'], "jump_box.image.sku", "generation 2"),
        ([], ['publisher = "MicrosoftCBLMariner"', 'offer = "cbl-mariner"', 'sku = "cbl-mariner-2"'],
         "jump_box.image.sku", "generation 2"),
        ([], ['publisher = "MicrosoftCBLMariner"', 'offer = "azure-linux-3"', 'sku = "azure-linux-3"'],
         "jump_box.image.sku", "generation 2"),
        ([], ['publisher = "Oracle"', 'offer = "Oracle-Linux"', 'sku = "ol94-lvm"'],
         "jump_box.image.sku", "generation 2"),
        ([], ['publisher = "suse"', 'offer = "sles-15-sp6"', 'sku = "gen1"'], "jump_box.image.sku", "generation 2"),
        ([], ['publisher = "MicrosoftWindowsServer"', 'offer = "WindowsServer"', 'sku = "2022-datacenter-g2"'],
         "jump_box.image.publisher", "must be a publisher of Linux images"),
        ([], ['publisher = "microsoftwindowsdesktop"', 'offer = "windows-11"', 'sku = "win11-24h2-pro"'],
         "jump_box.image.publisher", "must be a publisher of Linux images"),
        ([], ['publisher = "RedHat"', 'offer = "rhel-arm64"', 'sku = "9_4"'],
         "jump_box.vm_size", "must be an Arm64 size"),
        ([], ['offer = "0001-com-ubuntu-server-jammy"', 'sku = "22_04-lts"'], "jump_box.image.sku", "generation 2"),
        ([], ['publisher = "Debian"', 'offer = "debian-12"', 'sku = "12"'], "jump_box.image.sku", "generation 2"),
        (['vm_size = "Standard_D2_v3"', 'os_disk_storage_account_type = "StandardSSD_LRS"'], [],
         "jump_box.vm_size", "must support generation 2"),
        (['vm_size = "Standard_D2_v5"'], [], "jump_box.os_disk_storage_account_type", "must not be a Premium type"),
    ],
)  # fmt: skip
def test_a_jump_box_that_azure_refuses_is_refused(
    lines: list[str], image: list[str], key: str, words: str, tmp_path: Path
) -> None:
    edits = {**JUMP_BOX, "jump_box": ["enabled = true", *lines], "jump_box.image": image}
    found = problems(written(tmp_path, edited(edits)))
    assert key in found, found
    assert words in found[key]


@pytest.mark.parametrize(
    ("lines", "image"),
    [
        ([], []),
        (['vm_size = "Standard_D2pds_v5"'], ['sku = "server-arm64"']),
        ([], ['offer = "0001-com-ubuntu-server-jammy"', 'sku = "22_04-lts-gen2"']),
        (['vm_size = "Standard_D2_v5"', 'os_disk_storage_account_type = "StandardSSD_LRS"'], []),
        (['vm_size = "Standard_DS2_v2"'], []),
    ],
)
def test_a_jump_box_that_azure_accepts_is_accepted(lines: list[str], image: list[str], tmp_path: Path) -> None:
    edits = {**JUMP_BOX, "jump_box": ["enabled = true", *lines], "jump_box.image": image}
    assert load(written(tmp_path, edited(edits)), TODAY)


@pytest.mark.parametrize(
    ("image", "known"),
    [
        (["Canonical", "UbuntuServer", "18_04-lts-gen2"], True),
        (["Canonical", "ubuntu-24_04-lts", "minimal"], True),
        (["RedHat", "RHEL", "94-gen2"], True),
        (["RedHat", "rhel-raw", "9-raw-g2"], True),
        (["Oracle", "Oracle-Linux", "ol94-lvm-gen2"], True),
        (["MicrosoftCBLMariner", "azure-linux-3", "azure-linux-3-gen2"], True),
        (["suse", "sles-15-sp6", "gen2"], True),
        (["almalinux", "almalinux-x86_64", "9-gen2"], True),
        (["resf", "rockylinux-x86_64", "9-base"], False),
        (["kinvolk", "flatcar-container-linux-free", "stable"], False),
    ],
)
def test_an_image_without_a_known_generation_warns(image: list[str], known: bool, tmp_path: Path) -> None:  # noqa: FBT001
    lines = [f'{key} = "{value}"' for key, value in zip(("publisher", "offer", "sku"), image, strict=True)]
    edits = {**JUMP_BOX, "jump_box": ["enabled = true"], "jump_box.image": lines}
    found = warnings(written(tmp_path, edited(edits)))
    assert len(found) == (0 if known else 1)
    assert all("jump_box.image.sku" in each and "has no generation in its name" in each for each in found)
    assert warnings(written(tmp_path, edited({"jump_box.image": lines}))) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Standard_NC24ads_A100_v4", "has GPUs, which nothing here uses, and 24 vCPUs"),
        ("standard_nc4as_t4_v3", "has GPUs, which nothing here uses, and 4 vCPUs"),
        ("Standard_NG8ads_V620_v1", "has an AMD GPU"),
        ("Standard_NP10s", "has an FPGA instead of a GPU"),
        ("Standard_NV6ads_A10_v5", "has a sixth of a GPU"),
    ],
)
@pytest.mark.parametrize("table", ["system_pool", "user_pool"])
def test_a_size_with_gpus_in_a_pool_warns_in_its_own_words(table: str, name: str, words: str, tmp_path: Path) -> None:
    (warning,) = warnings(written(tmp_path, changed(table, f'vm_size = "{name}"')))
    assert f"{table}.vm_size" in warning
    assert words in warning
    assert "is not in catalog.toml" not in warning


def test_the_size_of_a_jump_box_that_is_off_is_not_checked(tmp_path: Path) -> None:
    assert load(written(tmp_path, changed("jump_box", 'vm_size = "Standard_NC6s_v3"')), TODAY)


@pytest.mark.parametrize(
    "name", ["B_Standard_B1ms", "gp_standard_d2DS_v5", "MO_Standard_E4ads_v5", "GP_Standard_DC4ads_v5"]
)
def test_server_sizes_that_azurerm_accepts_are_accepted(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, changed("postgresql", f'sku_name = "{name}"'))
    assert load(path, TODAY).settings.postgresql.sku_name.lower() == name.lower()


@pytest.mark.parametrize(
    "name", ["B_Standard_B1s", "GP_Standard_D2pds_v5", "MO_Standard_D2ds_v5", "GP_Standard_D3ds_v5"]
)
def test_server_sizes_that_azurerm_refuses_are_refused(name: str, tmp_path: Path) -> None:
    found = problems(written(tmp_path, changed("postgresql", f'sku_name = "{name}"')))
    assert "flexible servers" in found["postgresql.sku_name"]


def test_families_list_a_disk_and_vcpus_for_each_size() -> None:
    for pattern, family in CATALOG.vm_families.items():
        assert pattern.startswith("Standard_")
        assert pattern.count("*") == 1
        assert len(family.ephemeral_gib or ()) in (0, len(family.sizes)), pattern
        assert len(family.vcpus) in (0, len(family.sizes)), pattern
        assert family.page.endswith("-series")


@pytest.mark.parametrize(
    ("name", "vcpus", "ephemeral", "architecture"),
    [
        # From the capabilities that Azure lists: vCPUs, MaxResourceVolumeMB or CachedDiskBytes, CpuArchitectureType.
        ("Standard_D128ds_v6", 128, 2040, "x64"),
        ("Standard_D16plds_v5", 16, 600, "Arm64"),
        ("Standard_D2as_v6", 2, 0, "x64"),
        ("Standard_D2s_v3", 2, 50, "x64"),
        ("Standard_D64s_v3", 64, 1600, "x64"),
        ("Standard_D2_v2", 2, 0, "x64"),
        ("Standard_D2_v3", 2, 0, "x64"),
        ("Standard_D2_v5", 2, 0, "x64"),
        ("Standard_E4d_v5", 4, 150, "x64"),
        ("Standard_F16s_v2", 16, 256, "x64"),
        ("Standard_B20ms", 20, 160, "x64"),
    ],
)
def test_facts_of_sizes_are_azures(name: str, vcpus: int, ephemeral: int, architecture: str) -> None:
    size = CATALOG.vm_size(name)
    assert size is not None
    assert (size.vcpus, size.ephemeral_gib, size.family.architecture) == (vcpus, ephemeral, architecture)
