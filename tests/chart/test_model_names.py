"""Names of models of released charts: another name deletes a running model, so that it starts again."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.rendering import names, one, render

MODELS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "releases" / "0.1.0-models.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("released", MODELS, ids=[each["case"] for each in MODELS])
def test_a_model_of_a_released_chart_keeps_its_name_and_its_nodes(released: dict[str, Any]) -> None:
    objects = render(released["values"], release=released["release"], namespace=released["namespace"])
    found = {name for kind, name in names(objects) if kind in {"Workspace", "InferenceSet"}}
    assert found == {released["name"]}
    model = one(objects, released["kind"])
    selector = (model["spec"] if released["kind"] == "InferenceSet" else model["resource"])["labelSelector"]
    assert selector == {"matchLabels": released["node_labels"]}
