"""Generator of the diagrams, the table of costs and the README's output, from synthesized stacks."""

import re
import tempfile
from pathlib import Path

from aks_kaito import node
from aks_kaito.review import billing, diagram, documents, summary, table
from aks_kaito.settings import Environment, load

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
ARCHITECTURE = ROOT / "docs" / "explanation" / "architecture.md"
COSTS = ROOT / "docs" / "reference" / "costs.md"
FIRST = "dev"
_HEADER = """\
# Architecture

The resources of the shipped environments, drawn from their synthesized Terraform. This page is generated (`make docs`);
do not edit it. Associations, links, rules and other auxiliary resources are omitted. The border of a box shows its
network access: red, any address (Entra ID still authenticates); yellow, some subnets or address ranges; green, private
addresses only. A box without a coloured border has no endpoint of its own. Dotted arrows carry logs and metrics.

The resources are divided between [two stacks](adr/20261123-two-stacks.md). `kaito-ENV-platform` contains everything in
Azure, as shown below. `kaito-ENV-workloads` deploys Helm releases into the cluster: cert-manager, the ingress
controller, `charts/kaito-cluster`, and `charts/kaito-chat` with the model and the chat.
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
    sections = [f"## {name}\n\n{chart}\n" for name, chart in charts.items()]
    pages = {ARCHITECTURE: "\n".join([_HEADER, *sections])}
    for path, name, content in (
        (README, "output of make synth", _output(environments, synthesized)),
        (COSTS, "billed by the hour", _costs(environments, platform)),
    ):
        pages[path] = _filled(path, name, content)
    return pages


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


def _filled(path: Path, name: str, content: str) -> str:
    """Return a file's text with the content between the markers of a generated block."""
    text = path.read_text(encoding="utf-8")
    start, end = f"<!-- generated: {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"{path.relative_to(ROOT)}: lacks {start} and {end}")
    return pattern.sub(lambda _: f"{start}\n{content}\n{end}", text)
