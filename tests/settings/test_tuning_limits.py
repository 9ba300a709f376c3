"""Limits of tunings: presets per version, memory of one GPU, and results that would overwrite each other."""

from pathlib import Path

import pytest

from aks_kaito.settings import load
from support.environment_files import DEV, changed, problems, written
from support.project import TODAY

NEWER = '\n[kaito]\nversion = "0.12.0"\n'


def tuning(name: str, *lines: str, preset: str = "phi-4") -> str:
    """Return the table of a tuning."""
    return "\n".join([f"\n[tuning.{name}]", f'preset = "{preset}"', *lines, ""])


ONE = 'data_volume_claim = "data"'


def test_mistral_is_tuned_by_the_older_version_only(tmp_path: Path) -> None:
    text = DEV + tuning("tone", ONE, preset="mistral-7b")
    assert load(written(tmp_path, text), TODAY).settings.tuning["tone"].preset == "mistral-7b"
    assert "cannot be tuned by KAITO 0.12.0" in problems(written(tmp_path, text + NEWER))["tuning.tone.preset"]


@pytest.mark.parametrize(("method", "fits"), [("lora", False), ("qlora", True)])
def test_each_gpu_of_the_node_holds_all_weights(method: str, *, fits: bool, tmp_path: Path) -> None:
    # Two GPUs of 24 GiB, and 27.3 GiB of weights.
    size = 'instance_type = "Standard_NV72ads_A10_v5"'
    path = written(tmp_path, DEV + tuning("tone", ONE, size, f'method = "{method}"'))
    if fits:
        assert load(path, TODAY).settings.tuning["tone"].method == method
    else:
        assert "has 24 GiB of memory on each GPU" in problems(path)["tuning.tone.instance_type"]


def test_files_with_one_name_are_refused(tmp_path: Path) -> None:
    urls = 'data_urls = ["https://a.example.org/data.json", "https://b.example.org/data.json"]'
    found = problems(written(tmp_path, DEV + tuning("tone", urls)))
    assert "different file names, not data.json twice" in found["tuning.tone.data_urls"]


def test_two_results_in_one_volume_are_refused(tmp_path: Path) -> None:
    volume = 'output_volume_claim = "result"'
    found = problems(written(tmp_path, DEV + tuning("one", ONE, volume) + tuning("two", ONE, volume)))
    assert "must differ from tuning.one.output_volume_claim" in found["tuning.two.output_volume_claim"]


def test_a_standby_of_another_preset_cannot_have_the_adapter(tmp_path: Path) -> None:
    text = changed("model", 'standby_preset = "phi-4"') + tuning("tone", ONE, preset="phi-4-mini-instruct")
    found = problems(written(tmp_path, text + '\n[model.adapters.tone]\ntuning = "tone"\n'))
    assert "is an adapter of phi-4-mini-instruct, and the model is phi-4" in found["model.adapters.tone.tuning"]
