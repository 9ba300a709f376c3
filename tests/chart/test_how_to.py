"""Values and settings in the how-to pages: the chart renders them, and the environment reader accepts them."""

import re
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from aks_kaito.settings import load
from support.project import ENVIRONMENTS, ROOT, TODAY, own
from support.rendering import default, merged, one, render

PAGES = ROOT / "docs" / "how-to"
CHARTS = ("use-a-gated-model", "use-your-own-weights")
FILES = (
    "keep-the-history",
    "move-to-another-region",
    "publish-through-the-gateway",
    "route-by-load",
    "scale",
    "use-azure-openai",
    "use-your-own-domain",
)


def blocks(page: str, language: str) -> list[str]:
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for _, block in found]


def values() -> list[Any]:
    return [
        pytest.param(yaml.safe_load(block), id=f"{page}-{number}")
        for page in CHARTS
        for number, block in enumerate(blocks(page, "yaml"))
    ]


@pytest.mark.parametrize("shown", values())
def test_the_chart_renders_the_values_of_a_page(shown: dict[str, Any]) -> None:
    objects = render(merged(default(), shown))
    repository = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["image"].partition(":")[0]
    assert repository == "registry.azurecr.io/kaito-chat"


def test_a_gated_model_reads_its_token_from_the_secret_of_the_page() -> None:
    (shown,) = blocks("use-a-gated-model", "yaml")
    workspace = one(render(merged(default(), yaml.safe_load(shown))), "Workspace")
    assert workspace["inference"]["preset"]["presetOptions"]["modelAccessSecret"] == "hugging-face"
    text = (PAGES / "use-a-gated-model.md").read_text(encoding="utf-8")
    assert "create secret generic hugging-face --from-file HF_TOKEN=token" in text


def test_own_weights_are_an_adapter_or_a_server_at_port_5000() -> None:
    adapter, server = (yaml.safe_load(block) for block in blocks("use-your-own-weights", "yaml"))
    (found,) = one(render(merged(default(), adapter)), "Workspace")["inference"]["adapters"]
    assert found["source"] == {"name": "contoso-support", "image": "registry.azurecr.io/adapters/contoso-support:1"}
    inference = one(render(merged(default(), server)), "Workspace")["inference"]
    (container,) = inference["template"]["spec"]["containers"]
    assert (container["command"][-4:-2], "preset" in inference) == (["--port", "5000"], False)


def settings() -> list[Any]:
    """Return each block of settings with each environment that it belongs to; prod is the one that moves."""
    return [
        pytest.param(path, block, id=f"{page}-{number}-{path.stem}")
        for page in FILES
        for number, block in enumerate(blocks(page, "toml"))
        for path in ENVIRONMENTS
        if page != "move-to-another-region" or path.stem == "prod"
    ]


@pytest.mark.parametrize(("path", "shown"), settings())
def test_environments_accept_the_settings_of_a_page(path: Path, shown: str, tmp_path: Path) -> None:
    base = tomllib.loads(own(path.read_text(encoding="utf-8")))
    changed = merged(base, tomllib.loads(shown))
    written = tmp_path / path.name
    written.write_text(_toml(changed), encoding="utf-8")
    loaded = load(written, TODAY).settings.model_dump(mode="json")
    for key, value in tomllib.loads(shown).items():
        found = loaded[key]
        assert value.items() <= found.items() if isinstance(value, dict) and key != "openai" else found


def _toml(data: dict[str, Any]) -> str:
    """Return TOML, each table inline."""

    def value(found: Any) -> str:
        if isinstance(found, dict):
            return "{" + ", ".join(f'"{key}" = {value(item)}' for key, item in found.items()) + "}"
        if isinstance(found, list):
            return "[" + ", ".join(map(value, found)) + "]"
        return (
            str(found).lower() if isinstance(found, bool) else repr(found) if isinstance(found, int) else f"'{found}'"
        )

    return "\n".join(f'"{key}" = {value(item)}' for key, item in data.items())
