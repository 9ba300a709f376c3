"""`[tuning.NAME]`: values of the chart, adapters by name, and the rules between their keys."""

from pathlib import Path
from typing import Any

import pytest

from aks_kaito.charts import ours
from aks_kaito.charts.names import REGISTRY_PULL
from aks_kaito.models.tables import KAITO
from aks_kaito.models.tuning import NEEDED_GIB
from aks_kaito.review import summary
from aks_kaito.settings import Environment, load
from support.environment_files import DEV, changed, problems, warnings, written
from support.project import TODAY

URL = "https://example.org/data.json"
TONE = f'\n[tuning.tone]\npreset = "phi-4-mini-instruct"\ndata_urls = ["{URL}"]\n'
USED = '\n[model.adapters.tone]\ntuning = "tone"\n'
HELM = ('distribution = "helm"', 'version = "0.12.0"')
SECOND = '\n[models.second.adapters.tone]\ntuning = "tone"\n'
A100 = "Standard_NC24ads_A100_v4"


def environment(tmp_path: Path, text: str) -> Environment:
    return load(written(tmp_path, text), TODAY)


def values(tmp_path: Path, text: str) -> dict[str, Any]:
    return ours.chat(environment(tmp_path, text))


def test_a_tuning_pushes_an_image_to_the_environments_registry(tmp_path: Path) -> None:
    found = environment(tmp_path, DEV + TONE)
    server = f"{found.names.registry}.azurecr.io"
    chart = ours.chat(found)
    assert chart["tuning"] == {
        "tone": {
            "preset": "phi-4-mini-instruct",
            "method": "lora",
            "instanceType": A100,
            "input": {"urls": [URL]},
            "output": {"image": f"{server}/tuning/tone:1"},
        }
    }
    assert chart["registryLogin"] == {"server": server, "push": {"enabled": True}}


def test_without_a_tuning_nothing_changes(tmp_path: Path) -> None:
    off = values(tmp_path, DEV + TONE + "enabled = false\n")
    assert off == values(tmp_path, DEV)
    assert not {"tuning", "registryLogin"} & set(off)


@pytest.mark.parametrize(("more", "tag"), [("", "1"), ('tuning_tag = "0"\n', "0")])
def test_a_model_uses_the_result_by_name_also_of_a_tuning_that_has_ended(tmp_path: Path, more: str, tag: str) -> None:
    found = environment(tmp_path, DEV + TONE + "enabled = false\n" + USED + more)
    server = f"{found.names.registry}.azurecr.io"
    chart = ours.chat(found)
    image = {"name": "tone", "image": f"{server}/tuning/tone:{tag}", "imagePullSecrets": [REGISTRY_PULL]}
    assert chart["model"]["adapters"] == [image]
    assert chart["registryLogin"] == {"server": server, "pull": {"enabled": True}}


def test_only_the_environments_registry_gets_the_secret(tmp_path: Path) -> None:
    other = values(tmp_path, DEV + '\n[model.adapters.tone]\nimage = "example.azurecr.io/tone:1"\n')
    assert other["model"]["adapters"] == [{"name": "tone", "image": "example.azurecr.io/tone:1"}]
    assert "registryLogin" not in other
    registry = environment(tmp_path, DEV).names.registry
    own = values(tmp_path, DEV + f'\n[model.adapters.tone]\nimage = "{registry}.azurecr.io/tone:1"\n')
    assert own["model"]["adapters"][0]["imagePullSecrets"] == [REGISTRY_PULL]
    assert own["registryLogin"]["pull"] == {"enabled": True}


def test_volumes_and_a_secret_of_ones_own_need_no_login(tmp_path: Path) -> None:
    text = TONE.replace(f'data_urls = ["{URL}"]', 'data_volume_claim = "data"')
    claims = values(tmp_path, DEV + text + 'output_volume_claim = "results"\n')
    assert claims["tuning"]["tone"]["input"] == {"volume": {"persistentVolumeClaim": {"claimName": "data"}}}
    assert claims["tuning"]["tone"]["output"] == {"volume": {"persistentVolumeClaim": {"claimName": "results"}}}
    assert "registryLogin" not in claims
    secret = values(tmp_path, DEV + TONE + 'push_secret_name = "mine"\n')
    assert secret["tuning"]["tone"]["output"]["pushSecret"] == "mine"
    assert "registryLogin" not in secret


