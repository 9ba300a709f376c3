"""Static security checks of the chart with checkov, except those that the chart's `.checkov.yaml` skips, with reasons.

`python tools/chart_security.py CHECKOV`: exit status 0, or 1 with a line for each failure and each unused exception.
checkov renders the chart with the helm beside this Python, through a script that names the kinds of a cluster: checkov
passes no API versions, without which the chart refuses InferenceSets and the Gateway.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[1] / "charts" / "kaito-chat"
DECISIONS = ".checkov.yaml"
CASES = ("default", "everything", "external", "gateway", "models", "routing")
SERVED = (
    "kaito.sh/v1beta1/InferenceSet",
    "inference.networking.k8s.io/v1/InferencePool",
    "gateway.networking.k8s.io/v1/Gateway",
)


def failures(checkov: str, case: str) -> list[dict[str, Any]]:
    """Return the failures for one case of values, without exceptions."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.pathsep.join((str(helm_of_a_cluster(Path(folder) / "bin")), os.environ["PATH"]))
        chart = Path(folder) / CHART.name
        shutil.copytree(CHART, chart, ignore=shutil.ignore_patterns(DECISIONS))  # checkov finds the file by itself
        command = [
            checkov,
            "--directory",
            str(chart),
            "--framework",
            "helm",
            "--output",
            "json",
            "--compact",
            "--quiet",
        ]
        command += ["--skip-download", "--var-file", str(CHART / "ci" / f"{case}-values.yaml")]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PATH": path})
    report = json.loads(ran.stdout or "{}")
    if not report.get("summary", {}).get("passed"):
        raise RuntimeError(f"checkov found nothing to check in the chart: {report}\n{ran.stderr}")
    found: list[dict[str, Any]] = report["results"]["failed_checks"]
    return found


def helm_of_a_cluster(folder: Path) -> Path:
    """Write a helm to a folder, and return the folder: its `template` renders for a cluster that serves all kinds."""
    real = Path(sys.executable).parent / "helm"
    found = shlex.quote(str(real) if real.exists() else shutil.which("helm") or "helm")
    served = " ".join(f"--api-versions {each}" for each in SERVED)
    folder.mkdir()
    script = folder / "helm"
    script.write_text(
        f'#!/bin/sh\nif [ "$1" = template ]; then exec {found} "$@" {served}; fi\nexec {found} "$@"\n', encoding="utf-8"
    )
    script.chmod(0o755)
    return folder


def main(checkov: str) -> int:
    """Check all cases and print the result."""
    decided = set(yaml.safe_load((CHART / DECISIONS).read_text(encoding="utf-8"))["skip-check"])
    used: set[str] = set()
    problems: list[str] = []
    for case in CASES:
        for failure in failures(checkov, case):
            used.add(failure["check_id"])
            if failure["check_id"] not in decided:
                problems.append(f"{case}: {failure['check_id']} {failure['resource']}: {failure['check_name']}")
    problems += [f".checkov.yaml: {check} skips nothing" for check in sorted(decided - used)]
    print("\n".join(problems) if problems else "the chart: every failure has its reason in .checkov.yaml")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
