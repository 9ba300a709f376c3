"""Hooks of MkDocs: the pages stay as the git host shows them, and the site gets what differs there.

- The navigation is that of `docs/README.md`: its headings and links, in their order.
- Some pages of other folders are part of the site; other links that leave `docs/` lead to the repository.
- Notes in GitHub's notation become admonitions.
- Items of lists are continued by two or three spaces, as CommonMark has it; Python-Markdown wants four.
- Diagrams are drawn by a copy of Mermaid on the site, because the theme would load it from another host.
"""

import os
import re
import shutil
from pathlib import Path
from typing import Any

# Pages that docs/README.md leaves to an index of their own.
INDEXES = ("explanation/adr/README.md",)
# Pages of the site that other folders have, and their files.
INCLUDED = {
    "reference/chart.md": "charts/kaito-chat/README.md",
    "project/changelog.md": "CHANGELOG.md",
    "project/code-of-conduct.md": "CODE_OF_CONDUCT.md",
    "project/contributing.md": "CONTRIBUTING.md",
    "project/locks.md": "locks/README.md",
    "project/security.md": "SECURITY.md",
}
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


def on_files(files: Any, *, config: Any) -> Any:
    """Add the pages of other folders."""
    from mkdocs.structure.files import File  # noqa: PLC0415 - tests of the other functions do without MkDocs

    root = Path(config.docs_dir).parent
    for page, name in INCLUDED.items():
        if (root / name).exists():
            files.append(File.generated(config, page, content=(root / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: object) -> str:
    """Return a page as the site needs it."""
    return for_site(markdown, page.file.src_uri, Path(config.docs_dir), config.extra["repository"])


def on_post_build(*, config: Any) -> None:
    """Copy Mermaid to the site."""
    target = Path(config.site_dir) / "assets" / "mermaid.js"
    shutil.copyfile(MERMAID, target)


def for_site(text: str, page: str, docs: Path, repository: str) -> str:
    """Return a page's text with the links and notes of the site; code is left as it is.

    Args:
        text: The page as the git host shows it.
        page: Its path in the site.
        docs: The folder of the documentation.
        repository: The address of the repository on its host.
    """
    root = docs.parent
    folder = (root / INCLUDED[page]).parent if page in INCLUDED else (docs / page).parent
    included = {(root / name).resolve(): uri for uri, name in INCLUDED.items()}

    def link(found: re.Match[str]) -> str:
        name, hash_, anchor = found[2].partition("#")
        target = (folder / name).resolve()
        if not name or ":" in name or not target.exists():
            return found[0]
        if target in included or target.is_relative_to(docs):
            uri = included.get(target) or str(target.relative_to(docs))
            return f"{found[1]}{os.path.relpath(uri, Path(page).parent)}{hash_}{anchor}{found[3]}"
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
    included = {(docs.parent / name).resolve(): uri for uri, name in INCLUDED.items()}
    targets = [(folder / found[2].partition("#")[0]).resolve() for found in _LINK.finditer(text)]
    pages = [
        included.get(each) or str(each.relative_to(docs))
        for each in targets
        if each in included or (each.suffix == ".md" and each.is_relative_to(docs))
    ]
    new = [each for each in dict.fromkeys(pages) if each not in seen]
    seen.update(new)
    return new


def _title(page: Path) -> str:
    """Return the title of a page."""
    return page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
