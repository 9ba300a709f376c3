"""Publish a GitHub release: the files in dist/files, of which release-notes.md has the notes.

    .venv/bin/python tools/github_release.py v0.2.0

The GitHub CLI takes its token from GH_TOKEN. A release that exists is refused: nothing that others use is changed.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = Path("dist", "files")
NOTES = "release-notes.md"


def main() -> None:
    """Publish the release of the tag that the command line names."""
    if len(sys.argv) != 2 or not re.fullmatch(r"v\d+\.\d+\.\d+", sys.argv[1]):  # noqa: PLR2004
        raise SystemExit("usage: github_release.py TAG: set TAG=v0.2.0")
    files = sorted(path for path in (ROOT / FILES).glob("*") if path.name != NOTES)
    notes = ROOT / FILES / NOTES
    if not files or not notes.exists():
        raise SystemExit(f"{FILES} needs {NOTES} and at least one other file")
    tag = sys.argv[1]
    command = ["gh", "release", "create", tag, *map(str, files)]
    options = ["--verify-tag", "--title", tag, "--notes-file", str(notes)]
    try:
        raise SystemExit(subprocess.run([*command, *options], cwd=ROOT, check=False).returncode)
    except FileNotFoundError:
        raise SystemExit("gh is not on the PATH (package: gh)") from None


if __name__ == "__main__":
    main()
