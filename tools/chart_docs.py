"""Writes the chart's values.schema.json, and the table of values in its README; `--check` only compares."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[1] / "charts" / "kaito-chat"
BEGIN, END = "<!-- values: written by make docs -->", "<!-- end of values -->"
# Objects whose keys are other people's: the table shows them as one value.
OPEN = ("template", "resources", "settings", "secrets", "vllm")


def schema() -> dict[str, Any]:
    """The source, with its aliases written out and its definitions left out."""
    found: dict[str, Any] = yaml.safe_load((CHART / "values.schema.yaml").read_text(encoding="utf-8"))
    return {key: value for key, value in found.items() if key != "definitions"}


def rows(part: Mapping[str, Any], values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str, str]]:
    """Each value's path, default and description."""
    for key, value in part["properties"].items():
        here = f"{path}{key}"
        if "properties" in value and key not in OPEN:
            yield from rows(value, values[key], f"{here}.")
        elif key in values:
            default = json.dumps(values[key], ensure_ascii=False)
            yield here, "" if default in ('""', "null") else default, value["description"]


def table() -> str:
    """The README's table."""
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    lines = [
        f"| `{path}` | {f'`{default}`' if default else ''} | {text} |" for path, default, text in rows(schema(), values)
    ]
    return "\n".join(["| Value | Default | What it is |", "|---|---|---|", *lines])


def files() -> dict[Path, str]:
    """What should stand in each file."""
    readme = (CHART / "README.md").read_text(encoding="utf-8")
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return {
        CHART / "values.schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
        CHART / "README.md": f"{before}{BEGIN}\n{table()}\n{END}{after}",
    }


def main(arguments: list[str]) -> int:
    """Write, or with `--check` say what differs; 1 if something does."""
    changed = {path: text for path, text in files().items() if not path.exists() or path.read_text() != text}
    if "--check" in arguments:
        for path in changed:
            sys.stderr.write(f"{path.name} of the chart is out of date: run `make docs`\n")
        return int(bool(changed))
    for path, text in changed.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
