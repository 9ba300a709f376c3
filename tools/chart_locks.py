"""Write the hashes of other projects' chart archives to locks/charts.toml; with `--check`, compare and write nothing.

Terraform's helm provider takes no digest (hashicorp/terraform-provider-helm#1596), so a moved tag would go unnoticed.
Exit status: 0; 1 if an archive differs from its lock, or has none; 2 if an archive cannot be pulled.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from aks_kaito.charts.theirs import Chart
from hosts_docs import CHARTS, place

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "locks" / "charts.toml"


class PullError(Exception):
    """Helm cannot pull a chart."""


def main(arguments: list[str]) -> int:
    """Pull each chart, and write or compare the hash of its archive."""
    helm, *rest = arguments
    try:
        found = {chart.name: pulled(helm, chart) for chart in CHARTS}
    except PullError as error:
        print(error, file=sys.stderr)
        return 2
    if "--check" not in rest:
        LOCK.write_text(written(found), encoding="utf-8")
        print(f"wrote {LOCK.relative_to(ROOT)}")
        return 0
    problems = [text for chart in CHARTS if (text := problem(chart, found[chart.name]))]
    print("\n".join(problems) or "Every chart is the locked one.")
    return 1 if problems else 0


def pulled(helm: str, chart: Chart) -> str:
    """Return the hash of a chart's archive in its registry.

    Raises:
        PullError: Helm cannot pull it.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [helm, "pull", *place(chart).split(), "--version", chart.version]
        try:
            ran = subprocess.run(
                [*command, "--destination", folder], capture_output=True, text=True, check=False, timeout=300
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PullError(f"{' '.join(command)} failed: {error}") from None
        archives = list(Path(folder).glob("*.tgz"))
        if ran.returncode or len(archives) != 1:
            raise PullError(f"{' '.join(command)} failed: {ran.stderr.strip()}")
        return hashlib.sha256(archives[0].read_bytes()).hexdigest()


def locked() -> dict[str, dict[str, str]]:
    """Return version and hash of each locked chart by its name."""
    return tomllib.loads(LOCK.read_text(encoding="utf-8"))


def problem(chart: Chart, sha256: str) -> str:
    """Return a line about a chart whose archive is not the locked one; empty if it is."""
    lock = locked().get(chart.name)
    if lock is None or lock["version"] != chart.version:
        return f"{chart.name} {chart.version}: not locked. Run make locks, and review the change"
    if lock["sha256"] != sha256:
        return f"{chart.name} {chart.version}: the registry has {sha256}, locked is {lock['sha256']}"
    return ""


def written(found: dict[str, str]) -> str:
    """Return the text of the lock, with the comments above the first table."""
    head = re.split(r"^\[", LOCK.read_text(encoding="utf-8"), maxsplit=1, flags=re.MULTILINE)[0]
    tables = (f'[{chart.name}]\nversion = "{chart.version}"\nsha256 = "{found[chart.name]}"\n' for chart in CHARTS)
    return head + "\n".join(tables)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
