"""Hashes of everything that a build takes from elsewhere, and the comparison of two builds."""

import re
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import chart_locks
import verify
from aks_kaito.charts.theirs import CERT_MANAGER
from hosts_docs import CHARTS
from support.needs import needs
from support.project import ROOT

DOCKERFILE = (ROOT / "app" / "Dockerfile").read_text(encoding="utf-8")
PRINTS = "import os; print(*{'a', 'b', 'c', 'd', 'e'}, os.getcwd(), os.environ['TZ'])"


def test_both_stages_of_the_image_have_one_base_by_digest() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.13-slim-trixie@sha256:[0-9a-f]{64}", bases[0])


@pytest.fixture
def checkout() -> None:
    """Need git's list of files."""
    command = [shutil.which("git") or "git", "ls-files"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    needs(listed.returncode == 0, "git and a checkout (package: git)")


def made_by(*steps: tuple[str, list[str]]) -> Any:
    """Return a stand-in for the steps of a build."""

    def found(source: Path, out: Path) -> Iterator[tuple[str, list[str]]]:
        (source / "cdktf.out").mkdir()
        (out / "fixed").write_text("same", encoding="utf-8")
        yield from steps

    return found


@pytest.mark.usefixtures("checkout")
def test_a_difference_between_two_builds_is_found_and_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    step = ("render sets", [sys.executable, "-c", PRINTS])
    monkeypatch.setattr(verify, "steps", made_by(step))
    assert verify.main() == 1
    printed = capsys.readouterr()
    name, before, after = printed.err.splitlines()
    assert name == "render sets.yaml: differs"
    assert re.fullmatch(r"  - [a-e ]{10}/\S+/a/source UTC", before)
    assert re.fullmatch(r"  \+ [a-e ]{10}/\S+/another folder/b/source Asia/Kathmandu", after)
    assert printed.out == "3 files, different\n"


@pytest.mark.usefixtures("checkout")
def test_equal_builds_pass_and_a_failed_step_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verify, "steps", made_by(("render nothing", [sys.executable, "-c", "print('same')"])))
    assert (verify.main(), capsys.readouterr().out) == (0, "3 files, twice the same\n")
    monkeypatch.setattr(verify, "steps", made_by(("package it", [sys.executable, "-c", "raise SystemExit('no')"])))
    assert verify.main() == 2
    assert capsys.readouterr().err.startswith("package it failed: ")


def test_a_file_of_one_build_alone_is_a_difference(tmp_path: Path) -> None:
    found = list(verify.differences({"a": "1", "b": "2"}, {"b": "2", "c": "3"}, tmp_path, tmp_path))
    assert found == ["a: only in the first build", "c: only in the second build"]


@pytest.mark.usefixtures("checkout")
def test_copies_differ_in_what_must_not_matter(tmp_path: Path) -> None:
    first, second = (tmp_path / build.folder for build in verify.BUILDS)
    for build, folder in zip(verify.BUILDS, (first, second), strict=True):
        verify.copy(folder, build.moved_seconds)
    assert (first / "main.py").stat().st_mtime - (second / "main.py").stat().st_mtime > 86_400 * 399
    assert not (first / "cdktf.out").exists()
    assert (first / "docs" / "README.md").read_bytes() == (second / "docs" / "README.md").read_bytes()


def test_the_image_is_built_from_the_files_that_it_needs() -> None:
    names = [line.split(maxsplit=2)[2] for line in verify.image_context(ROOT / "app")]
    assert {"Dockerfile", "requirements.txt", "requirements-build.txt"} < set(names)
    assert all(name.startswith("kaito_chat/") for name in names if "/" in name)
    assert "pyproject.toml" not in names


# A helm that writes the archive that its chart's name asks for.
HELM = """#!/bin/sh
case "$*" in *{broken}*) echo "no such host" >&2; exit 1;; esac
for folder; do :; done
printf %s "${{*%--destination*}}" > "$folder/chart.tgz"
"""


def helm(folder: Path, broken: str = "nothing") -> str:
    """Return a program that pulls archives which say where they come from."""
    program = folder / "helm"
    program.write_text(HELM.format(broken=broken), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


def test_charts_are_compared_with_their_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "charts.toml"
    shutil.copy(ROOT / "locks" / "charts.toml", lock)
    monkeypatch.setattr(chart_locks, "LOCK", lock)
    monkeypatch.setattr(chart_locks, "ROOT", tmp_path)
    before = chart_locks.locked()
    assert before["cert-manager"]["version"] == CERT_MANAGER.version
    assert chart_locks.main([helm(tmp_path), "--check"]) == 1
    found = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"cert-manager v\S+: the registry has [0-9a-f]{64}, locked is [0-9a-f]{64}", found[0])
    assert any(line.endswith("not locked. Run make locks, and review the change") for line in found)

    assert chart_locks.main([helm(tmp_path)]) == 0
    written = lock.read_text(encoding="utf-8")
    assert written.startswith("# SHA-256 of the archives")
    assert {name: each["version"] for name, each in tomllib.loads(written).items()} == {
        chart.name: chart.version for chart in CHARTS
    }
    assert chart_locks.main([helm(tmp_path), "--check"]) == 0

    lock.write_text(written.replace(CERT_MANAGER.version, "v1.0.0"), encoding="utf-8")
    assert chart_locks.main([helm(tmp_path), "--check"]) == 1
    assert chart_locks.main([helm(tmp_path, broken="nginx"), "--check"]) == 2
    assert "nginx-ingress --version 2" in capsys.readouterr().err
    assert chart_locks.main(["no-helm", "--check"]) == 2
    assert "No such file" in capsys.readouterr().err


def test_a_lock_of_a_chart_is_that_of_its_pinned_version() -> None:
    pinned = {chart.name: chart.version for chart in CHARTS}
    for name, lock in chart_locks.locked().items():
        assert lock["version"] == pinned[name]
        assert re.fullmatch(r"[0-9a-f]{64}", lock["sha256"])


def test_the_page_checks_an_archive_before_it_is_copied(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "reference" / "hosts-and-images.md").read_text(encoding="utf-8")
    lines = re.findall(r"^echo .*sha256sum --check$", page, re.MULTILINE)
    assert len(lines) == len(chart_locks.locked())
    for line in lines:
        (tmp_path / line.split()[2]).write_bytes(b"another archive")
        ran = subprocess.run(["/bin/sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stdout) == (1, f"{line.split()[2]}: FAILED\n")
