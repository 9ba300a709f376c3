"""KAITO's decisions about a model on a GPU size: fit, number of nodes, and the obstacles, for both versions."""

import math
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aks_kaito.catalog import CATALOG
from aks_kaito.models import Plan, plan, sizes
from aks_kaito.models.tables import KAITO
from support.needs import needs_path
from support.project import ROOT

OLD, NEW = "0.6.0", "0.12.0"
A10, TWO_A10 = "Standard_NV36ads_A10_v5", "Standard_NV72ads_A10_v5"
A100, TWO_A100, FOUR_A100 = "Standard_NC24ads_A100_v4", "Standard_NC48ads_A100_v4", "Standard_NC96ads_A100_v4"
EIGHT_SMALL_A100, EIGHT_A100 = "Standard_ND96asr_v4", "Standard_ND96amsr_A100_v4"
TWO_H100, EIGHT_H100, EIGHT_H200 = "Standard_NC80adis_H100_v5", "Standard_ND96isr_H100_v5", "Standard_ND96isr_H200_v5"
FOUR_T4 = "Standard_NC64as_T4_v3"
TOKENS = {
    "microsoft/Phi-4-mini-instruct": 131072,
    "microsoft/phi-4": 204800,
    "mistralai/Ministral-3-8B-Instruct-2512": 139264,
    "mistralai/Mistral-Large-3-675B-Instruct-2512": 70272,
    "Qwen/Qwen3-8B-AWQ": 147456,
}


@dataclass(frozen=True)
class Wanted:
    """The settings of one model."""

    preset: str
    instance_type: str
    node_count: int = 1
    max_model_len: int | None = None


def planned(version: str, preset: str, size: str, nodes: int = 1, length: int | None = None) -> Plan:
    return plan(Wanted(preset, size, nodes, length), version)


def obstacles(found: Plan) -> dict[str, str]:
    """Return the texts by setting."""
    keys = {obstacle.key for obstacle in found.obstacles}
    return {key: "; ".join(each.text for each in found.obstacles if each.key == key) for key in keys}


@pytest.mark.parametrize(
    ("preset", "size", "nodes", "needed", "usable"),
    [
        # Weights × 1.02, and the room of all GPUs: (0.84 × memory - 2.3 - cache) / 1.05 each.
        ("gpt-oss-120b", A100, 3, 123.97, 185.03),
        ("gpt-oss-120b", TWO_A100, 2, 123.97, 246.98),
        ("gpt-oss-20b", A10, 2, 26.14, 33.84),
        ("gpt-oss-20b", A100, 1, 26.14, 61.72),
        ("qwen2.5-coder-32b-instruct", A100, 2, 62.25, 122.67),
        ("llama-3.3-70b-instruct", TWO_H100, 1, 134.05, 145.42),
        ("phi-4-mini-instruct", A10, 1, 7.29, 16.77),
        ("deepseek-r1-0528", EIGHT_H100, 2, 654.13, 988.70),
        ("Qwen/Qwen3.5-9B", A10, 2, 18.34, 33.54),
        ("qwen/qwen3.5-9b", A10, 2, 18.34, 33.54),
    ],
)
def test_newer_kaito_counts_the_nodes(preset: str, size: str, nodes: int, needed: float, usable: float) -> None:
    found = planned(NEW, preset, size, nodes=7)
    assert found.nodes == nodes
    assert found.needed_gib == pytest.approx(needed, abs=0.01)
    assert found.usable_gib == pytest.approx(usable, abs=0.01)
    assert not found.obstacles


@pytest.mark.parametrize(
    ("preset", "size", "nodes", "length"),
    [
        ("phi-4-mini-instruct", A100, 1, 131072),
        ("phi-4-mini-instruct", A10, 5, 131072),
        ("llama-3.3-70b-instruct", TWO_H100, 2, 131072),
    ],
)
def test_a_configured_context_takes_room_from_the_weights(preset: str, size: str, nodes: int, length: int) -> None:
    assert planned(NEW, preset, size, length=length).nodes == nodes


