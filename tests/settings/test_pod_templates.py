"""Pod templates that an environment file names instead of a preset."""

from pathlib import Path
from typing import Any

import pytest

from aks_kaito.charts import ours
from aks_kaito.settings import load
from support.environment_files import DEV, problems, written
from support.project import TODAY

A100 = "Standard_NC24ads_A100_v4"


def values(tmp_path: Path, text: str) -> dict[str, Any]:
    """Return the values of the chat's chart for a file."""
    return ours.chat(load(written(tmp_path, text), TODAY))


TEMPLATE = "spec:\n  containers:\n    - name: server\n      image: example.azurecr.io/server:1\n"
CUSTOM = '\n[models.custom]\ntemplate = "custom.yaml"\ninstance_type = "{}"\n'


def test_a_template_on_a_cpu_size(tmp_path: Path) -> None:
    (tmp_path / "custom.yaml").write_text(TEMPLATE, encoding="utf-8")
    found = values(tmp_path, DEV + CUSTOM.format("standard_d8ads_v5"))["models"]["custom"]
    container = {"name": "server", "image": "example.azurecr.io/server:1"}
    assert found == {
        "template": {"spec": {"containers": [container]}},
        "instanceType": "Standard_D8ads_v5",
        "nodeCount": 1,
    }
    preset = DEV + '\n[models.custom]\npreset = "phi-4"\ninstance_type = "Standard_D8ads_v5"\n'
    assert "a template runs on it" in problems(written(tmp_path, preset))["models.custom.instance_type"]
    other = DEV + CUSTOM.format("Standard_E8ads_v5")
    assert "N or D series" in problems(written(tmp_path, other))["models.custom.instance_type"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "No such file"),
        ("a: [", "must be YAML"),
        ("a: 1", "must be a pod template with spec.containers"),
        ("[]", "must be a pod template with spec.containers"),
        (TEMPLATE.replace("server:1", "${x}"), "which Terraform would interpret"),
    ],
)
def test_a_wrong_template_is_refused(text: str | None, words: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "custom.yaml").write_text(text, encoding="utf-8")
    assert words in problems(written(tmp_path, DEV + CUSTOM.format(A100)))["models.custom.template"]


def test_a_template_may_have_a_standby_on_another_size(tmp_path: Path) -> None:
    (tmp_path / "custom.yaml").write_text(TEMPLATE, encoding="utf-8")
    text = DEV + CUSTOM.format("Standard_D8ads_v5") + 'standby_instance_type = "Standard_D16ads_v5"\n'
    found = values(tmp_path, text)["models"]["custom"]["standby"]
    assert found == {"instanceType": "Standard_D16ads_v5", "nodeCount": 1}


def test_keys_of_a_preset_have_no_effect_on_a_template(tmp_path: Path) -> None:
    (tmp_path / "custom.yaml").write_text(TEMPLATE, encoding="utf-8")
    text = DEV + CUSTOM.format(A100) + "max_model_len = 8192\n"
    assert "must not be set beside template" in problems(written(tmp_path, text))["models.custom.max_model_len"]
