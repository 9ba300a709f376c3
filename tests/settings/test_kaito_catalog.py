"""The generator of KAITO's tables: it reads a folder of tables and a checkout, and reports changes of their form."""

import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest

from support.needs import needs_path
from support.project import ROOT

COMMITTED = ROOT / "constructs" / "aks_kaito" / "kaito_catalog.toml"
TABLES = ROOT.parent / "shared" / "kaito-data"
SIZES = """
	supportedSKUs := []GPUConfig{
		{SKU: "Standard_NC24ads_A100_v4", GPUCount: 1, GPUMem: resource.MustParse("80Gi"), GPUModel: "NVIDIA A100"},
		{SKU: "Standard_New_B300_v9", GPUCount: 8, GPUMem: resource.MustParse("2304Gi"), GPUModel: "NVIDIA B300", X: 1},
		// {SKU: "Standard_NG8", GPUCount: 1, GPUMem: resource.MustParse("8Gi"), GPUModel: "AMD Radeon PRO V620"},
	}
"""
ESTIMATOR = """
	gpuMemoryUtilization = 0.9
	weightExpansionFactor = 1.03
	baseOverheadGiB = 2.5
	overheadWeightFactor = 0.06
	maxModelLen := 4096
"""
MODELS = """
models:
- name: Some/Model-7B
  license: llama9
  modelFileSize: 14.50Gi
  modelTokenLimit: 8192
  hiddenSize: 4096
  numHiddenLayers: 32
  numAttentionHeads: 32
  numKeyValueHeads: 8
- name: other/latent
  license: mit
  modelFileSize: 600.00Gi
  modelTokenLimit: 131072
  hiddenSize: 7168
  numHiddenLayers: 61
  numAttentionHeads: 128
  numKeyValueHeads: 128
  headDim: 192
  kvLoraRank: 512
  qkRopeHeadDim: 64
"""
SUPPORTED = """
models:
- {name: base, tag: 1.0.0}
- {name: model-7b, version: https://huggingface.co/some/model-7b/commit/abc}
- {name: withdrawn, version: https://huggingface.co/other/latent/commit/abc, deprecated: true}
- {name: unlisted, version: https://huggingface.co/third/unlisted/commit/abc}
"""


def generate(version: str, folder: Path, into: Path, day: str = "2027-01-31") -> subprocess.CompletedProcess[str]:
    script = str(ROOT / "tools" / "kaito_catalog.py")
    program = [sys.executable, script, version, str(folder), "--date", day, "--into", str(into)]
    return subprocess.run(program, capture_output=True, text=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with the files of a newer KAITO that the generator reads."""
    for name, text in (
        ("pkg/sku/azure_sku_handler.go", SIZES),
        ("pkg/workspace/estimator/nodesestimator/estimator.go", ESTIMATOR),
        ("presets/workspace/models/model_catalog.yaml", MODELS),
        ("presets/workspace/models/supported_models.yaml", SUPPORTED),
    ):
        path = tmp_path / "kaito" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "kaito"


def test_the_tables_are_those_that_kaito_published(tmp_path: Path) -> None:
    folder = needs_path(TABLES, "KAITO's tables in ../shared/kaito-data")
    into = tmp_path / "made.toml"
    for version, row in tomllib.loads(COMMITTED.read_text(encoding="utf-8"))["versions"].items():
        done = generate(version, folder, into, str(row["read_on"]))
        assert done.returncode == 0, done.stderr
    assert into.read_text(encoding="utf-8") == COMMITTED.read_text(encoding="utf-8")


def test_a_checkout_of_a_newer_version_is_added(checkout: Path, tmp_path: Path) -> None:
    into = tmp_path / "made.toml"
    into.write_text(COMMITTED.read_text(encoding="utf-8"), encoding="utf-8")
    before = tomllib.loads(into.read_text(encoding="utf-8"))
    done = generate("0.13.0", checkout, into)
    assert done.returncode == 0, done.stderr
    found = tomllib.loads(into.read_text(encoding="utf-8"))
    assert list(found["versions"]) == ["0.6.0", "0.12.0", "0.13.0"]
    assert found["versions"]["0.13.0"] == {"tag": "v0.13.0", "read_on": date(2027, 1, 31)}
    assert found["estimators"]["0.13.0"] == {
        "utilization": 0.9,
        "weight_factor": 1.03,
        "base_gib": 2.5,
        "runtime_share": 0.06,
        "context": 4096,
    }
    assert found["sizes"]["0.13.0"] == {
        "Standard_NC24ads_A100_v4": {"gpus": 1, "memory_gib": 80, "gpu_model": "NVIDIA A100"},
        "Standard_New_B300_v9": {"gpus": 8, "memory_gib": 2304, "gpu_model": "NVIDIA B300"},
    }
    assert found["presets"]["0.13.0"] == {"model-7b": {"model": "Some/Model-7B"}}
    models = found["models"]["0.13.0"]
    assert models["Some/Model-7B"] == {
        "weights_gib": 14.5,
        "layers": 32,
        "attention_heads": 32,
        "kv_heads": 8,
        "head_size": 128,
        "token_bytes": 131072,
        "token_limit": 8192,
        "token_required": True,
    }
    assert (models["other/latent"]["head_size"], models["other/latent"]["token_bytes"]) == (192, 70272)
    for group, versions in before.items():
        assert {version: found[group][version] for version in versions} == versions


def test_an_update_is_idempotent(checkout: Path, tmp_path: Path) -> None:
    into = tmp_path / "made.toml"
    generate("0.13.0", checkout, into)
    first = into.read_text(encoding="utf-8")
    generate("0.13.0", checkout, into)
    assert into.read_text(encoding="utf-8") == first


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("pkg/workspace/estimator/nodesestimator/estimator.go", "baseOverheadGiB", "other", "no base_gib"),
        ("presets/workspace/models/model_catalog.yaml", "14.50Gi", "14.5GB", "14.5GB is not a number of Gi"),
    ],
)
def test_a_changed_form_is_reported(checkout: Path, tmp_path: Path, name: str, old: str, new: str, words: str) -> None:
    path = checkout / name
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    done = generate("0.13.0", checkout, tmp_path / "made.toml")
    assert done.returncode == 1
    assert words in done.stderr
    assert not (tmp_path / "made.toml").exists()


def test_a_checkout_without_a_catalog_is_reported(checkout: Path, tmp_path: Path) -> None:
    (checkout / "presets" / "workspace" / "models" / "model_catalog.yaml").unlink()
    done = generate("0.6.0", checkout, tmp_path / "made.toml")
    assert done.returncode == 1
    assert "is missing: a checkout of KAITO 0.11 or newer has it" in done.stderr
