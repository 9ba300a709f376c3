"""Charts of a release, and its publication, with stand-ins for the programs that need a registry."""

import os
import tarfile
from pathlib import Path

import pytest
import yaml

import chart_release
import github_release
from release_notes import VERSION
from support.project import ROOT
from support.rendering import helm_path

DIGEST = "sha256:" + "b" * 64
CHARTS = "oci://ghcr.io/team/project/charts"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the charts, in which programs note their arguments."""
    (tmp_path / "charts").symlink_to(ROOT / "charts")
    (tmp_path / VERSION).parent.mkdir(parents=True)
    (tmp_path / VERSION).write_text('__version__ = "7.8.9"\n', encoding="utf-8")
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    for module in (chart_release, github_release):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    return tmp_path


def program(place: Path, name: str, line: str = "") -> str:
    path = place / "programs" / name
    path.write_text(f'#!/bin/sh\necho "{name} $*" >> {place / "noted"}\n{line}\n', encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def noted(place: Path) -> list[str]:
    path = place / "noted"
    return path.read_text(encoding="utf-8").replace(f"{place}/", "").splitlines() if path.exists() else []


def packaged(place: Path) -> None:
    (place / "dist" / "charts").mkdir(parents=True)
    for chart in chart_release.CHARTS:
        (place / "dist" / "charts" / f"{chart}-7.8.9.tgz").touch()


def run(monkeypatch: pytest.MonkeyPatch, module: object, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["program", *arguments])
    module.main()  # type: ignore[attr-defined]  # either module


def test_both_charts_are_packaged_with_the_version_of_the_tag(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helm_path("helm")
    packaged(place)  # of an earlier run, which must not be pushed
    (place / "dist" / "charts" / "old-1.0.0.tgz").touch()
    run(monkeypatch, chart_release, "package", "v7.8.9")
    archives = sorted((place / "dist" / "charts").iterdir())
    assert [path.name for path in archives] == ["kaito-chat-7.8.9.tgz", "kaito-cluster-7.8.9.tgz"]
    for path in archives:
        with tarfile.open(path) as archive:
            member = archive.extractfile(f"{path.name.rpartition('-')[0]}/Chart.yaml")
            assert member is not None
            chart = yaml.safe_load(member.read())
        assert (chart["version"], chart["appVersion"]) == ("7.8.9", "7.8.9")


def test_the_digests_that_the_registry_took_are_signed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged(place)
    program(place, "cosign")
    helm = program(place, "helm", f'echo "Pushed: x"; echo "Digest: {DIGEST}"')
    monkeypatch.setattr(chart_release, "_helm", lambda: helm)
    run(monkeypatch, chart_release, "publish", CHARTS)
    assert noted(place) == [
        f"helm push dist/charts/kaito-chat-7.8.9.tgz {CHARTS}",
        f"cosign sign --yes ghcr.io/team/project/charts/kaito-chat@{DIGEST}",
        f"helm push dist/charts/kaito-cluster-7.8.9.tgz {CHARTS}",
        f"cosign sign --yes ghcr.io/team/project/charts/kaito-cluster@{DIGEST}",
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("echo denied >&2; exit 1", "helm push failed: denied"),
        ("echo Pushed", "helm push names no digest of kaito-chat-7.8.9.tgz"),
    ],
)
def test_a_push_that_fails_is_not_signed(line: str, words: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged(place)
    program(place, "cosign")
    helm = program(place, "helm", line)
    monkeypatch.setattr(chart_release, "_helm", lambda: helm)
    with pytest.raises(SystemExit, match=words):
        run(monkeypatch, chart_release, "publish", CHARTS)
    assert not [each for each in noted(place) if each.startswith("cosign")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sign", "ghcr.io/team/kaito-chat:0.2.0"), "must be REGISTRY/NAME@sha256:DIGEST"),
        (("sign", f"--key=x@{DIGEST}"), "must be REGISTRY/NAME@sha256:DIGEST"),
        (("sign", ""), "must be REGISTRY/NAME@sha256:DIGEST"),
        (("publish", "ghcr.io/team/charts"), "must be oci://"),
        (("publish", "oci://ghcr.io/Team/charts"), "in lower case"),
        (("publish", CHARTS), "has 0 archives instead of 2: make chart-package first"),
        (("package", "v0.2.0"), "the project's version is 7.8.9"),
        ((), "usage"),
    ],
)
def test_other_arguments_are_refused(
    arguments: tuple[str, ...], words: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(place, "cosign")
    with pytest.raises(SystemExit, match=words):
        run(monkeypatch, chart_release, *arguments)
    assert noted(place) == []


def test_an_image_is_signed_by_its_digest(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(place, "cosign")
    run(monkeypatch, chart_release, "sign", f"ghcr.io/team/project/kaito-chat@{DIGEST}")
    assert noted(place) == [f"cosign sign --yes ghcr.io/team/project/kaito-chat@{DIGEST}"]


def test_a_release_has_notes_charts_and_sboms(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(place, "gh")
    files = place / "dist" / "files"
    files.mkdir(parents=True)
    with pytest.raises(SystemExit, match=r"needs release-notes\.md"):
        run(monkeypatch, github_release, "v7.8.9")
    for name in ("kaito-chat-7.8.9.tgz", "kaito-chat-amd64.spdx.json", "release-notes.md"):
        (files / name).touch()
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, github_release, "v7.8.9")
    assert ended.value.code == 0
    assert noted(place) == [
        (
            "gh release create v7.8.9 dist/files/kaito-chat-7.8.9.tgz dist/files/kaito-chat-amd64.spdx.json "
            "--verify-tag --title v7.8.9 --notes-file dist/files/release-notes.md"
        )
    ]
    with pytest.raises(SystemExit, match="usage"):
        run(monkeypatch, github_release, "--help")
