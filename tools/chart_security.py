"""Static security checks of the chart with checkov, except those that the chart's `.checkov.yaml` skips, with reasons.

`python tools/chart_security.py CHECKOV`: exit status 0, or 1 with a line for each failure and each unused exception.
checkov renders the chart with the helm beside this Python.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[1] / "charts" / "kaito-chat"
DECISIONS = ".checkov.yaml"
CASES = ("default", "everything", "external", "gateway", "models")
# An InferenceSet needs a cluster with this API, which checkov cannot simulate.
ALONE: dict[str, Any] = {
    "kind": "Workspace",
    "replicas": 1,
    "autoscaling": {"enabled": False},
    "autoUpgrade": {"enabled": False},
    "schedule": {},
}


def failures(checkov: str, case: str) -> list[dict[str, Any]]:
    """Return the failures for one case of values, without exceptions."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    with tempfile.TemporaryDirectory() as folder:
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
        values = yaml.safe_load((CHART / "ci" / f"{case}-values.yaml").read_text(encoding="utf-8"))
        values["model"] = values.get("model", {}) | ALONE
        file = Path(folder) / "values.yaml"
        file.write_text(yaml.safe_dump(values), encoding="utf-8")
        command += ["--skip-download", "--var-file", str(file)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PATH": path})
    report = json.loads(ran.stdout or "{}")
    if not report.get("summary", {}).get("passed"):
        raise RuntimeError(f"checkov found nothing to check in the chart: {report}\n{ran.stderr}")
    found: list[dict[str, Any]] = report["results"]["failed_checks"]
    return found


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
