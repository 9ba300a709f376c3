"""`[models.NAME]`: several models of an environment, the short form `[model]`, and the rules between their keys."""

from pathlib import Path
from typing import Any

import pytest

from aks_kaito.charts import ours
from aks_kaito.settings import Environment, Settings, load
from support.environment_files import DEV, changed, problems, warnings, written
from support.project import TODAY

NEWER = '\n[kaito]\nversion = "0.12.0"\n'
A100 = "Standard_NC24ads_A100_v4"
SECOND = f'\n[models.second]\npreset = "phi-4"\ninstance_type = "{A100}"\n'
# Everything that a model can have on the managed add-on with KAITO 0.12.
FULL = f"""
[models.llama]
preset = "llama-3.1-8b-instruct"
instance_type = "{A100}"
replicas = 3
max_model_len = 8192
access_secret = "hugging-face"
performance_mode = "throughput"
node_image_family = "azurelinux"
display_name = "Llama"
description = "**Large**"
icon = "https://example.org/llama.svg"
[models.llama.vllm]
gpu-memory-utilization = 0.9
max-num-seqs = 64
enable-prefix-caching = true
kv-cache-dtype = "fp8"
[models.llama.adapters.tone]
image = "example.azurecr.io/tone:1"
[models.llama.adapters.terms]
volume_claim = "terms"
[[models.llama.starters]]
label = "Hello"
message = "Say hello."
"""


def values(tmp_path: Path, text: str) -> dict[str, Any]:
    """Return the values of the chat's chart for a file."""
    return ours.chat(load(written(tmp_path, text), TODAY))


def without_model(text: str = DEV) -> str:
    """Return a file without the table [model]."""
    before, _, after = text.partition("[model]\n")
    return before + after.partition("\n[")[1] + after.partition("\n[")[2]


def test_the_short_form_is_the_default_model(tmp_path: Path) -> None:
    short = values(tmp_path, DEV)
    assert "models" not in short
    long = values(tmp_path, DEV.replace("[model]", "[models.default]"))
    assert long == short
    assert list(load(written(tmp_path, DEV), TODAY).settings.all_models) == ["default"]


def test_a_second_model_changes_nothing_of_the_first(tmp_path: Path) -> None:
    first, both = values(tmp_path, DEV), values(tmp_path, DEV + SECOND)
    assert both.pop("models") == {"second": {"preset": "phi-4", "instanceType": A100, "nodeCount": 1}}
    assert both == first


def test_without_the_short_form_there_is_no_default_model(tmp_path: Path) -> None:
    text = without_model() + SECOND
    assert list(load(written(tmp_path, text), TODAY).settings.all_models) == ["second"]
    found = values(tmp_path, text)
    assert found["model"] == {"enabled": False}
    assert list(found["models"]) == ["second"]


def test_without_any_table_the_default_model_has_the_default_values(tmp_path: Path) -> None:
    found = values(tmp_path, without_model())
    assert found["model"]["preset"] == "phi-4-mini-instruct"
    assert found["model"]["enabled"] is True


def test_an_empty_short_form_keeps_the_default_model(tmp_path: Path) -> None:
    found = values(tmp_path, without_model() + "\n[model]\n" + SECOND)
    assert found["model"]["preset"] == "phi-4-mini-instruct"
    assert list(found["models"]) == ["second"]


def test_the_default_model_is_the_first_one(tmp_path: Path) -> None:
    tables = "".join(
        f'\n[models.{name}]\npreset = "{preset}"\ninstance_type = "{A100}"\n'
        for name, preset in (("zeta", "phi-4"), ("alpha", "phi-2"), ("default", "phi-3.5-mini-instruct"))
    )
    settings = load(written(tmp_path, without_model() + tables), TODAY).settings
    assert list(settings.all_models) == ["default", "alpha", "zeta"]


