"""Write the release notes of a tag, cut from CHANGELOG.md, to dist/release-notes.md.

    .venv/bin/python tools/release_notes.py v0.2.0

Refuse a tag that is not the project's version, and a version without notes: neither would publish what its name says.
Relative links become links to the files of the tag.
"""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUTPUT = Path("dist", "release-notes.md")
VERSION = Path("constructs", "aks_kaito", "__init__.py")
_REPOSITORY = "aks-kaito/aks-kaito"
_LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s]+)\)")


def main() -> None:
    """Write the notes of the tag that the command line names."""
    if len(sys.argv) != 2:  # noqa: PLR2004
        raise SystemExit("usage: release_notes.py TAG: set TAG=v0.2.0")
    version = version_of(sys.argv[1], ROOT)
    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    files = f"{server}/{os.environ.get('GITHUB_REPOSITORY', _REPOSITORY)}/blob/v{version}"
    notes = notes_of(version, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), files)
    (ROOT / OUTPUT).parent.mkdir(exist_ok=True)
    (ROOT / OUTPUT).write_text(notes, encoding="utf-8")
    # The image's tag: the charts' appVersion has no v.
    if outputs := os.environ.get("GITHUB_OUTPUT"):
        with Path(outputs).open("a", encoding="utf-8") as file:
            file.write(f"version={version}\n")
    print(f"wrote {OUTPUT}")


def version_of(tag: str, project: Path) -> str:
    """Return the version of a tag, such as v0.2.0, which must be that of the project in a folder."""
    match = re.fullmatch(r"v?(\d+\.\d+\.\d+)", tag)
    if match is None:
        raise SystemExit(f"TAG={tag!r}: must be a version such as v0.2.0")
    # Read, not imported: what signs an image has only Python itself.
    text = (project / VERSION).read_text(encoding="utf-8")
    (version,) = re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if match[1] != version:
        raise SystemExit(f"TAG={tag!r}: the project's version is {version} ({VERSION})")
    return str(version)


def notes_of(version: str, changelog: str, files: str) -> str:
    """Return the notes of a version, without its heading.

    Args:
        version: Such as 0.2.0.
        changelog: The text of CHANGELOG.md.
        files: Address of the repository's files at the tag.
    """
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    for section in sections:
        heading, _, notes = section.partition("\n")
        if re.match(rf"\[?{re.escape(version)}\]?(\s|$)", heading) and notes.strip():
            return _LINK.sub(rf"]({files}/\1)", notes.strip()) + "\n"
    found = ", ".join(section.partition("\n")[0] for section in sections)
    raise SystemExit(f"CHANGELOG.md has no notes of {version}; it has: {found}")


if __name__ == "__main__":
    main()
