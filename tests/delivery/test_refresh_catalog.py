"""The nightly refresh of the catalog, from a repository with the tags of releases."""

import subprocess
import tomllib
from pathlib import Path

import pytest

import kaito_catalog
import refresh_catalog
from support.needs import needs_program
from support.project import ROOT

FACTS = ROOT / "constructs" / "aks_kaito" / "catalog.toml"
FILES = {
    "pkg/sku/azure_sku_handler.go": (
        '{SKU: "Standard_NC24ads_A100_v4", GPUCount: 1, GPUMem: resource.MustParse("80Gi"), GPUModel: "NVIDIA A100"},\n'
    ),
    "pkg/workspace/estimator/nodesestimator/estimator.go": (
        "gpuMemoryUtilization = 0.9\nweightExpansionFactor = 1.03\nbaseOverheadGiB = 2.5\noverheadWeightFactor = 0.06\n"
        "maxModelLen := 4096\n"
    ),
    "presets/workspace/models/model_catalog.yaml": "models: []\n",
    "presets/workspace/models/supported_models.yaml": "models: []\n",
}


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.invalid")
    subprocess.run([needs_program("git", "git"), *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """KAITO's repository with a few releases, the newest of which is not the last tag."""
    folder = tmp_path / "kaito"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=x")
    for tag in ("v0.9.0", "v0.12.0", "v0.14.2", "v0.15.0-rc.1", "v0.14.10", "chart-1.0.0", "v0.13.0"):
        git(folder, "tag", tag)
    return folder


def copies(tmp_path: Path) -> tuple[Path, Path]:
    facts, tables = tmp_path / "catalog.toml", tmp_path / "kaito_catalog.toml"
    facts.write_text(FACTS.read_text(encoding="utf-8"), encoding="utf-8")
    tables.write_text(kaito_catalog.CATALOG.read_text(encoding="utf-8"), encoding="utf-8")
    return facts, tables


def test_the_newest_release_is_added_once(repository: Path, tmp_path: Path) -> None:
    facts, tables = copies(tmp_path)
    said = refresh_catalog.refresh(str(repository), facts, tables)
    assert said.startswith("KAITO 0.14.10 is released; the catalog's newest tables were those of 0.12.0.")
    found = tomllib.loads(tables.read_text(encoding="utf-8"))
    assert list(found["versions"]) == ["0.6.0", "0.12.0", "0.14.10"]
    assert found["sizes"]["0.14.10"] == {
        "Standard_NC24ads_A100_v4": {"gpus": 1, "memory_gib": 80, "gpu_model": "NVIDIA A100"}
    }
    before, after = (tomllib.loads(path.read_text(encoding="utf-8")) for path in (FACTS, facts))
    row = after["kaito_versions"].pop("0.14.10")
    assert row == {
        "released_as": "open-source chart",
        "presets_need_known_size": True,
        "source": "https://github.com/kaito-project/kaito/releases/tag/v0.14.10",
    }
    assert after == before
    written = tables.read_text(encoding="utf-8")
    assert refresh_catalog.refresh(str(repository), facts, tables) == ""
    assert tables.read_text(encoding="utf-8") == written


def test_a_repository_without_releases_is_named(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(SystemExit, match=r"has no tag such as v0\.12\.0"):
        refresh_catalog.newest(str(tmp_path))
    with pytest.raises(SystemExit, match="git ls-remote failed"):
        refresh_catalog.newest(str(tmp_path / "gone"))


@pytest.mark.parametrize(("version", "wanted"), [("0.14.10", "Nothing has changed.\n"), ("0.1.0", "KAITO 0.14.10 is")])
def test_a_description_is_written_in_each_case(
    version: str, wanted: str, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts, tables = copies(tmp_path)
    tables.write_text(f'[versions]\n"{version}" = {{ tag = "v{version}", read_on = 2026-11-28 }}\n', encoding="utf-8")
    monkeypatch.setattr(refresh_catalog, "ROOT", tmp_path)
    monkeypatch.setattr(refresh_catalog, "_FACTS", facts)
    monkeypatch.setattr(kaito_catalog, "CATALOG", tables)
    monkeypatch.setattr("sys.argv", ["refresh_catalog.py", str(repository)])
    refresh_catalog.main()
    assert (tmp_path / "dist" / "catalog.md").read_text(encoding="utf-8").startswith(wanted)
