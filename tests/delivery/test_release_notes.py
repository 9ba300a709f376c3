"""Release notes: the section of a tag, and the tags that are refused."""

from pathlib import Path

import pytest

import release_notes
import versions
from aks_kaito import __version__
from support.project import ROOT

CHANGELOG = """\
# Changelog

## Unreleased

- Later.

## [0.2.0] - 2026-12-01

[How to upgrade](docs/how-to/upgrade.md#to-020), and [KAITO](https://example.com/x).

### Fixed

- A fault.

## 0.1.0

- First.

## 0.0.1
"""


def project(folder: Path) -> None:
    path = folder / release_notes.VERSION
    path.parent.mkdir(parents=True)
    path.write_text('"""A package."""\n\n__version__ = "0.2.0"\n', encoding="utf-8")


FILES = "https://git.example.com/team/project/blob/v0.2.0"


def test_the_section_of_a_version_has_links_that_work_on_the_page_of_a_release() -> None:
    assert release_notes.notes_of("0.2.0", CHANGELOG, FILES) == (
        f"[How to upgrade]({FILES}/docs/how-to/upgrade.md#to-020), and [KAITO](https://example.com/x).\n\n"
        "### Fixed\n\n- A fault.\n"
    )
    assert release_notes.notes_of("0.1.0", CHANGELOG, FILES) == "- First.\n"


@pytest.mark.parametrize("version", ["0.0.1", "0.2", "0.20.0", "1.0.0"])
def test_a_version_without_notes_is_refused(version: str) -> None:
    with pytest.raises(SystemExit, match=r"no notes of .*it has: Unreleased, \[0\.2\.0\]"):
        release_notes.notes_of(version, CHANGELOG, FILES)


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("v0.3.0", "the project's version is 0.2.0"),
        ("0.2", "must be a version such as"),
        ("", "must be a version such as"),
        ("v0.2.0\n", "must be a version such as"),
        ("v0.2.0-rc1", "must be a version such as"),
    ],
)
def test_another_tag_than_the_projects_version_is_refused(tag: str, words: str, tmp_path: Path) -> None:
    project(tmp_path)
    with pytest.raises(SystemExit, match=words):
        release_notes.version_of(tag, tmp_path)


def test_the_projects_version_is_that_of_its_package() -> None:
    assert release_notes.version_of(f"v{__version__}", ROOT) == __version__


def test_the_notes_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path)
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    monkeypatch.setattr(release_notes, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["release_notes.py", "v0.2.0"])
    monkeypatch.setenv("GITHUB_REPOSITORY", "team/project")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://git.example.com")
    release_notes.main()
    assert f"]({FILES}/docs/how-to/upgrade.md" in (tmp_path / "dist" / "release-notes.md").read_text(encoding="utf-8")


def test_a_workflow_gets_the_version_as_the_chart_names_its_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path)
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    outputs = tmp_path / "outputs"
    outputs.write_text("other=1\n")
    monkeypatch.setattr(release_notes, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["release_notes.py", "v0.2.0"])
    monkeypatch.setenv("GITHUB_OUTPUT", str(outputs))
    release_notes.main()
    assert outputs.read_text() == "other=1\nversion=0.2.0\n"


def test_a_new_version_reaches_the_commands_that_verify_a_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "__version__", "9.8.7")
    changed = versions.applied({})
    security = changed[ROOT / "SECURITY.md"]
    assert security.count("kaito-chat:9.8.7") == 3
    assert security.count("refs/tags/v9.8.7") == 1
    assert __version__ not in security
    assert changed[ROOT / "Makefile"].count("(TAG=v9.8.7)") == 3
