"""Files and folders of environments as editors, shells and file systems leave them."""

import os
import re
from pathlib import Path

import pytest

from aks_kaito.settings import SettingsError, load, selected
from support.environment_files import DEV, edited
from support.project import ENVIRONMENTS, TODAY

DEMANDS = {
    # Keys that the commented line requires, by file and key of the line; the file says "Both or neither".
    ("prod", "dns_zone_resource_group_name"): {"ingress": ['dns_zone_name = "contoso.com"']},
    ("prod", "dns_zone_name"): {"ingress": ['dns_zone_resource_group_name = "dns"']},
}
COMMENTED = [
    (path, number, match[1])
    for path in ENVIRONMENTS
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines())
    if (match := re.match(r"# ?([a-z_]+) = ", line))
]


def refusal(folder: Path, chosen: str | None = None) -> str:
    """Return the message with which a folder is refused."""
    with pytest.raises(SettingsError) as caught:
        selected(folder, {} if chosen is None else {"AKS_KAITO_ENV": chosen})
    return str(caught.value)


def test_the_shipped_files_have_commented_lines() -> None:
    assert {key for _, _, key in COMMENTED} >= {"subscription_id", "authorized_ip_ranges", "admin_group_object_ids"}


@pytest.mark.parametrize(("path", "number", "key"), COMMENTED, ids=lambda value: getattr(value, "stem", str(value)))
def test_every_commented_line_works_when_uncommented(path: Path, number: int, key: str, tmp_path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[number] = lines[number].removeprefix("#").lstrip()
    file = tmp_path / path.name
    file.write_text(edited(DEMANDS.get((path.stem, key), {}), text="\n".join(lines)), encoding="utf-8")
    assert load(file, TODAY) != load(path, TODAY)


def test_lines_that_work_together_only_say_so() -> None:
    for name, key in DEMANDS:
        (path,) = (path for path in ENVIRONMENTS if path.stem == name)
        before, _, _ = path.read_text(encoding="utf-8").partition(f"# {key} = ")
        assert any(line.startswith("# Both or neither: ") for line in before.splitlines()[-2:])


def test_all_commented_lines_work_together(tmp_path: Path) -> None:
    for path in ENVIRONMENTS:
        text = re.sub(r"(?m)^# ?([a-z_]+ = )", r"\1", path.read_text(encoding="utf-8"))
        file = tmp_path / path.name
        file.write_text(text, encoding="utf-8")
        assert load(file, TODAY)


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "dev.toml").write_text(DEV, encoding="utf-8-sig")
    (tmp_path / "unix.toml").write_bytes(DEV.replace("\n", "\r\n").encode())
    assert [found.name for found in selected(tmp_path, {})] == ["dev", "unix"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_by_its_name(encoding: str, tmp_path: Path) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"
    (tmp_path / "dev.toml").write_text(mark + DEV, encoding=encoding)
    assert "must be UTF-8 text; the file is UTF-16" in refusal(tmp_path)


def test_latin_1_is_refused_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "dev.toml").write_bytes(b'prefix = "gr\xf6sse"')
    assert "must be UTF-8 text; byte 12 is not" in refusal(tmp_path)


def test_a_link_to_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dev.toml").symlink_to("elsewhere.toml")
    assert "is a symbolic link to elsewhere.toml, which does not exist" in refusal(tmp_path)
    assert "is a symbolic link to elsewhere.toml, which does not exist" in refusal(tmp_path, "dev")


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "shared").write_text(DEV, encoding="utf-8")
    (tmp_path / "dev.toml").symlink_to("shared")
    assert [found.name for found in selected(tmp_path, {})] == ["dev"]


def test_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    (tmp_path / "dev.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    message = refusal(tmp_path)
    assert 'file = "dev.toml": must be a file, not a folder or a device' in message
    assert 'file = "pipe.toml": must be a file, not a folder or a device' in message


@pytest.mark.parametrize("name", ["DEV.TOML", "Dev.toml", "dev.TOML", "DEV.toml"])
@pytest.mark.parametrize("chosen", [None, "dev", "DEV"])
def test_a_name_in_upper_case_is_refused(name: str, chosen: str | None, tmp_path: Path) -> None:
    (tmp_path / name).write_text(DEV, encoding="utf-8")
    message = refusal(tmp_path, chosen)
    if not name.endswith(".toml"):
        assert f'file = "{name}": must end in .toml, in lower case' in message
    elif chosen in (None, name.removesuffix(".toml")):
        assert f'environment = "{name}": a file\'s name must be 2-16 lower-case letters' in message
    else:
        assert f'AKS_KAITO_ENV = "{chosen}": must be one of: {name.removesuffix(".toml")}' in message


@pytest.mark.parametrize("chosen", ["dev prod", "dev,prod", "DEV", "dev.toml", " "])
def test_another_selection_than_one_name_is_refused(chosen: str, tmp_path: Path) -> None:
    for name in ("dev", "prod"):
        (tmp_path / f"{name}.toml").write_text(DEV, encoding="utf-8")
    assert f'AKS_KAITO_ENV = "{chosen}": must be one of: dev, prod' in refusal(tmp_path, chosen)


def test_hidden_and_other_files_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "dev.toml").write_text(DEV, encoding="utf-8")
    (tmp_path / ".#dev.toml").symlink_to("someone@machine.1234")
    (tmp_path / "._dev.toml").write_bytes(b"\x00")
    (tmp_path / "dev.toml.bak").write_text("", encoding="utf-8")
    (tmp_path / "settings.schema.json").write_text("{}", encoding="utf-8")
    assert [found.name for found in selected(tmp_path, {})] == ["dev"]


def test_a_broken_file_does_not_hinder_another_environment(tmp_path: Path) -> None:
    (tmp_path / "dev.toml").write_text(DEV, encoding="utf-8")
    (tmp_path / "prod.toml").symlink_to("nowhere")
    assert [found.name for found in selected(tmp_path, {"AKS_KAITO_ENV": "dev"})] == ["dev"]


def test_the_sample_has_the_samples_image_and_keys() -> None:
    (path,) = (path for path in ENVIRONMENTS if path.stem == "sample")
    settings = load(path, TODAY).settings
    image = settings.jump_box.image
    assert (image.publisher, image.offer, image.sku, image.version) == (
        "Canonical",
        "0001-com-ubuntu-server-jammy",
        "22_04-lts-gen2",
        "latest",
    )
    assert settings.storage.shared_access_key_enabled