def test_a_context_that_leaves_no_room_is_an_obstacle() -> None:
    found = planned(NEW, "phi-3-mini-128k-instruct", A10, length=131072)
    assert found.nodes is None
    assert "has 24 GiB per GPU: 84% of them do not exceed the 50.3 GiB" in obstacles(found)["instance_type"]


@pytest.mark.parametrize(
    ("preset", "size", "nodes", "words"),
    [
        ("falcon-40b", A100, 1, "needs 90 GiB of GPU memory, 2 GPUs"),
        ("falcon-40b", A100, 2, "needs 90 GiB of GPU memory, 2 GPUs"),
        ("falcon-7b", TWO_A10, 1, ""),
        ("falcon-7b", FOUR_T4, 1, ""),
        (
            "llama-3.3-70b-instruct",
            EIGHT_SMALL_A100,
            1,
            "8 GPU(s) of 40 GiB, but llama-3.3-70b-instruct needs 320",
        ),
        ("llama-3.3-70b-instruct", EIGHT_SMALL_A100, 1, "80 GiB per GPU, 4 GPUs"),
        ("llama-3.3-70b-instruct", TWO_H100, 1, "needs 320 GiB"),
        ("llama-3.3-70b-instruct", FOUR_A100, 1, ""),
        ("llama-3.3-70b-instruct", TWO_H100, 2, ""),
        ("phi-4", TWO_A100, 1, ""),
        ("phi-4", FOUR_A100, 1, "4 GPUs, which cannot share the 40 attention heads and 10 KV heads of phi-4"),
        ("phi-4", EIGHT_A100, 1, "8 GPUs, which cannot share"),
        ("phi-3-medium-4k-instruct", FOUR_A100, 1, "4 GPUs, which cannot share"),
        ("qwen2.5-coder-7b-instruct", FOUR_A100, 1, ""),
        (
            "qwen2.5-coder-7b-instruct",
            EIGHT_A100,
            1,
            "8 GPUs, which cannot share the 28 attention heads and 4 KV",
        ),
        ("qwen2.5-coder-32b-instruct", A100, 1, ""),
        ("qwen2.5-coder-32b-instruct", TWO_A10, 1, "needs 70 GiB"),
        ("deepseek-r1-0528", EIGHT_H200, 1, ""),
        ("deepseek-r1-0528", EIGHT_H100, 1, "needs 960 GiB"),
        ("deepseek-r1-0528", EIGHT_H100, 2, ""),
        ("phi-4-mini-instruct", A10, 1, ""),
    ],
)
def test_older_kaito_checks_fixed_requirements(preset: str, size: str, nodes: int, words: str) -> None:
    found = planned(OLD, preset, size, nodes, length=2048)
    assert found.nodes == nodes
    text = obstacles(found).get("instance_type", "")
    assert words in text
    assert bool(text) == bool(words)


@pytest.mark.parametrize(
    ("preset", "size", "nodes", "key"),
    [
        ("phi-4", A100, 2, "node_count"),
        ("falcon-40b", TWO_A100, 2, "node_count"),
        ("mistral-7b", A100, 2, "node_count"),
        ("llama-3.1-8b-instruct", A100, 2, "max_model_len"),
        ("llama-3.3-70b-instruct", TWO_A100, 2, "max_model_len"),
        ("phi-4-mini-instruct", FOUR_T4, 1, "max_model_len"),
    ],
)
def test_older_kaito_shares_between_nodes_only_what_it_can(preset: str, size: str, nodes: int, key: str) -> None:
    found = obstacles(planned(OLD, preset, size, nodes))
    assert key in found
    assert "instance_type" not in found
    assert set(obstacles(planned(OLD, preset, size, nodes, length=2048))) == set(found) - {"max_model_len"}


def test_two_gpus_of_24_gib_need_no_configured_context() -> None:
    assert not planned(OLD, "phi-4-mini-instruct", TWO_A10).obstacles


