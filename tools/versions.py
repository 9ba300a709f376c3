"""The copies of the version: charts, the application's package, and tags in examples.

The version itself is `aks_kaito.__version__`.
"""

import re
from pathlib import Path

from aks_kaito import __version__

ROOT = Path(__file__).parents[1]
# Globs of files, with a pattern that ends before the version in each.
_TAG = r"(?:\bTAG=v?|chat_image_tag=|kaito-chat:|chat\.image\.tag=|aks-kaito deploy \w+ )"
PLACES = {
    "Makefile": _TAG,
    "README.md": _TAG,
    "SECURITY.md": r"(?:kaito-chat:|refs/tags/v)",
    "app/pyproject.toml": r"^name = \"kaito-chat\"\nversion = \"",
    "charts/*/Chart.yaml": r"^(?:version|appVersion): ",
    "charts/*/README.md": _TAG,
    "charts/*/ci/*.yaml": r"^ +tag: ",
    "cli/aks_kaito_cli/groups/deployment.py": _TAG,
    "docs/**/*.md": _TAG,
    "docs/examples/*.yml": r"^  (?:IMAGE_TAG|imageTag): ",
}


def applied(pages: dict[Path, str]) -> dict[Path, str]:
    """Return the pages, and the files with copies, with the current version in each copy."""
    found = dict(pages)
    for glob, before in PLACES.items():
        for path in sorted(ROOT.glob(glob)):
            text = found[path] if path in found else path.read_text(encoding="utf-8")
            found[path] = re.sub(
                rf"({before})\d+\.\d+\.\d+(?![-.\w])", rf"\g<1>{__version__}", text, flags=re.MULTILINE
            )
    return found
