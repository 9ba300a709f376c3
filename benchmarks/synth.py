"""Time and memory of a synthesis compared with the CDK alone, measured on whole processes.

Every round runs each kind once, so that changes of the machine's speed affect all of them; a ratio is the median of
the ratios of all rounds. Writes `benchmarks/synth.json` and `docs/explanation/benchmarks.md`.
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
PAGE = ROOT / "docs" / "explanation" / "benchmarks.md"
BY_HAND = "\n## The checks before a deployment\n"
ENVIRONMENT = "dev"
STACK = f"kaito-{ENVIRONMENT}-platform"
COUNTS = (1, 2, 4, 8)
FEWEST_RUNS = 5
KIB_PER_MIB = 1024

BARE = "bare Python and Node.js"
CORE = "cdktn core, an empty stack"
CORE_FULL = "cdktn core, the same resources untyped"
OURS = "ours"
MAKE = "make synth, with its table"
CHECKED = "ours, arguments checked twice (without -O)"
EAGER = "ours, eager (AKS_KAITO_EAGER=1)"


@dataclass
class Kind:
    """One kind of run: its command, its variables, and its measurements."""

    command: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    peak_mib: float = 0

    def run(self) -> None:
        """Run once; record the time, the CPU time of all processes, and the memory of the largest one."""
        variables = {**os.environ, **self.variables}
        started = time.perf_counter()
        # Errors go to the terminal: an unread pipe could fill up and block the process.
        process = subprocess.Popen(self.command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        self.seconds.append(time.perf_counter() - started)
        self.cpu_seconds.append(usage.ru_utime + usage.ru_stime)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.peak_mib = max(self.peak_mib, usage.ru_maxrss / KIB_PER_MIB)
        if process.returncode:
            raise SystemExit(f"{' '.join(self.command)}: exit status {process.returncode}")


def main() -> int:
    """Measure, and write the results and the page."""
    parser = argparse.ArgumentParser(description="Time and memory of a synthesis, compared with the CDK alone.")
    parser.add_argument("--runs", type=int, default=FEWEST_RUNS, help=f"rounds; at least {FEWEST_RUNS} for the page")
    parser.add_argument("--tests", action="store_true", help="also time the test suite, once")
    arguments = parser.parse_args()
    if arguments.runs < FEWEST_RUNS:
        parser.error(f"--runs {arguments.runs}: must be at least {FEWEST_RUNS}")
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
        del kind.seconds[0], kind.cpu_seconds[0]
    results = _results(kinds, resources, arguments.runs)
    if arguments.tests:
        started = time.perf_counter()
        subprocess.run(["make", "test"], cwd=ROOT, check=True)  # noqa: S607
        results["test_suite_seconds"] = round(time.perf_counter() - started, 1)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    # The rest of the page is written by hand, from the results of the other benchmarks.
    _, mark, below = PAGE.read_text(encoding="utf-8").partition(BY_HAND)
    PAGE.write_text(page(results).rstrip() + f"\n{mark}{below}", encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))
    return 0


def _kinds(folder: Path) -> dict[str, Kind]:
    """Return every kind of run by name; output goes to the folder."""
    node.select()
    bundled = os.environ["JSII_NODE"]
    for name in ("NODE_OPTIONS", "CDKTN_DISABLE_CREATION_STACK", "JSII_RUNTIME", "JSII_PROGRAM", "NODE_COMPILE_CACHE"):
        os.environ.pop(name, None)
    program = [sys.executable, "-O", "main.py"]
    out = folder / "out"
    ours = {"CDKTF_OUTDIR": str(out), "AKS_KAITO_ENV": ENVIRONMENT}
    started = f"import subprocess; subprocess.run([{bundled!r}, '-e', '0'], check=True)"
    core = [sys.executable, str(ROOT / "benchmarks" / "core.py"), str(folder / "core")]
    kinds = {
        OURS: Kind(program, ours),
        MAKE: Kind(["make", "synth", f"ENV={ENVIRONMENT}"], ours),
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
    def median_ratio(ones: list[float], others: list[float]) -> float:
        return round(statistics.median(one / other for one, other in zip(ones, others, strict=True)), 2)

    def ratio(name: str, peer: str) -> float:
        return median_ratio(kinds[name].cpu_seconds, kinds[peer].cpu_seconds)

    def median(name: str) -> float:
        return statistics.median(kinds[name].cpu_seconds)

    more = COUNTS[-1] - COUNTS[0]
    return {
        "runs": runs,
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "resources": resources,
        "kinds": {
            name: {
                "median_seconds": round(statistics.median(kind.seconds), 3),
                "least_seconds": round(min(kind.seconds), 3),
                "most_seconds": round(max(kind.seconds), 3),
                "peak_mib": round(kind.peak_mib),
                "ratio_to_core": median_ratio(kind.seconds, kinds[CORE].seconds),
                "cpu_ratio_to_core": ratio(name, CORE),
            }
            for name, kind in kinds.items()
        },
        "eager_to_ours": ratio(EAGER, OURS),
        "ours_to_core": ratio(OURS, CORE),
        "ours_to_core_full": ratio(OURS, CORE_FULL),
        "make_to_ours": ratio(MAKE, OURS),
        "eight_to_one": ratio(_several(COUNTS[-1]), _several(COUNTS[0])),
        "first_stack_ms_per_resource": round((median(OURS) - median(CORE)) * 1000 / resources, 1),
        "next_stack_ms_per_resource": round(
            (median(_several(COUNTS[-1])) - median(_several(COUNTS[0]))) * 1000 / resources / more, 1
        ),
    }


def page(results: dict[str, Any]) -> str:
    """Return the Markdown of docs/explanation/benchmarks.md."""
    rows = [
        f"| {name} | {kind['median_seconds']:.2f} | {kind['least_seconds']:.2f}-{kind['most_seconds']:.2f} | "
        f"{kind['ratio_to_core']:.2f} | {kind['cpu_ratio_to_core']:.2f} | {kind['peak_mib']} |"
        for name, kind in results["kinds"].items()
    ]
    verdicts = [_verdict(results[key], goal, what) for key, (goal, what) in GOALS.items()]
    suite = results.get("test_suite_seconds")
    tests = f"`make test`, warm, took {suite:.0f} s; the goal is at most 90.\n" if suite else ""
    text = _PAGE.format(**results, environment=ENVIRONMENT, rows="\n".join(rows), verdicts="\n".join(verdicts))
    return f"{text}{tests}\n{_NOTES}"


def _verdict(measured: float, goal: float, what: str) -> str:
    """Return a goal's row; a negative goal is a minimum."""
    is_met = measured >= -goal if goal < 0 else measured <= goal
    words = f"{'at least' if goal < 0 else 'at most'} {abs(goal):g}"
    return f"| {what} | {measured:.2f} | {words} | {'met' if is_met else '**not met**'} |"


