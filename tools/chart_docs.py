"""Generator of the chart's values.schema.json and of the table of values in its README."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[1] / "charts" / "kaito-chat"
BEGIN, END = "<!-- values: written by make docs -->", "<!-- end of values -->"
# Objects with the keys of Kubernetes, vLLM or `model`; the table shows each as one value.
OPEN = ("template", "resources", "settings", "secrets", "vllm", "standby", "models")


def schema() -> dict[str, Any]:
    """Return the schema with resolved aliases and without its definitions."""
    found: dict[str, Any] = yaml.safe_load((CHART / "values.schema.yaml").read_text(encoding="utf-8"))
    return {key: value for key, value in found.items() if key != "definitions"}


def rows(part: Mapping[str, Any], values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield the path, the default and the description of each value."""
    for key, value in part["properties"].items():
        here = f"{path}{key}"
        if "properties" in value and key not in OPEN:
            yield from rows(value, values[key], f"{here}.")
        elif key in values:
            default = json.dumps(values[key], ensure_ascii=False)
            yield here, "" if default in ('""', "null") else default, value["description"]


def table() -> str:
    """Return the table of values."""
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    lines = [
        f"| `{path}` | {f'`{default}`' if default else ''} | {text} |" for path, default, text in rows(schema(), values)
    ]
    return "\n".join(["| Value | Default | Description |", "|---|---|---|", *lines])


def pages() -> dict[Path, str]:
    """Return the text of each file."""
    readme = (CHART / "README.md").read_text(encoding="utf-8")
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return {
        CHART / "values.schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
        CHART / "README.md": f"{before}{BEGIN}\n{table()}\n{END}{after}",
    }
