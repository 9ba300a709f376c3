"""Protection against destruction, and the switch that lifts it."""

import json
from pathlib import Path
from typing import Any

import pytest
from cdktn import App, TerraformStack
from cdktn_provider_azurerm.resource_group import ResourceGroup

from aks_kaito import protection
from aks_kaito.settings import Environment
from aks_kaito.stacks import synthesis


def lifecycle(folder: Path, app: App, *, ignored: list[str] | None = None) -> dict[str, Any]:
    """Return the lifecycle of a protected resource in the synthesized Terraform."""
    stack = TerraformStack(app, "stack")
    ResourceGroup(stack, "x", name="x", location="x", lifecycle=protection.lifecycle(stack, ignored))
    app.synth()
    document = json.loads((folder / "stacks" / "stack" / "cdk.tf.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = document["resource"]["azurerm_resource_group"]["x"]["lifecycle"]
    return found


def test_a_resource_is_protected_unless_the_context_says_otherwise(tmp_path: Path) -> None:
    assert lifecycle(tmp_path, App(outdir=str(tmp_path), skip_validation=True)) == {"prevent_destroy": True}


@pytest.mark.parametrize("prevents", [True, False])
def test_the_context_protects_and_lifts(tmp_path: Path, *, prevents: bool) -> None:
    app = App(outdir=str(tmp_path), context={"prevent_destroy": prevents}, skip_validation=True)
    expected = {"prevent_destroy": prevents, "ignore_changes": ["zone"]}
    assert lifecycle(tmp_path, app, ignored=["zone"]) == expected


@pytest.mark.parametrize("prevents", [True, False])
def test_a_synthesis_passes_the_switch_to_every_resource(
    tmp_path: Path, environments: dict[str, Environment], *, prevents: bool
) -> None:
    written = synthesis.synthesize([environments["prod"]], tmp_path, prevent_destroy=prevents)
    for path in written["prod"]:
        resources = json.loads(path.read_text(encoding="utf-8"))["resource"]
        switches = [
            each["lifecycle"]["prevent_destroy"]
            for named in resources.values()
            for each in named.values()
            if "prevent_destroy" in each.get("lifecycle", {})
        ]
        assert set(switches) <= {prevents}