def test_given_parameters_are_completed_because_kaito_merges_none(tmp_path: Path) -> None:
    assert "config" not in values(tmp_path, DEV + TONE)["tuning"]["tone"]
    text = TONE + 'method = "qlora"\n[tuning.tone.config.LoraConfig]\nr = 16\n'
    config = values(tmp_path, DEV + text)["tuning"]["tone"]["config"]
    assert config["LoraConfig"] == {"r": 16, "lora_alpha": 8, "lora_dropout": 0.0}
    assert config["QuantizationConfig"]["load_in_4bit"] is True
    assert config["TrainingArguments"]["output_dir"] == "/mnt/results"


def test_nodes_of_tunings_count_for_the_quota(tmp_path: Path) -> None:
    found = environment(tmp_path, DEV + TONE).settings
    (gpu,) = summary.tunings(found)
    assert (gpu.name, gpu.preset, gpu.node_count, gpu.vcpus) == ("tone", "phi-4-mini-instruct", 1, 24)


def test_presets_that_can_be_tuned_are_presets_without_a_token() -> None:
    for version, presets in NEEDED_GIB.items():
        assert not [name for name in presets if KAITO[version].presets[name].token_required]


@pytest.mark.parametrize(
    ("lines", "key", "message"),
    [
        ('preset = "llama-3.1-8b-instruct"', "tuning.tone.preset", "cannot be tuned by KAITO 0.6.0"),
        ('instance_type = ""', "tuning.tone.instance_type", "needs a node that KAITO creates"),
        ('instance_type = "Standard_D8ads_v5"', "tuning.tone.instance_type", "has no GPU"),
        ('instance_type = "Standard_NC6s_v3"', "tuning.tone.instance_type", "was retired"),
        ('data_image = "example.azurecr.io/data:1"', "tuning.tone.data_image", "exactly one of data_urls"),
        ("data_urls = []", "tuning.tone.data_urls", "exactly one of data_urls"),
        (
            'output_volume_claim = "results"\noutput_tag = "2"',
            "tuning.tone.output_tag",
            "must not be set beside output_volume_claim",
        ),
        ('output_tag = "a/b"', "tuning.tone.output_tag", "must be a tag"),
        ('output_repository = "a"', "tuning.tone.output_repository", ""),
        (
            '[tuning.tone.config.TrainingArguments]\noutput_dir = "/mnt/mine"',
            "tuning.tone.config.TrainingArguments.output_dir",
            "must not be set",
        ),
        (
            "[tuning.tone.config.QuantizationConfig]\nload_in_4bit = true",
            "tuning.tone.config.QuantizationConfig",
            'neither of them true with method = "lora"',
        ),
        (
            "[tuning.tone.config.QuantizationConfig]\nload_in_8bit = 1",
            "tuning.tone.config.QuantizationConfig.load_in_8bit",
            "must be true or false",
        ),
    ],
)
def test_a_wrong_value_is_refused(tmp_path: Path, lines: str, key: str, message: str) -> None:
    name = lines.partition(" = ")[0]
    kept = [line for line in TONE.splitlines() if not line.startswith(f"{name} = ")]
    found = problems(written(tmp_path, DEV + "\n".join([*kept, lines, ""])))
    assert message in found[key], found


@pytest.mark.parametrize("value", ["nan", "-inf", "2026-11-28", "[2026-11-28]", "{ b = [12:00:00] }", f"{2**53}"])
def test_a_parameter_that_kaito_would_get_otherwise_is_refused(tmp_path: Path, value: str) -> None:
    text = f"{TONE}[tuning.tone.config.TrainingArguments]\na = {value}\n"
    found = problems(written(tmp_path, DEV + text))
    assert "true, false or lists of them; not TrainingArguments.a" in found["tuning.tone.config"], found


