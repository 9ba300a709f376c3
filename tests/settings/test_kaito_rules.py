"""Rules on models and their GPUs, per version of KAITO, and their warnings."""

from pathlib import Path

import pytest

from aks_kaito.charts import ours
from aks_kaito.models.tables import KAITO
from aks_kaito.settings import load
from support.environment_files import DEV, changed, problems, written
from support.project import TODAY


def test_falcon_is_unknown_to_newer_kaito(tmp_path: Path) -> None:
    text = changed("model", 'preset = "falcon-7b-instruct"') + '\n[kaito]\nversion = "0.12.0"\n'
    assert "is not a preset of KAITO 0.12.0" in problems(written(tmp_path, text))["model.preset"]


LLAMA = ('preset = "llama-3.1-8b-instruct"', 'access_secret = "hugging-face"')
NEWER = '\n[kaito]\nversion = "0.12.0"\n'


@pytest.mark.parametrize(
    ("lines", "key", "words"),
    [
        (['instance_type = "Standard_NC999"'], "model.instance_type", "is not a GPU size"),
        (['instance_type = "Standard_NC4as_T4_v3"'], "model.instance_type", "is not in the table of KAITO 0.12.0"),
        (['instance_type = "Standard_ND96asr_v4"'], "model.instance_type", "is not in the table of KAITO 0.12.0"),
        (['preset = "phi-2"'], "model.preset", "is not a preset of KAITO 0.12.0"),
        (['preset = "qwen3.5-9b"'], "model.preset", "any Hugging Face id (organization/model)"),
        (
            ['preset = "phi-3-mini-128k-instruct"', "max_model_len = 131072"],
            "model.instance_type",
            "has 24 GiB per GPU",
        ),
    ],
)
def test_newer_kaito_refuses_other_models_and_sizes(lines: list[str], key: str, words: str, tmp_path: Path) -> None:
    found = problems(written(tmp_path, changed("model", *lines) + NEWER))
    assert words in found[key]


@pytest.mark.parametrize(
    ("lines", "newer", "key", "words"),
    [
        (['instance_type = "Standard_NC128ds_xl_RTXPRO6000BSE_v6"'], False, "instance_type", "nothing checks memory"),
        (['instance_type = "Standard_NC24ads_A100_v5"'], False, "instance_type", "mean Standard_NC24ads_A100_v4?"),
        (
            [*LLAMA, "node_count = 2", "max_model_len = 8192"],
            False,
            "node_count",
            "which is 1",
        ),
        (
            ['preset = "gpt-oss-120b"', 'instance_type = "Standard_NC24ads_A100_v4"'],
            True,
            "node_count",
            "creates 3 for",
        ),
        (["node_count = 2"], True, "node_count", "creates 1 for phi-4-mini-instruct on Standard_NV36ads_A10_v5"),
        (['preset = "tiiuae/falcon-7b-instruct"'], True, "preset", "its nodes are unknown here"),
    ],
)
def test_what_kaito_decides_warns(lines: list[str], newer: bool, key: str, words: str, tmp_path: Path) -> None:  # noqa: FBT001
    text = changed("model", *lines) + (NEWER if newer else "")
    warnings = load(written(tmp_path, text), TODAY).warnings
    assert any(f"model.{key} = " in warning and words in warning for warning in warnings), warnings
    off = text.replace("[kaito]", "[kaito]\nenabled = false") if newer else f"{text}\n[kaito]\nenabled = false\n"
    assert load(written(tmp_path, off), TODAY).warnings == ()


@pytest.mark.parametrize(
    ("lines", "newer"),
    [
        (['instance_type = "Standard_ND96asr_v4"'], False),
        (['instance_type = "Standard_NC4as_T4_v3"'], False),
        (['preset = "falcon-40b"', 'instance_type = "Standard_NC48ads_A100_v4"'], False),
        (['preset = "phi-4-mini-instruct"', 'instance_type = "Standard_NC64as_T4_v3"', "max_model_len = 4096"], False),
        (['preset = "Qwen/Qwen3.5-4B"'], True),
        (['preset = "microsoft/phi-4-MINI-instruct"'], True),
        (["max_model_len = 16384"], True),
    ],
)
def test_right_models_and_sizes_are_accepted(lines: list[str], newer: bool, tmp_path: Path) -> None:  # noqa: FBT001
    path = written(tmp_path, changed("model", *lines) + (NEWER if newer else ""))
    assert load(path, TODAY).warnings == ()


def test_every_model_of_newer_kaito_is_accepted_by_its_id_and_its_short_name(tmp_path: Path) -> None:
    tables = KAITO["0.12.0"]
    names = [*tables.models, *tables.presets]
    assert len(names) == 60 + 25
    for name in names:
        token = ['access_secret = "hugging-face"'] if getattr(tables.find(name), "token_required", False) else []
        lines = (f'preset = "{name}"', *token, 'instance_type = "Standard_ND96isr_H200_v5"')
        assert load(written(tmp_path, changed("model", *lines) + NEWER), TODAY).settings.model.preset == name


def test_the_spelling_of_a_size_does_not_matter(tmp_path: Path) -> None:
    text = changed("model", 'instance_type = "standard_nc24ADS_a100_V4"')
    assert load(written(tmp_path, text), TODAY).settings.model.instance_type == "Standard_NC24ads_A100_v4"


def test_the_length_of_the_context_reaches_the_model_server(tmp_path: Path) -> None:
    values = ours.chat(load(written(tmp_path, changed("model", "max_model_len = 16384")), TODAY))
    assert values["model"]["vllm"] == {"max-model-len": 16384}
    assert "vllm" not in ours.chat(load(written(tmp_path, DEV), TODAY))["model"]


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_parameters_of_vllm_are_finite(tmp_path: Path, value: str) -> None:
    found = problems(written(tmp_path, DEV + f"\n[model.vllm]\ngpu-memory-utilization = {value}\n"))
    assert f"must have finite numbers; not the {value} of gpu-memory-utilization" in found["model.vllm"]
