"""Hooks of MkDocs: the pages stay as the git host shows them, and the site gets what differs there.

- The navigation is that of `docs/README.md`: its headings and links, in their order.
- Links that leave `docs/` lead to the repository.
- Notes in GitHub's notation become admonitions.
- Items of lists are continued by two or three spaces, as CommonMark has it; Python-Markdown wants four.
- Diagrams are drawn by a copy of Mermaid on the site, because the theme would load it from another host.
"""

import re
import shutil
from pathlib import Path
from typing import Any

# Pages that docs/README.md leaves to an index of their own.
INDEXES = ("explanation/adr/README.md",)
MERMAID = Path(__file__).parent / "node_modules" / "@mermaid-js" / "tiny" / "dist" / "mermaid.tiny.js"
_INDENT = 4
_ITEM = re.compile(r" *(?:[-*+]|\d+\.) +(?=\S)")
_FENCE = re.compile(r" *(```+|~~~+)")
_FENCED = re.compile(r"^( *)(```|~~~).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s]+)(\))")
_NOTE = re.compile(r"^( *)> \[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\n((?:\1> ?.*\n?)+)", re.MULTILINE)
_KINDS = {"NOTE": "note", "TIP": "tip", "IMPORTANT": "info", "WARNING": "warning", "CAUTION": "danger"}
# Entries of a navigation: pages, and sections with a title.
Navigation = list[Any]


def on_config(config: Any) -> Any:
    """Build the navigation from the index."""
    config.nav = navigation(Path(config.docs_dir))
    config.extra_javascript.append("assets/mermaid.js")
    return config


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: object) -> str:
    """Return a page as the site needs it."""
    source = Path(page.file.abs_src_path)
    return for_site(markdown, source, Path(config.docs_dir), config.extra["repository"])


def on_post_build(*, config: Any) -> None:
    """Copy Mermaid to the site."""
    target = Path(config.site_dir) / "assets" / "mermaid.js"
    shutil.copyfile(MERMAID, target)


def for_site(text: str, source: Path, docs: Path, repository: str) -> str:
    """Return a page's text with the links and notes of the site; code is left as it is.

    Args:
        text: The page as the git host shows it.
        source: Its file.
        docs: The folder of the documentation.
        repository: The address of the repository on its host.
    """
    root = docs.parent

    def link(found: re.Match[str]) -> str:
        name, hash_, anchor = found[2].partition("#")
        target = (source.parent / name).resolve()
        if not name or ":" in name or target.is_relative_to(docs) or not target.exists():
            return found[0]
        kind = "tree" if target.is_dir() else "blob"
        return f"{found[1]}{repository}/{kind}/main/{target.relative_to(root)}{hash_}{anchor}{found[3]}"

    text = _indented(text)
    parts, end = [], 0
    for code in _FENCED.finditer(text):
        parts += [_NOTE.sub(_admonition, _LINK.sub(link, text[end : code.start()])), code[0]]
        end = code.end()
    return "".join([*parts, _NOTE.sub(_admonition, _LINK.sub(link, text[end:]))])


def _indented(text: str) -> str:
    """Return a page with four spaces for each level of its lists, which CommonMark does not need."""
    lines: list[str] = []
    levels: list[int] = []
    fence, shift = "", 0
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if not fence and line.strip():
            while levels and indent < levels[-1]:
                levels.pop()
            shift = _INDENT * len(levels) - (levels[-1] if levels else 0)
            if item := _ITEM.match(line):
                levels.append(item.end())
        lines.append((" " * (indent + shift) + line.lstrip()).rstrip() if line.strip() else "")
        if marker := _FENCE.match(line):
            fence = "" if fence and marker[1].startswith(fence) else fence or marker[1]
    return "\n".join(lines) + "\n"


def _admonition(found: re.Match[str]) -> str:
    """Return a note as an admonition of the theme."""
    indent, kind, lines = found.groups()
    body = (re.sub(r"^ *> ?", "", line) for line in lines.splitlines())
    return "\n".join([f"{indent}!!! {_KINDS[kind]}", *(f"{indent}{' ' * _INDENT}{line}" for line in body), "", ""])


def navigation(docs: Path) -> Navigation:
    """Return the pages that the index links to, below its headings; the decisions as their own index lists them."""
    found: Navigation = [{"Home": "README.md"}]
    seen: set[str] = {"README.md"}
    for section in re.split(r"^## ", (docs / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, text = section.partition("\n")
        pages: Navigation = []
        for page in _linked(docs, "README.md", text, seen):
            if page in INDEXES:
                pages.append({_title(docs / page): [page, *_linked(docs, page, (docs / page).read_text(), seen)]})
            else:
                pages.append(page)
        found.append({title: pages})
    return found


def _linked(docs: Path, source: str, text: str, seen: set[str]) -> list[str]:
    """Return the pages that a text links to, each at its first link only."""
    folder = (docs / source).parent
    targets = [(folder / found[2].partition("#")[0]).resolve() for found in _LINK.finditer(text)]
    pages = [str(each.relative_to(docs)) for each in targets if each.suffix == ".md" and each.is_relative_to(docs)]
    new = [each for each in dict.fromkeys(pages) if each not in seen]
    seen.update(new)
    return new


def _title(page: Path) -> str:
    """Return the title of a page."""
    return page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