def test_a_context_beyond_the_models_own_is_an_obstacle() -> None:
    for version in (OLD, NEW):
        assert "max_model_len" not in obstacles(planned(version, "phi-4", A100, length=16384))
        text = obstacles(planned(version, "phi-4", A100, length=16385))["max_model_len"]
        assert text == "must be at most 16384, the longest context of phi-4"


def test_newer_kaito_copies_small_models_to_each_gpu() -> None:
    assert not planned(NEW, "phi-4", FOUR_A100).obstacles
    assert not planned(NEW, "phi-4", EIGHT_A100).obstacles
    # 27.31 GiB are more than half of 40: the eight GPUs would have to share the model.
    assert "8 GPUs, which cannot share" in obstacles(planned(NEW, "phi-4", EIGHT_SMALL_A100))["instance_type"]


def test_what_is_in_no_table_is_not_planned() -> None:
    assert planned(OLD, "phi-4", "Standard_NC999") == Plan(1)
    assert planned(NEW, "tiiuae/falcon-7b-instruct", A100) == Plan(None)
    assert planned(NEW, "phi-4", "Standard_NC999") == Plan(None)


def test_a_known_model_on_an_unknown_size_has_the_obstacles_of_any_size() -> None:
    found = planned(OLD, "phi-4", "Standard_NC999", nodes=2, length=16385)
    assert set(obstacles(found)) == {"node_count", "max_model_len"}
    assert set(obstacles(planned(OLD, "llama-3.1-8b-instruct", "Standard_NC999", nodes=2))) == {"max_model_len"}


def test_distributed_models_of_older_kaito_are_llama_and_deepseek() -> None:
    needs = {name: each.requirements for name, each in KAITO[OLD].presets.items()}
    distributed = {name for name, each in needs.items() if each is not None and each.distributed}
    llama = {"llama-3.1-8b-instruct", "llama-3.3-70b-instruct"}
    assert distributed == {*llama, "deepseek-r1-0528", "deepseek-v3-0324"}


def test_the_tables_have_every_model_and_size() -> None:
    assert {version: (len(each.presets), len(each.models), len(each.sizes)) for version, each in KAITO.items()} == {
        OLD: (22, 22, 29),
        NEW: (25, 60, 14),
    }
    assert {A10, TWO_A10} <= set(KAITO[OLD].sizes)
    for version, each in KAITO.items():
        assert each.tag == f"v{version}"
    weights = {name: KAITO[NEW].presets[name].model.weights_gib for name in ("gpt-oss-120b", "gpt-oss-20b")}
    assert weights == {"gpt-oss-120b": 121.54, "gpt-oss-20b": 25.63}
    assert KAITO[NEW].presets["qwen2.5-coder-32b-instruct"].model.weights_gib == 61.03


def test_the_bytes_of_a_token_are_those_of_kaitos_own_tests() -> None:
    """See: https://github.com/kaito-project/kaito/blob/v0.12.0/presets/workspace/generator/generator_test.go."""
    assert {name: KAITO[NEW].models[name].token_bytes for name in TOKENS} == TOKENS
    assert KAITO[OLD].models["tiiuae/falcon-7b-instruct"].token_bytes == 8192


def test_both_parts_of_the_catalog_agree() -> None:
    assert set(KAITO) == set(CATALOG.kaito_versions)
    for name, size in CATALOG.gpu_sizes.items():
        assert sizes.hardware(name) is not None, name
        assert sizes.unsupported(name) is None, name
        assert size.kaito_name == "" or size.kaito_name in KAITO[NEW].sizes
    known = {*CATALOG.gpu_sizes, *CATALOG.retired_gpu_sizes}
    for version, tables in KAITO.items():
        assert (tables.estimator is not None) == CATALOG.kaito_versions[version].presets_need_known_size
        for name, gpus in tables.sizes.items():
            assert name in known or sizes.unsupported(name), name
            assert ("AMD" in gpus.gpu_model) == ((name not in CATALOG.gpu_sizes and "NV32as" in name) or "_NG" in name)


