"""Synthesize, render and build twice, and compare every file that was written.

Both builds begin with a copy of the working tree, in different folders, with other times of the files, another umask,
locale, time zone and order of Python's sets. A difference means that somebody else gets another result from the same
commit. `SOURCE_DATE_EPOCH` is the time of the commit, as for a release.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from chart_security import SERVED

ROOT = Path(__file__).parents[1]
BIN = ROOT / ".venv" / "bin"
MKDOCS = ROOT / ".venv-docs" / "bin" / "mkdocs"
# Installed from a lock file, not built.
MODULES = Path("tools", "docs_site", "node_modules")
CHARTS = ("kaito-chat", "kaito-cluster")
# Lines of a difference that are shown.
SHOWN = 6


class Build(NamedTuple):
    """One of the two builds.

    Attributes:
        folder: The name of its folder, whose depth differs too.
        umask: The rights that its files lack.
        moved_seconds: Difference of its files' times.
        variables: Its environment variables.
    """

    folder: str
    umask: int
    moved_seconds: int
    variables: dict[str, str]


BUILDS = (
    Build("a", 0o022, 0, {"LC_ALL": "C", "TZ": "UTC", "PYTHONHASHSEED": "1", "COLUMNS": "80"}),
    Build(
        "another folder/b",
        0o077,
        -86_400 * 400,
        {"LC_ALL": "C.UTF-8", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "2", "COLUMNS": "200"},
    ),
)


class StepError(Exception):
    """A step of a build failed."""


def main() -> int:
    """Build twice and return 0, 1 with the differences, or 2 if a step failed."""
    with tempfile.TemporaryDirectory(prefix="aks-kaito-verify-") as place:
        folders = [Path(place) / build.folder for build in BUILDS]
        try:
            with ThreadPoolExecutor() as pool:
                list(pool.map(made, BUILDS, folders))
        except StepError as error:
            print(error, file=sys.stderr)
            return 2
        first, second = (digests(folder / "out") for folder in folders)
        found = list(differences(first, second, folders[0] / "out", folders[1] / "out"))
    for line in found:
        print(line, file=sys.stderr)
    print(f"{len(first)} files, {'different' if found else 'twice the same'}")
    return 1 if found else 0


def made(build: Build, folder: Path) -> None:
    """Copy the working tree into a folder, and write all results to its folder `out`."""
    source, out = folder / "source", folder / "out"
    copy(source, build.moved_seconds)
    out.mkdir()
    variables = {
        **os.environ,
        **build.variables,
        "PYTHONPATH": f"{source / 'constructs'}{os.pathsep}{source / 'cli'}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SOURCE_DATE_EPOCH": committed(),
        "NO_MKDOCS_2_WARNING": "1",
        "AKS_KAITO_ENVIRONMENTS_DIR": "",
    }
    variables.pop("AKS_KAITO_ENV", None)
    for name, command in steps(source, out):
        ran = subprocess.run(
            command, cwd=source, env=variables, capture_output=True, text=True, check=False, umask=build.umask
        )
        if ran.returncode:
            raise StepError(f"{name} failed: {' '.join(command)}\n{ran.stdout}{ran.stderr}")
        if name.startswith("render"):
            (out / f"{name}.yaml").write_text(ran.stdout, encoding="utf-8")
    shutil.move(source / "cdktf.out", out / "cdktf.out")
    (out / "image-context.txt").write_text("\n".join(image_context(source / "app")), encoding="utf-8")


def steps(source: Path, out: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the command of each step."""
    yield "synthesize", [str(BIN / "python"), "-O", "main.py"]
    yield "wheel and sdist", [str(BIN / "python"), "-m", "hatchling", "build", "-d", str(out / "packages")]
    helm = shutil.which("helm", path=f"{BIN}{os.pathsep}{os.environ['PATH']}") or "helm"
    served = [word for kind in SERVED for word in ("--api-versions", kind)]
    for chart in CHARTS:
        yield f"package {chart}", [helm, "package", f"charts/{chart}", "--destination", str(out / "charts")]
        for values in sorted((source / "charts" / chart / "ci").glob("*.yaml")):
            command = [helm, "template", "release", f"charts/{chart}", "--namespace", "chat", "--values", str(values)]
            yield f"render {chart} {values.stem}", [*command, *served]
    yield "documentation", [str(MKDOCS), "build", "--strict", "--quiet", "--site-dir", str(out / "site")]


def copy(target: Path, moved_seconds: int) -> None:
    """Copy the files that git knows or would add, with moved times."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in sorted(set(listed.split("\0")) - {""}):
        path = ROOT / name
        if path.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target / name)
            time = path.stat().st_mtime + moved_seconds
            os.utime(target / name, (time, time))
    (target / MODULES).symlink_to(ROOT / MODULES)


def committed() -> str:
    """Return the time of the last commit, in seconds."""
    command = ["git", "log", "-1", "--format=%ct"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def image_context(app: Path) -> Iterator[str]:
    """Yield a line with the hash of each file that an image is built from, as `app/.dockerignore` admits it."""
    lines = (app / ".dockerignore").read_text(encoding="utf-8").splitlines()
    admitted = [line.removeprefix("!") for line in lines if line.startswith("!")]
    paths: Iterable[Path] = (path for name in admitted for path in [app / name, *(app / name).rglob("*")])
    for path in sorted({app / "Dockerfile", *paths}):
        if path.is_file() and "__pycache__" not in path.parts:
            executable = "x" if path.stat().st_mode & 0o100 else "-"
            yield f"{hashlib.sha256(path.read_bytes()).hexdigest()} {executable} {path.relative_to(app)}"


def digests(folder: Path) -> dict[str, str]:
    """Return the hash of each file by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def differences(first: dict[str, str], second: dict[str, str], one: Path, other: Path) -> Iterator[str]:
    """Yield a line for each file that differs, or that one build alone has; of texts also the first other lines."""
    for name in sorted(first.keys() | second.keys()):
        if first.get(name) == second.get(name):
            continue
        if name not in first or name not in second:
            yield f"{name}: only in the {'second' if name in second else 'first'} build"
            continue
        yield f"{name}: differs"
        try:
            texts = [(place / name).read_text(encoding="utf-8").splitlines() for place in (one, other)]
        except UnicodeDecodeError:
            continue
        pairs = [pair for pair in zip(*texts, strict=False) if pair[0] != pair[1]]
        for before, after in pairs[: SHOWN // 2]:
            yield f"  - {before[:200]}"
            yield f"  + {after[:200]}"


if __name__ == "__main__":
    sys.exit(main())
