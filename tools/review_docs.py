"""Generator of docs/architecture.md and of README's diagram, table of costs and output, from synthesized stacks."""

import re
import tempfile
from pathlib import Path

from aks_kaito import node
from aks_kaito.review import billing, diagram, documents, summary, table
from aks_kaito.settings import Environment, load

ROOT = Path(__file__).parents[1]
SHOWN = "prod"
FIRST = "dev"
_HEADER = """\
# Architecture

What the shipped environments define, drawn from their synthesized Terraform (`make docs`); do not edit this page.
Associations, links, rules and other helpers are left out. The border of a box says who reaches it over the network:
red, anyone (Entra ID still asks who they are); yellow, some subnets or address ranges; green, private addresses alone.
A box without one has no door of its own. Dotted arrows carry logs and metrics.
"""


def pages() -> dict[Path, str]:
    """Return the text of each file, after a synthesis of the shipped environments."""
    node.select()
    from aks_kaito.stacks.synthesis import synthesize  # noqa: PLC0415  (it starts Node.js)

    environments = [load(path) for path in sorted((ROOT / "environments").glob("*.toml"))]
    with tempfile.TemporaryDirectory() as folder:
        synthesize(environments, Path(folder))
        return _pages(environments, Path(folder))


def _pages(environments: list[Environment], synthesized: Path) -> dict[Path, str]:
    stacks = documents.read_all(synthesized)
    platform = {one.name: stacks[f"{one.names.stack}-platform"] for one in environments}
    charts = {name: f"```mermaid\n{diagram.mermaid(document)}```" for name, document in platform.items()}
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    for name, content in (
        ("diagram", charts[SHOWN]),
        ("billed by the hour", _costs(environments, platform)),
        ("output of make synth", _output(environments, synthesized)),
    ):
        text = _filled(text, name, content)
    sections = [f"## {name}\n\n{chart}\n" for name, chart in charts.items()]
    return {readme: text, ROOT / "docs" / "architecture.md": "\n".join([_HEADER, *sections])}


def _costs(environments: list[Environment], platform: dict[str, documents.Document]) -> str:
    names = [environment.name for environment in environments]
    rows = [["", *names], ["---"] * (len(names) + 1), *billing.rows(environments, platform)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _output(environments: list[Environment], synthesized: Path) -> str:
    """Return the output of `make synth` without a terminal."""
    first = next(environment for environment in environments if environment.name == FIRST)
    stacks = (f"{first.names.stack}-{part}" for part in ("platform", "workloads"))
    paths = [synthesized / "stacks" / stack / documents.FILE for stack in stacks]
    lines = table.text(summary.summarize(first, paths)).replace(str(synthesized), "cdktf.out")
    return f"```text\n{lines.rstrip()}\n```"


def _filled(text: str, name: str, content: str) -> str:
    """Return the text with the content between the marks of a generated block."""
    start, end = f"<!-- generated: {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"README.md: lacks {start} and {end}")
    return pattern.sub(lambda _: f"{start}\n{content}\n{end}", text)