def test_parameters_keep_their_types(tmp_path: Path) -> None:
    given = 'a = true\nb = 9007199254740991\nc = 2e-5\nd = "x"\ne = ["q", 1]\n'
    text = f"{TONE}[tuning.tone.config.TrainingArguments]\n{given}"
    config = values(tmp_path, DEV + text)["tuning"]["tone"]["config"]["TrainingArguments"]
    assert {key: config[key] for key in "abcde"} == {"a": True, "b": 2**53 - 1, "c": 2e-5, "d": "x", "e": ["q", 1]}


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/data.json",
        "https://localhost/data.json",
        "https://10.0.0.4/data.json",
        "https://169.254.169.254/metadata",
        "https://[fd00::1]/data.json",
        "https://metadata.google.internal/data",
        "https://example.org:8443/data.json",
        "https://user:secret@example.org/data.json",
        "https://example.org/a b.json",
        "https://example.org/$(id)",
        "https://2130706433/data.json",
        "https://0x7f.1/data.json",
        "https://127.0x1/data.json",
        "file:///data.json",
    ],
)
def test_data_comes_from_public_https_addresses(tmp_path: Path, url: str) -> None:
    found = problems(written(tmp_path, DEV + TONE.replace(URL, url)))
    assert "must be an https:// URL" in "\n".join(found.values()), found


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        (USED.replace('"tone"', '"other"'), "model.adapters.tone.tuning", "must be the name of a table [tuning.NAME]"),
        (USED + 'image = "example.org/a:1"\n', "model.adapters.tone.image", "not several of them"),
        ("\n[model.adapters.tone]\n", "model.adapters.tone.image", "must be set"),
        (
            '\n[model.adapters.tone]\nimage = "a.io/b:1"\ntuning_tag = "1"\n',
            "model.adapters.tone.tuning_tag",
            "needs tuning",
        ),
        ('output_volume_claim = "results"\n' + USED, "model.adapters.tone.tuning", "has its result in a volume"),
        (
            f'\n[models.second]\npreset = "phi-4"\ninstance_type = "{A100}"{SECOND}',
            "models.second.adapters.tone.tuning",
            "is an adapter of phi-4-mini-instruct, and the model is phi-4",
        ),
        ('[tuning.tone.node_labels]\na = "b"\n[model.node_labels]\na = "b"\n', "tuning.tone.node_labels", "differ"),
    ],
)
def test_adapters_and_tunings_agree(tmp_path: Path, text: str, key: str, message: str) -> None:
    found = problems(written(tmp_path, DEV + TONE + text))
    assert message in found[key], found


def test_too_little_memory_is_refused_and_less_than_stated_is_a_warning(tmp_path: Path) -> None:
    small = f'{TONE}instance_type = "Standard_NV36ads_A10_v5"\n'
    assert "KAITO states 72" in "\n".join(warnings(written(tmp_path, DEV + small)))
    large = small.replace("phi-4-mini-instruct", "qwen2.5-coder-32b-instruct")
    found = problems(written(tmp_path, DEV + large))
    assert "the weights of qwen2.5-coder-32b-instruct alone take" in found["tuning.tone.instance_type"]


def test_the_mirror_needs_the_open_source_kaito(tmp_path: Path) -> None:
    text = changed("kaito", "model_mirror_enabled = true")
    assert 'needs kaito.distribution = "helm"' in problems(written(tmp_path, text))["kaito.model_mirror_enabled"]
    gates = environment(tmp_path, changed("kaito", *HELM, "model_mirror_enabled = true")).settings.kaito_feature_gates
    assert gates["ModelMirror"]
    assert gates["ModelStreaming"]


@pytest.mark.parametrize(
    ("table", "line", "key"),
    [
        ("kaito.feature_gates", "ModelStreaming = false", "kaito.feature_gates.ModelStreaming"),
        ("user_pool", 'node_taints = ["a=b:NoSchedule"]', "user_pool.node_taints"),
        ("user_pool", "spot_enabled = true", "user_pool.spot_enabled"),
    ],
)
def test_nothing_contradicts_the_mirror(tmp_path: Path, table: str, line: str, key: str) -> None:
    text = changed(table, line, text=changed("kaito", *HELM, "model_mirror_enabled = true"))
    assert "model_mirror_enabled" in problems(written(tmp_path, text))[key]


def test_streaming_without_the_storage_is_refused(tmp_path: Path) -> None:
    text = changed("kaito.feature_gates", "ModelMirror = true", "ModelStreaming = true", text=changed("kaito", *HELM))
    found = problems(written(tmp_path, text))
    assert "needs kaito.model_mirror_enabled = true" in found["kaito.feature_gates.ModelStreaming"]