def test_all_keys_reach_the_chart(tmp_path: Path) -> None:
    found = values(tmp_path, DEV + FULL + NEWER)
    assert found["models"]["llama"] == {
        "preset": "llama-3.1-8b-instruct",
        "instanceType": A100,
        "nodeCount": 1,
        "vllm": {
            "gpu-memory-utilization": 0.9,
            "max-num-seqs": 64,
            "enable-prefix-caching": True,
            "kv-cache-dtype": "fp8",
            "max-model-len": 8192,
        },
        "adapters": [
            {"name": "tone", "image": "example.azurecr.io/tone:1"},
            {"name": "terms", "volume": {"persistentVolumeClaim": {"claimName": "terms"}}},
        ],
        "keyVaultSecret": "hugging-face",
        "annotations": {"kaito.sh/performance-mode": "throughput", "kaito.sh/node-image-family": "azurelinux"},
        "kind": "Workspace",
        "replicas": 3,
        "displayName": "Llama",
        "description": "**Large**",
        "icon": "https://example.org/llama.svg",
        "starters": [{"label": "Hello", "message": "Say hello."}],
    }
    assert found["chat"]["keyVault"] == {"name": load(written(tmp_path, DEV), TODAY).names.key_vault}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            {"instance_type": "", "node_labels": {"pool": "gpu"}, "mig_profile": "2g.20gb"},
            {"instanceType": "", "nodeLabels": {"pool": "gpu"}, "migProfile": "2g.20gb"},
        ),
        (
            {"instance_type": "", "node_labels": {"pool": "gpu"}, "spot_enabled": True},
            {"nodeLabels": {"pool": "gpu", "kubernetes.azure.com/scalesetpriority": "spot"}},
        ),
        (
            {"min_replicas": 2, "max_replicas": 5},
            {"autoscaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 5}},
        ),
        (
            {"auto_upgrade": {"strategy": "Surge", "schedule": "0 2 * * 6", "duration_hours": 2}},
            {
                "kind": "InferenceSet",
                "autoUpgrade": {"enabled": True, "strategy": "Surge", "schedule": "0 2 * * 6", "duration": "2h"},
            },
        ),
        ({"node_labels": {"a": "b"}, "preferred_nodes": ["one", "two"]}, {"preferredNodes": ["one", "two"]}),
        ({"runtime": "transformers"}, {"runtime": "transformers"}),
        (
            {"runtime": "transformers", "adapters": {"a": {"image": "x.io/a:1", "strength": 0.5}}},
            {"adapters": [{"name": "a", "image": "x.io/a:1", "strength": "0.5"}]},
        ),
    ],
)
def test_keys_of_the_open_source_kaito_reach_the_chart(
    keys: dict[str, Any], expected: dict[str, Any], environments: dict[str, Environment]
) -> None:
    data = environments["dev"].settings.model_dump(mode="json", exclude_none=True)
    data["models"] = {"other": {"preset": "phi-4", **keys}}
    found = ours.chat(Environment("dev", Settings.model_validate(data)))["models"]["other"]
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("lines", "key", "words"),
    [
        (['instance_type = ""', 'node_labels = {pool = "gpu"}'], "instance_type", "disableNodeAutoProvisioning"),
        (['mig_profile = "1g.10gb"'], "mig_profile", "enableMIG"),
        (["spot_enabled = true"], "spot_enabled", "has no Spot nodes"),
        (["max_replicas = 3"], "max_replicas", "does not offer InferenceSets"),
        (["auto_upgrade = {}"], "auto_upgrade", "enableBaseImageAutoUpgrade"),
    ],
)
@pytest.mark.parametrize("version", ["0.6.0", "0.12.0"])
def test_features_of_the_open_source_kaito_are_refused_on_the_add_on(
    lines: list[str], key: str, words: str, version: str, tmp_path: Path
) -> None:
    second = SECOND.replace(f'instance_type = "{A100}"\n', "") if key == "instance_type" else SECOND
    text = DEV + second + "\n".join(lines) + f'\n[kaito]\nversion = "{version}"\n'
    found = problems(written(tmp_path, text))[f"models.second.{key}"]
    assert words in found
    assert "needs the open-source KAITO" in found


@pytest.mark.parametrize(
    ("lines", "version", "key", "words"),
    [
        (['performance_mode = "throughput"'], "0.6.0", "performance_mode", "needs KAITO 0.10.0 or newer"),
        (['node_image_family = "ubuntu"'], "0.6.0", "node_image_family", "needs KAITO 0.9.0 or newer"),
        (['adapters.a.volume_claim = "a"'], "0.6.0", "adapters.a.volume_claim", "needs KAITO 0.10.0 or newer"),
        (['preferred_nodes = ["a"]', "node_labels = {a = 'b'}"], "0.12.0", "preferred_nodes", "KAITO 0.6.0 to 0.7.2"),
    ],
)
def test_features_of_other_versions_are_refused(
    lines: list[str], version: str, key: str, words: str, tmp_path: Path
) -> None:
    text = DEV + SECOND + "\n".join(lines) + f'\n[kaito]\nversion = "{version}"\n'
    assert words in problems(written(tmp_path, text))[f"models.second.{key}"]


