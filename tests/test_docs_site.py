"""The documentation site: built strictly, complete, and without another host."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs_site import hooks
from support.needs import needs_make, needs_path
from support.pages import TEXTS
from support.project import ROOT

DOCS = ROOT / "docs"
SITE = ROOT / "build" / "site"
MKDOCS = ROOT / ".venv-docs" / "bin" / "mkdocs"
REPOSITORY = "https://code.example/project"


def needs_mkdocs() -> Path:
    """Return the program that builds the site."""
    return needs_path(MKDOCS, ".venv-docs (make docs-site installs it)")


def test_the_site_is_built_strictly_and_asks_no_other_host() -> None:
    needs_mkdocs()
    built = subprocess.run(
        [*needs_make(), "docs-site"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert built.returncode == 0, built.stdout + built.stderr
    pages = {
        path.relative_to(SITE).with_suffix(".md"): path.read_text(encoding="utf-8") for path in SITE.rglob("*.html")
    }
    wanted = {path.relative_to(DOCS) for path in DOCS.rglob("*.md")}
    named = {path.with_name("README.md") if path.stem == "index" else path for path in pages}
    assert wanted <= named
    for page, text in pages.items():
        loaded = re.findall(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"?([^\" >]+)", text)
        loaded += re.findall(
            r"<link\b[^>]*rel=\"?(?:stylesheet|icon|preconnect|preload)\"?[^>]*\bhref=\"?([^\" >]+)", text
        )
        loaded += re.findall(
            r"<link\b[^>]*\bhref=\"?([^\" >]+)[^>]*rel=\"?(?:stylesheet|icon|preconnect|preload)", text
        )
        assert loaded
        assert [each for each in loaded if re.match(r"(https?:)?//", each)] == [], page
        assert "[!NOTE]" not in text, page
        assert "!!! note" not in text, page
    # The diagrams' script, the pictures and the search come with the site; the theme asks no host for stars.
    assert "assets/mermaid.js" in pages[Path("explanation/architecture.md")]
    assert (SITE / "assets" / "mermaid.js").stat().st_size > 1_000_000
    assert 'data-md-component="source"' not in pages[Path("index.md")]
    found = json.loads((SITE / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    assert any("prevent_destroy" in each["text"] for each in found)
    # The navigation has each page, and links out of docs/ lead to the repository.
    home = pages[Path("index.md")]
    linked = set(re.findall(r'<a href="?([^" >]+)"? class="?md-nav__link', home))
    for page in wanted - {Path("README.md")}:
        link = page.with_name("index.md") if page.name == "README.md" else page
        assert str(link.with_suffix(".html")) in linked, page
    assert f"{setting('repository')}/tree/main/environments" in pages[Path("how-to/deploy.md")]
    assert 'href="reference/chart.html"' in home


def setting(name: str) -> str:
    """Return one of the site's own settings."""
    text = re.sub(r"!!python\S*( \{.*\})?", "", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    found: dict[str, Any] = yaml.safe_load(text)["extra"]
    return str(found[name])


def test_links_and_documents_name_one_repository() -> None:
    for chart in ("kaito-chat", "kaito-cluster"):
        text = (ROOT / "charts" / chart / "Chart.yaml").read_text(encoding="utf-8")
        assert yaml.safe_load(text).get("home", setting("repository")) == setting("repository")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("[gone](other.md)", "other.md"),
        ("[no heading](README.md#nowhere)", "nowhere"),
        ("[outside](../gone.py)", "gone.py"),
        ("![picture](images/gone.png)", "gone.png"),
        ("fine", "unlisted.md"),
    ],
)
def test_a_wrong_link_or_an_unlisted_page_fails_the_build(wrong: str, reason: str, tmp_path: Path) -> None:
    program = needs_mkdocs()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "README.md").write_text(f"# Index\n\n## Pages\n\n{wrong}\n", encoding="utf-8")
    if reason == "unlisted.md":
        (tmp_path / "docs" / reason).write_text("# Unlisted\n", encoding="utf-8")
    config = (
        (ROOT / "mkdocs.yml").read_text(encoding="utf-8").replace("tools/docs_site", str(ROOT / "tools" / "docs_site"))
    )
    (tmp_path / "mkdocs.yml").write_text(config, encoding="utf-8")
    command = [str(program), "build", "--strict", "--config-file", str(tmp_path / "mkdocs.yml")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 1, ran.stderr
    assert reason in ran.stderr


PAGE = """\
# A page

See [code](../main.py), [a folder](../tools/),
[a page of another folder](../SECURITY.md#a),
[another](other.md#top), [here](#a-page), <https://kaito.dev>.

1. First:

   > [!WARNING]
   > Two
   > lines.

   ```console
   make synth  # [not a link](../main.py)
   ```
2. Second
   - nested
"""
ON_THE_SITE = f"""\
# A page

See [code]({REPOSITORY}/blob/main/main.py), [a folder]({REPOSITORY}/tree/main/tools),
[a page of another folder](project/security.md#a),
[another](other.md#top), [here](#a-page), <https://kaito.dev>.

1. First:

    !!! warning
        Two
        lines.


    ```console
    make synth  # [not a link](../main.py)
    ```
2. Second
    - nested
"""


def test_a_page_gets_what_the_site_needs() -> None:
    assert hooks.for_site(PAGE, "page.md", DOCS, REPOSITORY) == ON_THE_SITE


def test_a_page_of_another_folder_leads_to_pages_of_the_site() -> None:
    text = "[deploy](docs/how-to/deploy.md#deploy) [values](charts/kaito-chat/README.md) [code](main.py)\n"
    expected = "[deploy](../how-to/deploy.md#deploy) [values](../reference/chart.md) "
    expected += f"[code]({REPOSITORY}/blob/main/main.py)\n"
    assert hooks.for_site(text, "project/changelog.md", DOCS, REPOSITORY) == expected


def test_mermaid_is_locked_with_a_hash_and_without_a_registry() -> None:
    text = (ROOT / "tools" / "docs_site" / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    assert [name for name, each in packages.items() if name and "integrity" not in each] == []
    assert "://" not in text


def test_the_navigation_is_the_index() -> None:
    found = hooks.navigation(DOCS)
    sections = [next(iter(each)) for each in found]
    assert sections == ["Home", "Tutorial", "How-to", "Runbooks", "Reference", "Explanation", "Project"]
    (decisions,) = [each for each in found[-2]["Explanation"] if isinstance(each, dict)]
    assert len(decisions["Decision records"]) == len(list((DOCS / "explanation" / "adr").glob("*.md")))
    assert found[1] == {"Tutorial": ["tutorial/first-deployment.md"]}


def test_every_picture_is_taken_by_the_browser_tests_and_shown_with_a_text() -> None:
    tests = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "app" / "browser").glob("test_*.py")
    )
    names = re.findall(r'\bpicture\(page, f?"([^"]*)"\)', tests)
    patterns = [
        re.escape(f"chat-{name}".rstrip("-")).replace(r"\{question\}", "(code|table|formula)") for name in names
    ]
    shown = {
        (path.parent / target).resolve(): text
        for path, page in TEXTS.items()
        for text, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page)
        if ":" not in target
    }
    pictures = [path for path in (DOCS / "images").iterdir() if path.suffix in (".png", ".svg")]
    for picture in pictures:
        # The others are those of the demonstration, which writes them.
        if picture.stem.startswith("chat"):
            assert any(re.fullmatch(pattern, picture.stem) for pattern in patterns), picture
            assert picture in shown, picture
        assert len(shown.get(picture, "a linked picture")) > 10, f"{picture} has no text"
    assert len(patterns) >= 6