# A negative goal is a minimum.
GOALS = {
    "eager_to_ours": (-3.0, "eager, the CDK's default, to ours"),
    "ours_to_core": (1.6, "ours to the core, an empty stack"),
    "ours_to_core_full": (2.0, "ours to the core, the same resources"),
    "make_to_ours": (1.2, "make synth, with its table, to main.py"),
    "eight_to_one": (1.8, "8 environments in one process to 1"),
}
_PAGE = """\
# Benchmarks

Duration of a synthesis: `python -O main.py`, as run by `make synth` and the CDK's CLIs. Written by `make benchmark`
(`benchmarks/synth.py`); do not edit this section. Whole processes, {runs} rounds in which every kind runs once, after
one warm-up round; {processors} processors, Python {python}. `{environment}` has {resources} resources. Seconds depend
on the machine: compare the ratios, each the median of all rounds. CPU time is that of all processes, which other work
on the machine affects less than the duration; memory is that of the largest one, Node.js.

| Kind | median s | min-max s | ratio to the empty core | ratio of CPU time | peak MiB |
|---|---|---|---|---|---|
{rows}

| Ratio of CPU time | measured | goal | |
|---|---|---|---|
{verdicts}

The first stack takes {first_stack_ms_per_resource} ms of CPU time per resource more than an empty stack of the core,
which includes reading the settings and the first use of each binding; each further environment in the process takes
{next_stack_ms_per_resource} ms per resource.
"""
_NOTES = """\
The profile of one environment, as shares of its CPU time. 232 messages pass between the processes: 134 create an
object, 83 read a property, 6 load a package.

| | share | |
|---|---|---|
| Python: start, jsii, the core | 17 % | the baseline has it too |
| Python: pydantic, reading and checking the settings | 16 % | 45 models, a tenth of it the two catalogs |
| Python: our modules and the classes of the bindings | 8 % | |
| Python: the definition of both stacks, and their messages | 6 % | |
| Python: its end, and the rest | 3 % | |
| Node.js: start, jsii's program | 7 % | the baseline has it twice |
| Node.js: the core's package | 8 % | the baseline has it too |
| Node.js: the four packages of bindings | 4 % | |
| Node.js: the code of the forty used resources | 6 % | |
| Node.js: creating the objects | 13 % | three times as long for each as in the eighth environment |
| Node.js: reading properties | 2 % | |
| Node.js: the core's synthesis of both stacks | 10 % | |

The limit of one environment: the start of both processes, jsii and the core take 0.8 × the baseline in one Node.js
process with kept code, pydantic and the settings 0.3 ×, and the code of the resources, run for the first time, 0.8 ×.
No single part is left whose removal would reach 1.6. Measured and not used: a snapshot of V8's heap with the program,
the core and the bindings takes 0.92 × of the time, but is a file of 17 to 37 MB for each set of versions, Node.js does
not support its own loader of modules in one, and the variables of the process that made it stay in it. Python's end,
`importlib.metadata` and the catalogs' TOML take 1 to 2 % each.

The gains, as CPU time in runs that alternate, on two processors that other work shared. One Node.js process instead of
two (`jsii_runtime.cjs`) took 0.91 ×, with compiled code kept between runs 0.83 ×; models of settings built once 0.87 ×
of their time; bindings loaded in a thread 0.92 × of the duration. Relative to the version with all these:

| each with those above it | one environment | eight |
|---|---|---|
| packages hashed once, definitions of types read in part | 0.91 × | |
| messages converted by `jsii_client.py`, without arguments that are not set | 0.87 × | 0.79 × |
| references read once, rare bindings late, charts read once for all environments | 0.81 × | 0.77 × |

A further environment costs 0.7 × of what it cost before. Tried without a gain: smaller and larger young generations,
one thread for garbage collection, other flags of V8, no optimizing compilers, and `python -OO`.
"""


if __name__ == "__main__":
    sys.exit(main())