@pytest.mark.parametrize(
    ("lines", "key", "words"),
    [
        (['preset = "phi-5"'], "preset", "is not a preset of KAITO 0.6.0"),
        (['preset = "llama-3.1-8b-instruct"'], "access_secret", "is gated"),
        (['preset = "phi-4"', 'access_secret = "a"'], "access_secret", "KAITO 0.6.0 takes no token for it"),
        (['preset = "phi-4"', 'access_secret = "a_b"'], "access_secret", "letters, digits and '-'"),
        (['preset = "phi-4"', "replicas = 0"], "replicas", "greater than or equal to 1"),
        (['preset = "phi-4"', "min_replicas = 2"], "max_replicas", "must be set beside min_replicas"),
        (['preset = "phi-4"', "replicas = 2", "node_labels = {a = 'b'}"], "node_labels", "several replicas"),
        (['preset = "phi-4"', "vllm = {max-model-len = 8}"], "vllm", "max_model_len is its key"),
        (['preset = "phi-4"', "vllm = {port = 8}"], "vllm", "Services and probes expect 5000"),
        (['preset = "phi-4"', "vllm = {a = [1]}"], "vllm", "not the list of a"),
        (['preset = "phi-4"', 'runtime = "tgi"'], "runtime", '"vllm" or "transformers"'),
        (['preset = "phi-4"', 'runtime = "transformers"', "vllm = {a = 1}"], "vllm", "which does not read it"),
        (
            ['preset = "phi-4"', 'runtime = "transformers"', "max_replicas = 2"],
            "max_replicas",
            "no metrics",
        ),
        (['preset = "phi-4"', "adapters.a = {}"], "adapters.a.image", "must be set, or volume_claim"),
        (['preset = "phi-4"', 'adapters.a = {image = "x/y", strength = 0.5}'], "adapters.a.strength", "vLLM has none"),
        (['preset = "phi-4"', 'icon = "http://a"'], "icon", "must be an https:// URL"),
        (['preset = "phi-4"', 'starters = [{label = "a"}]'], "starters.message", "must be set"),
        (['preset = "phi-4-mini-instruct"'], "display_name", "a name of its own"),
        (['preset = "phi-4"', 'template = "../a.yaml"'], "template", "without '..'"),
        (['preset = "phi-4"', "presett = 1"], "presett", "did you mean preset?"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key(lines: list[str], key: str, words: str, tmp_path: Path) -> None:
    text = f'{DEV}\n[models.second]\ninstance_type = "{A100}"\n' + "\n".join(lines) + "\n"
    assert words in problems(written(tmp_path, text))[f"models.second.{key}"]


def test_models_select_different_nodes(tmp_path: Path) -> None:
    text = changed("model", "node_labels = {pool = 'gpu'}") + SECOND + "node_labels = {pool = 'gpu'}\n"
    found = problems(written(tmp_path, text))["models.second.node_labels"]
    assert "must differ from model.node_labels" in found


@pytest.mark.parametrize("version", ["0.6.0", "0.12.0"])
def test_only_the_gated_one_of_model_and_standby_gets_the_token(version: str, tmp_path: Path) -> None:
    gated, free = "llama-3.1-8b-instruct", "phi-4"
    text = DEV + f'\n[models.second]\ninstance_type = "{A100}"\naccess_secret = "hf"\n'
    kaito = f'\n[kaito]\nversion = "{version}"\n'
    found = values(tmp_path, f'{text}preset = "{free}"\nstandby_preset = "{gated}"\n{kaito}')["models"]["second"]
    assert "keyVaultSecret" not in found
    assert found["standby"]["keyVaultSecret"] == "hf"
    found = values(tmp_path, f'{text}preset = "{gated}"\nstandby_preset = "{free}"\n{kaito}')["models"]["second"]
    assert (found["keyVaultSecret"], found["standby"]["keyVaultSecret"]) == ("hf", "")


def test_both_forms_of_the_default_model_are_refused(tmp_path: Path) -> None:
    text = DEV + '\n[models.default]\npreset = "phi-4"\n'
    assert "short form: keep one of the two tables" in problems(written(tmp_path, text))["models.default"]


def test_a_name_has_the_form_of_a_label(tmp_path: Path) -> None:
    text = DEV + '\n[models.Big_One]\npreset = "phi-4"\n'
    assert "at most 20 lower-case letters" in problems(written(tmp_path, text))["models.Big_One"]


def test_a_size_that_is_too_small_for_the_second_model_is_refused(tmp_path: Path) -> None:
    text = DEV + '\n[models.second]\npreset = "phi-4"\ninstance_type = "Standard_NV36ads_A10_v5"\n'
    assert "suitable: Standard_NC24ads_A100_v4" in problems(written(tmp_path, text))["models.second.instance_type"]


def test_a_hugging_face_id_needs_a_newer_version(tmp_path: Path) -> None:
    text = DEV + f'\n[models.second]\npreset = "Qwen/Qwen3.5-9B"\ninstance_type = "{A100}"\n'
    assert "is not a preset of KAITO 0.6.0" in problems(written(tmp_path, text))["models.second.preset"]
    assert warnings(written(tmp_path, text + NEWER)) == []


def test_host_names_of_models_follow_the_rules_of_the_first(tmp_path: Path) -> None:
    ingress = ['hostname = "chat.kaito.dev"', 'model_basic_auth_secret_name = "users"']
    zone = ['dns_zone_name = "kaito.dev"', 'dns_zone_resource_group_name = "dns"']
    text = changed("ingress", *ingress, *zone) + "\n[chat]\npublic_without_sign_in = true\n" + SECOND
    found = values(tmp_path, text + 'hostname = "phi.kaito.dev"\n')
    assert found["models"]["second"]["ingress"] == {
        "enabled": True,
        "host": "phi.kaito.dev",
        "basicAuthSecret": "users",
        "allowedCidrs": [],
    }
    for hostname, words in (("chat.kaito.dev", "must differ from ingress.hostname"), ("a.b.c.org", "must be in")):
        broken = text + f'hostname = "{hostname}"\n'
        assert words in problems(written(tmp_path, broken))["models.second.hostname"]
