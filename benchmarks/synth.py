"""How long a synthesis takes and how much memory, beside the CDK alone: whole processes, all kinds in turn.

Every round runs each kind once, so that a machine that gets slower slows all of them; a ratio is the median of the
rounds' own ratios. Writes `benchmarks/synth.json` and `docs/benchmarks.md`.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aks_kaito import node
from aks_kaito.review import documents

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "synth.json"
PAGE = ROOT / "docs" / "benchmarks.md"
ENVIRONMENT = "dev"
STACK = f"kaito-{ENVIRONMENT}-platform"
COUNTS = (1, 2, 4, 8)
FEWEST_RUNS = 5
KIB_PER_MIB = 1024

BARE = "bare Python and Node.js"
CORE = "cdktn core, an empty stack"
CORE_FULL = "cdktn core, the same resources untyped"
OURS = "ours"
CHECKED = "ours, arguments checked twice (without -O)"
EAGER = "ours, eager (AKS_KAITO_EAGER=1)"


@dataclass
class Kind:
    """One kind of run: its command, its variables, and what its runs took."""

    command: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    peak_mib: float = 0

    def run(self) -> None:
        """Run once and note the time, and the memory of the largest of its processes."""
        errors = tempfile.TemporaryFile()
        started = time.perf_counter()
        process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env={**os.environ, **self.variables},
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.seconds.append(time.perf_counter() - started)
        self.peak_mib = max(self.peak_mib, usage.ru_maxrss / KIB_PER_MIB)
        if process.returncode:
            errors.seek(0)
            raise SystemExit(f"{self.command}: exit status {process.returncode}\n{errors.read().decode()}")
        errors.close()


def main() -> int:
    """Measure, and write the results and their page."""
    parser = argparse.ArgumentParser(description="How long a synthesis takes, beside the CDK alone.")
    parser.add_argument("--runs", type=int, default=FEWEST_RUNS, help=f"rounds; at least {FEWEST_RUNS} for the page")
    parser.add_argument("--tests", action="store_true", help="also time the test suite, once")
    arguments = parser.parse_args()
    if arguments.runs < FEWEST_RUNS:
        parser.error(f"--runs {arguments.runs}: must be at least {FEWEST_RUNS}; fewer say nothing")
    for name in [name for name in os.environ if name.startswith("AKS_KAITO_") or name == "PYTHONDONTWRITEBYTECODE"]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as folder:
        kinds = _kinds(Path(folder))
        for number in range(arguments.runs + 1):
            print(f"round {number} of {arguments.runs}{'' if number else ' (not counted)'}", file=sys.stderr)
            for kind in kinds.values():
                kind.run()
        resources = len(documents.read(Path(folder) / "out" / "stacks" / STACK / documents.FILE).managed)
    for kind in kinds.values():
        del kind.seconds[0]
    results = _results(kinds, resources, arguments.runs)
    if arguments.tests:
        started = time.perf_counter()
        subprocess.run(["make", "test"], cwd=ROOT, check=True)  # noqa: S607
        results["test_suite_seconds"] = round(time.perf_counter() - started, 1)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    PAGE.write_text(page(results), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))
    return 0


def _kinds(folder: Path) -> dict[str, Kind]:
    """Every kind of run, by its name; output goes to the folder."""
    node.select()
    bundled = os.environ["JSII_NODE"]
    for name in ("NODE_OPTIONS", "CDKTN_DISABLE_CREATION_STACK"):
        os.environ.pop(name, None)
    program = [sys.executable, "-O", "main.py"]
    out = folder / "out"
    ours = {"CDKTF_OUTDIR": str(out), "AKS_KAITO_ENV": ENVIRONMENT}
    started = f"import subprocess; subprocess.run([{bundled!r}, '-e', '0'], check=True)"
    core = [sys.executable, str(ROOT / "benchmarks" / "core.py"), str(folder / "core")]
    kinds = {
        OURS: Kind(program, ours),
        BARE: Kind([sys.executable, "-c", started]),
        CORE: Kind(core),
        CORE_FULL: Kind([*core, str(out / "stacks" / STACK / documents.FILE)]),
        CHECKED: Kind([sys.executable, "main.py"], ours),
        EAGER: Kind(program, {**ours, "AKS_KAITO_EAGER": "1"}),
    }
    for count in COUNTS:
        environments = folder / f"environments-{count}"
        environments.mkdir()
        for number in range(count):
            shutil.copy(ROOT / "environments" / f"{ENVIRONMENT}.toml", environments / f"copy{number}.toml")
        variables = {"CDKTF_OUTDIR": str(folder / f"out-{count}"), "AKS_KAITO_ENVIRONMENTS_DIR": str(environments)}
        kinds[_several(count)] = Kind(program, variables)
    return kinds


def _several(count: int) -> str:
    return f"ours, {count} environment{'s' * (count > 1)} in one process"


def _results(kinds: dict[str, Kind], resources: int, runs: int) -> dict[str, Any]:
    def ratio(name: str, peer: str) -> float:
        pairs = zip(kinds[name].seconds, kinds[peer].seconds, strict=True)
        return round(statistics.median(one / other for one, other in pairs), 2)

    def median(name: str) -> float:
        return statistics.median(kinds[name].seconds)

    more = COUNTS[-1] - COUNTS[0]
    return {
        "runs": runs,
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "resources": resources,
        "kinds": {
            name: {
                "median_seconds": round(median(name), 3),
                "least_seconds": round(min(kind.seconds), 3),
                "most_seconds": round(max(kind.seconds), 3),
                "peak_mib": round(kind.peak_mib),
                "ratio_to_core": ratio(name, CORE),
            }
            for name, kind in kinds.items()
        },
        "eager_to_ours": ratio(EAGER, OURS),
        "ours_to_core": ratio(OURS, CORE),
        "ours_to_core_full": ratio(OURS, CORE_FULL),
        "eight_to_one": ratio(_several(COUNTS[-1]), _several(COUNTS[0])),
        "first_stack_ms_per_resource": round((median(OURS) - median(CORE)) * 1000 / resources, 1),
        "next_stack_ms_per_resource": round(
            (median(_several(COUNTS[-1])) - median(_several(COUNTS[0]))) * 1000 / resources / more, 1
        ),
    }


def page(results: dict[str, Any]) -> str:
    """The Markdown of docs/benchmarks.md."""
    goals = (
        ("eager, as the CDK loads by itself, to ours", "eager_to_ours", 3, True),
        ("ours to cdktn core, an empty stack", "ours_to_core", 2, False),
        ("ours to cdktn core, the same resources", "ours_to_core_full", 2, False),
        ("8 environments to 1", "eight_to_one", 2.5, False),
    )
    rows = [
        f"| {name} | {kind['median_seconds']:.2f} | {kind['least_seconds']:.2f}-{kind['most_seconds']:.2f} | "
        f"{kind['ratio_to_core']:.2f} | {kind['peak_mib']} |"
        for name, kind in results["kinds"].items()
    ]
    verdicts = [
        f"| {what} | {results[key]:.2f} | {'at least' if is_floor else 'at most'} {goal:g} | "
        f"{'met' if (results[key] >= goal) == is_floor or results[key] == goal else '**not met**'} |"
        for what, key, goal, is_floor in goals
    ]
    tests = results.get("test_suite_seconds")
    return "\n".join(
        [
            _HEADER.format(**results, environment=ENVIRONMENT),
            "| Kind | median s | least-most s | to core | peak MiB |\n|---|---|---|---|---|",
            *rows,
            _RATIOS,
            "| Ratio | measured | goal | |\n|---|---|---|---|",
            *verdicts,
            _FOOTER.format(**results),
            *([f"`make test`, warm, on this machine: {tests:.0f} s (goal: at most 90).\n"] if tests else []),
        ]
    )


_HEADER = """\
# Benchmarks

How long `python -O main.py` takes, which `make synth` and the CDK's CLIs run. Written by `make benchmark` (`benchmarks/synth.py`); do not edit this page. Whole
processes, {runs} rounds in which every kind runs once, after one that is not counted; {processors} processors, Python
{python}; `{environment}` has {resources} resources. Seconds depend on the machine; trust the ratios, each the median of the
rounds' own. Memory is that of the largest process, which is Node.js.
"""
_RATIOS = ""
_FOOTER = """
A stack costs {first_stack_ms_per_resource} ms a resource more than the core does for an empty one, first uses of bindings
and the settings included; each further environment in the same process costs {next_stack_ms_per_resource} ms a resource.
"""


if __name__ == "__main__":
    sys.exit(main())
