"""Package the charts, push them to an OCI registry and sign what was pushed.

    .venv/bin/python tools/chart_release.py package v0.2.0
    .venv/bin/python tools/chart_release.py publish oci://ghcr.io/OWNER/NAME/charts
    .venv/bin/python tools/chart_release.py sign REGISTRY/NAME@sha256:DIGEST

helm and cosign sign in with the file that `docker login` writes. cosign signs without a key: with the identity of the
workflow that runs it. Only digests are signed, since a tag may move.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from release_notes import version_of

ROOT = Path(__file__).parents[1]
OUTPUT = Path("dist", "charts")
CHARTS = ("kaito-chat", "kaito-cluster")
_DIGEST = r"sha256:[0-9a-f]{64}"


def main() -> None:
    """Run the step that the command line names."""
    match sys.argv[1:]:
        case ["package", tag]:
            package(version_of(tag, ROOT))
        case ["publish", registry]:
            publish(registry)
        case ["sign", reference]:
            sign(reference)
        case _:
            raise SystemExit("usage: chart_release.py package TAG | publish REGISTRY | sign REFERENCE")


def package(version: str) -> None:
    """Write each chart with a version as an archive into dist/charts, and nothing else."""
    folder = ROOT / OUTPUT
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for chart in CHARTS:
        versions = ("--version", version, "--app-version", version)
        print(_output([_helm(), "package", str(ROOT / "charts" / chart), *versions, "--destination", str(folder)]))


def publish(registry: str) -> None:
    """Push each archive and sign its digest."""
    if not re.fullmatch(r"oci://[\w.-]+(:\d+)?(/[a-z0-9._-]+)+", registry):
        raise SystemExit(f"CHARTS={registry!r}: must be oci://, a registry and a path in lower case")
    archives = sorted((ROOT / OUTPUT).glob("*.tgz"))
    if len(archives) != len(CHARTS):
        raise SystemExit(f"{OUTPUT} has {len(archives)} archives instead of {len(CHARTS)}: make chart-package first")
    for archive in archives:
        said = _output([_helm(), "push", str(archive), registry])
        digest = re.search(rf"^Digest: ({_DIGEST})$", said, re.MULTILINE)
        if digest is None:
            raise SystemExit(f"helm push names no digest of {archive.name}: {said}")
        name = archive.stem.rpartition("-")[0]
        sign(f"{registry.removeprefix('oci://')}/{name}@{digest[1]}")


def sign(reference: str) -> None:
    """Sign a digest in a registry with cosign, without a key."""
    if not re.fullmatch(rf"[\w.-]+(:\d+)?(/[a-z0-9._-]+)+@{_DIGEST}", reference):
        raise SystemExit(f"REFERENCE={reference!r}: must be REGISTRY/NAME@sha256:DIGEST")
    print(_output(["cosign", "sign", "--yes", reference]))
    print(f"signed {reference}")


def _helm() -> str:
    """Return the pinned helm beside this Python, or the PATH's."""
    installed = Path(sys.executable).with_name("helm")
    return str(installed) if installed.exists() else "helm"


def _output(command: Sequence[str]) -> str:
    """Return what a program prints; exit with its message if it fails."""
    try:
        ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except FileNotFoundError:
        raise SystemExit(f"{command[0]} is not on the PATH") from None
    if ran.returncode:
        raise SystemExit(f"{Path(command[0]).name} {command[1]} failed: {ran.stdout.strip()}")
    return ran.stdout.strip()


if __name__ == "__main__":
    main()