def test_a_size_of_both_versions_has_the_same_gpus() -> None:
    for name, size in KAITO[NEW].sizes.items():
        assert KAITO[OLD].sizes.get(name) == size


@settings(deadline=None)
@given(
    st.sampled_from(sorted(KAITO[NEW].models)),
    st.sampled_from(sorted(KAITO[NEW].sizes)),
    st.integers(1, 1_048_576),
    st.integers(1, 1_048_576),
)
def test_a_longer_context_never_takes_fewer_nodes(preset: str, size: str, one: int, other: int) -> None:
    short, long = (planned(NEW, preset, size, length=length) for length in sorted((one, other)))
    if short.nodes is None:
        assert long.nodes is None
    elif long.nodes is not None:
        assert short.nodes <= long.nodes
    for found in (short, long):
        assert (found.nodes is None) == (found.usable_gib is None)
        assert found.nodes is None or found.needed_gib is not None
        if found.nodes is not None and found.needed_gib is not None and found.usable_gib is not None:
            assert found.needed_gib < found.usable_gib


# --- every model on every size, recalculated from KAITO's published tables -------------------------------------------

TABLES = ROOT.parent / "shared" / "kaito-data"


def rows(name: str) -> list[list[str]]:
    lines = needs_path(TABLES, "KAITO's tables in ../shared/kaito-data").joinpath(name).read_text(encoding="utf-8")
    return [line.split("\t") for line in lines.splitlines() if not line.startswith("#")]


def published() -> list[dict[str, Any]]:
    path = needs_path(TABLES, "KAITO's tables in ../shared/kaito-data") / "model-catalog-0.12.0.yaml"
    models: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    return models


def estimated(model: dict[str, Any], gpus: int, memory: int, context: int) -> int | None:
    """Return the nodes according to the formula in words, with the sizes that KAITO's generator reads from the row."""
    head = model.get("headDim", model["hiddenSize"] // model["numAttentionHeads"])
    elements = 2 * model["numKeyValueHeads"] * head
    if "kvLoraRank" in model:
        elements = model["kvLoraRank"] + model["qkRopeHeadDim"]
    reserve = 2.3 + context * 2 * elements * model["numHiddenLayers"] / gpus / 2**30
    usable = 0.84 * memory / gpus
    if usable <= reserve:
        return None
    needed = math.floor(1.02 * float(model["modelFileSize"].removesuffix("Gi")) / ((usable - reserve) / 1.05)) + 1
    return -(-int(needed) // gpus)


@pytest.mark.parametrize("length", [None, 8192, 65536])
def test_every_model_on_every_size_as_newer_kaito_counts(length: int | None) -> None:
    seen = 0
    for model in published():
        for size, gpus, memory, *_ in rows("gpu-sizes-0.12.0.tsv"):
            found = planned(NEW, model["name"], size, length=length)
            assert found.nodes == estimated(model, int(gpus), int(memory), length or 2048), (model["name"], size)
            seen += 1
    assert seen == 60 * 14


def test_every_preset_on_every_size_as_older_kaito_checks() -> None:
    for preset, _disk, gpus, total, each, distributed, _tuning, undivided, _limit in rows("presets-0.6.0.tsv"):
        for size, count, memory, *_ in rows("gpu-sizes-0.6.0.tsv"):
            for nodes in (1, 2, 4):
                found = planned(OLD, preset, size, nodes, length=2048)
                assert found.nodes == nodes
                sharing = nodes if distributed == "true" else 1
                usable = int(memory) * sharing if undivided != "yes" else int(memory) / int(count)
                enough = (
                    int(count) * sharing >= int(gpus)
                    and int(memory) // int(count) >= float(each.removesuffix("Gi"))
                    and usable >= float(total.removesuffix("Gi"))
                )
                refused = " ".join(obstacles(found).values())
                assert ("needs" not in refused) == enough, (preset, size, nodes)
                assert ("must be 1" in refused) == (nodes > 1 and distributed == "false")
