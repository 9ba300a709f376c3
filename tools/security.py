"""Static security checks of every environment's Terraform with checkov, except suppressed failures.

`python tools/security.py CHECKOV`: each failure must have a suppression in `security.toml`, with its reason, and each
suppression must match a failure. Exit status: 0, or 1 with a line for each violation.
"""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Suppression:
    """A check that is allowed to fail on matching resources of some environments, and the reason."""

    check: str
    resource: str
    environments: tuple[str, ...]
    reason: str

    def covers(self, environment: str, check: str, address: str) -> bool:
        """Return whether the suppression matches a failure."""
        return self.check == check and environment in self.environments and fnmatch(address, self.resource)


def suppressions() -> list[Suppression]:
    """Read the suppressions in `security.toml`."""
    data = tomllib.loads((ROOT / "tools" / "security.toml").read_text(encoding="utf-8"))
    return [Suppression(**{**item, "environments": tuple(item["environments"])}) for item in data["suppression"]]


def synthesize(folder: Path) -> list[Path]:
    """Write the Terraform JSON of all environments below `folder`, and return the files of the platform stacks.

    The stacks of workloads contain Helm releases, which checkov does not support; the charts have their own checks.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AKS_KAITO_")}
    subprocess.run(
        [sys.executable, str(ROOT / "main.py")],
        cwd=ROOT,
        env={**environment, "CDKTF_OUTDIR": str(folder)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    found = sorted(folder.glob("stacks/*-platform/cdk.tf.json"))
    for path in found:
        document = json.loads(path.read_text(encoding="utf-8"))
        # checkov cannot read strings and removals at the top of a document; neither is a resource.
        del document["terraform"]["required_version"]
        document.pop("removed", None)
        path.write_text(json.dumps(document), encoding="utf-8")
    return found


def failures(checkov: str, path: Path) -> tuple[int, list[dict[str, Any]]]:
    """Return the number of passed checks of a file, and the failures. Raises RuntimeError if checkov cannot read it."""
    options = ["--framework", "terraform_json", "--output", "json", "--compact", "--quiet", "--skip-download"]
    ran = subprocess.run([checkov, "--file", str(path), *options], capture_output=True, text=True, check=False)
    report = json.loads(ran.stdout)
    summary = report["summary"]
    if summary["parsing_errors"] or not summary["passed"]:
        raise RuntimeError(f"checkov cannot read {path}: {summary}\n{ran.stderr}")
    return summary["passed"], report["results"]["failed_checks"]


def main() -> int:
    """Check all environments and print the result."""
    checkov = sys.argv[1]
    decided = suppressions()
    used: set[Suppression] = set()
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for path in synthesize(Path(folder)):
            before = len(problems)
            environment = path.parent.name.removeprefix("kaito-").removesuffix("-platform")
            passed, failed = failures(checkov, path)
            for failure in failed:
                address = failure["resource"].removeprefix("resource.")
                matching = [item for item in decided if item.covers(environment, failure["check_id"], address)]
                used.update(matching)
                if not matching:
                    problems.append(f"{environment}: {failure['check_id']} {address}: {failure['check_name']}")
            open_failures = len(problems) - before
            print(f"{environment}: {passed} passed, {len(failed) - open_failures} suppressed, {open_failures} open")
    problems += [f"security.toml: {item.check} on {item.resource} suppresses nothing" for item in set(decided) - used]
    print("\n".join(problems) if problems else "every failure has its reason in tools/security.toml")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
