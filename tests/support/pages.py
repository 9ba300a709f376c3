"""The pages of the documentation, and their parts."""

import re
import textwrap

from support.project import ROOT

PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "charts").rglob("*.md"),
    *(ROOT / "locks").glob("*.md"),
    *(path for path in (ROOT / "tools").rglob("*.md") if "node_modules" not in path.parts),
]
TEXTS = {path: path.read_text(encoding="utf-8") for path in PAGES}
# The pages with commands that a reader types.
GUIDES = {
    str(path.relative_to(ROOT / "docs")): text
    for path, text in TEXTS.items()
    if path.parent.name in ("how-to", "tutorial")
}
RUNBOOKS = {path.stem: text for path, text in TEXTS.items() if path.parent.name == "runbooks"}
# Pages with commands for operators; tests of the README and the changelog have rules of their own.
COMMANDED = {
    str(path.relative_to(ROOT)): text
    for path, text in TEXTS.items()
    if path.parent.name != "runbooks" and path.name != "CHANGELOG.md" and path != ROOT / "README.md"
}
NOT_RUN = re.compile(r"> \[!NOTE\]\n *> No test runs th(is command|ese commands)\.\n\n$")
# The languages of fenced blocks; commands are those of a console.
LANGUAGES = {"console", "json", "kusto", "mermaid", "promql", "text", "toml", "yaml"}


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the commands of a page, each block with the text above it."""
    parts = re.split(r"^ *```console\n(.*?)^ *```$", text, flags=re.MULTILINE | re.DOTALL)
    return [(above, textwrap.dedent(block)) for above, block in zip(parts[::2], parts[1::2], strict=False)]


def languages(text: str) -> list[str]:
    """Return the language of each fenced block; empty for one without."""
    return re.findall(r"^ *```(.*)$", text, re.MULTILINE)[::2]


def says_what_no_test_runs(text: str, tested: set[str]) -> bool:
    """Return whether a page marks exactly the blocks with a program that no test runs with the options of the page."""
    return all(
        bool(NOT_RUN.search(above))
        == bool({line.split()[0] for line in block.splitlines() if line[0] not in " K"} - tested)
        for above, block in blocks(text)
    )
