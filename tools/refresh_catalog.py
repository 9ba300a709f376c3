"""Add the tables of KAITO's newest release to the catalog, and describe the change in dist/catalog.md.

    .venv/bin/python tools/refresh_catalog.py [REPOSITORY]

Needs git. Change nothing if the catalog has that release. A person must then confirm the row in `catalog.toml`: whether
AKS's add-on or the open-source chart has the release, and whether its controller refuses sizes that it does not know.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import kaito_catalog

ROOT = Path(__file__).parents[1]
OUTPUT = Path("dist", "catalog.md")
REPOSITORY = "https://github.com/kaito-project/kaito"
_FACTS = ROOT / "constructs" / "aks_kaito" / "catalog.toml"
_ROW = (
    '"{version}" = {{ released_as = "open-source chart", presets_need_known_size = true, '
    'source = "https://github.com/kaito-project/kaito/releases/tag/v{version}" }}'
)
_DESCRIPTION = """\
KAITO {version} is released; the catalog's newest tables were those of {before}. This adds its tables of GPU sizes,
presets and models, read from the tag `v{version}`.

Before a merge:

- Read its release notes and `pkg/sku`: does `presets_need_known_size` hold? Did features come or go (`kaito_features`)?
- Does AKS's managed add-on have it? Then `released_as` is `managed add-on`.
- Add its definitions of custom resources to the tests of the chart.
"""


def main() -> None:
    """Refresh the catalog from the repository that the command line names, or from KAITO's."""
    repository = sys.argv[1] if len(sys.argv) > 1 else REPOSITORY
    changed = refresh(repository, _FACTS, kaito_catalog.CATALOG)
    (ROOT / OUTPUT).parent.mkdir(exist_ok=True)
    (ROOT / OUTPUT).write_text(changed or "Nothing has changed.\n", encoding="utf-8")
    print(changed or "The catalog has the tables of KAITO's newest release.")


def refresh(repository: str, facts: Path, tables: Path) -> str:
    """Add the newest release to both files, and return the description; return nothing if they have it."""
    known = tomllib.loads(tables.read_text(encoding="utf-8"))["versions"]
    before = max(known, key=_number)
    version = newest(repository)
    if _number(version) <= _number(before):
        return ""
    with tempfile.TemporaryDirectory(prefix="kaito-") as folder:
        _git("clone", "--quiet", "--depth", "1", "--branch", f"v{version}", repository, folder)
        source = kaito_catalog.read(Path(folder), version)
    text = kaito_catalog.updated(tables.read_text(encoding="utf-8"), version, source, datetime.now(UTC).date())
    tables.write_text(text, encoding="utf-8")
    facts.write_text(_with_row(facts.read_text(encoding="utf-8"), version), encoding="utf-8")
    return _DESCRIPTION.format(version=version, before=before)


def newest(repository: str) -> str:
    """Return the newest version that a repository has a tag of, without release candidates."""
    listed = _git("ls-remote", "--tags", "--refs", repository)
    versions = re.findall(r"refs/tags/v(\d+\.\d+\.\d+)$", listed, re.MULTILINE)
    if not versions:
        raise SystemExit(f"{repository} has no tag such as v0.12.0")
    return str(max(versions, key=_number))


def _with_row(text: str, version: str) -> str:
    """Return the catalog with a row for a version, below those of the other versions."""
    head, table, rest = text.partition("[kaito_versions]\n")
    rows, blank, tail = rest.partition("\n\n")
    return f"{head}{table}{rows}\n{_ROW.format(version=version)}{blank}{tail}"


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _git(*arguments: str) -> str:
    try:
        ran = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)  # noqa: S607 - the PATH's
    except FileNotFoundError:
        raise SystemExit("git is not on the PATH (package: git)") from None
    if ran.returncode:
        raise SystemExit(f"git {arguments[0]} failed: {ran.stderr.strip()}")
    return ran.stdout


if __name__ == "__main__":
    main()
