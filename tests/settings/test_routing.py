"""`kaito.routing`: the values of the chat's chart for the open-source KAITO, and its requirements."""

from pathlib import Path
from typing import Any

import pytest

from aks_kaito.charts import ours
from aks_kaito.settings import load
from support.environment_files import DEV, edited, problems, written
from support.project import TODAY

OPEN_SOURCE = ['distribution = "helm"', 'version = "0.12.0"']
GATEWAY = [*OPEN_SOURCE, 'routing = "gateway"']
API = {"cluster": ["gateway_api_enabled = true"]}


def values(tmp_path: Path, **edits: list[str]) -> dict[str, Any]:
    """Return the values of the chat's chart for the dev file with changes."""
    return ours.chat(load(written(tmp_path, edited(edits)), TODAY))


def test_the_add_on_has_workspaces_and_no_gateway(tmp_path: Path) -> None:
    for edits in ({}, API):
        found = values(tmp_path, **edits)
        assert not {"kaito", "routing"} & set(found)
    found = values(tmp_path, model=["replicas = 3"])
    assert (found["model"]["kind"], found["model"]["replicas"]) == ("Workspace", 3)


def test_the_open_source_kaito_has_sets_for_any_number_of_replicas(tmp_path: Path) -> None:
    for replicas in (1, 3):
        found = values(tmp_path, kaito=OPEN_SOURCE, model=[f"replicas = {replicas}"])
        assert found["kaito"] == {"inferenceSets": "always"}
        assert "routing" not in found
        assert "kind" not in found["model"]
        assert found["model"].get("replicas", 1) == replicas
    off = values(tmp_path, kaito=["enabled = false", 'distribution = "helm"', 'version = "0.12.0"'])
    assert "kaito" not in off


def test_the_gateway_and_its_pods_tolerate_the_pools_taints(tmp_path: Path) -> None:
    assert values(tmp_path, kaito=GATEWAY, **API)["routing"] == {"mode": "gateway"}
    tainted = values(tmp_path, kaito=GATEWAY, user_pool=['node_taints = ["workload=chat:NoSchedule"]'], **API)
    assert tainted["routing"] == {"mode": "gateway", "tolerations": tainted["chat"]["tolerations"]}
    assert tainted["routing"]["tolerations"][0]["key"] == "workload"


def test_the_gateway_of_the_chat_suffices(tmp_path: Path) -> None:
    assert values(tmp_path, kaito=GATEWAY, ingress=['mode = "gateway"'])["routing"] == {"mode": "gateway"}


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({"kaito": ['routing = "gateway"'], **API}, 'needs kaito.distribution = "helm"'),
        ({"kaito": GATEWAY}, 'needs cluster.gateway_api_enabled = true, or ingress.mode = "gateway"'),
        ({"kaito": ["enabled = false", *GATEWAY], **API}, 'must be "service" while kaito.enabled = false'),
        ({"kaito": GATEWAY, "model": ['runtime = "transformers"'], **API}, "needs a model with a preset and runtime"),
        ({"kaito": [*OPEN_SOURCE, 'routing = "mesh"'], **API}, 'must be "service" or "gateway"'),
    ],
)
def test_a_gateway_that_is_impossible_is_refused(edits: dict[str, list[str]], words: str, tmp_path: Path) -> None:
    found = problems(written(tmp_path, edited(edits)))
    assert words in found["kaito.routing"]


def test_kaitos_own_pools_are_refused_beside_ours(tmp_path: Path) -> None:
    text = edited({"kaito": GATEWAY, **API}) + "\n[kaito.feature_gates]\ngatewayAPIInferenceExtension = {}\n"
    found = problems(written(tmp_path, text.replace("{}", "true")))
    assert set(found) == {"kaito.feature_gates.gatewayAPIInferenceExtension"}
    assert 'must be false, or left out, with kaito.routing = "gateway"' in str(found)
    assert load(written(tmp_path, text.replace("{}", "false")), TODAY).settings.kaito.routing == "gateway"


def test_a_template_alone_has_nothing_to_route(tmp_path: Path) -> None:
    (tmp_path / "server.yaml").write_text("spec: {containers: [{name: server, image: a}]}\n", encoding="utf-8")
    text = edited({"kaito": GATEWAY, "model": ['template = "server.yaml"'], **API})
    assert 'needs a model with a preset and runtime = "vllm"' in problems(written(tmp_path, text))["kaito.routing"]
    second = text + '\n[models.second]\npreset = "phi-4"\ninstance_type = "Standard_NC24ads_A100_v4"\n'
    assert load(written(tmp_path, second), TODAY).settings.kaito.routing == "gateway"


def test_a_broken_key_is_reported_alone(tmp_path: Path) -> None:
    found = problems(written(tmp_path, edited({"kaito": GATEWAY, "cluster": ['gateway_api_enabled = "yes"']}, DEV)))
    assert set(found) == {"cluster.gateway_api_enabled"}
