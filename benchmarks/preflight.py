"""Measure `aks-kaito preflight` against a fake of Azure: whole processes, and their ratio to one answer.

`preflight.py [ROUNDS]` prints a table. az is a stand-in that answers at once; each answer of Azure takes 0.3 s. On a
machine that is busy with other work, compare the processor's time and the requests at once.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support import ready_subscription as ready  # noqa: E402 - found by the line above
from support.fake_azure import running  # noqa: E402
from support.fake_dns import running as running_dns  # noqa: E402
from support.preflights import DEV, PROD, written  # noqa: E402
from support.project import OWN_ID  # noqa: E402
from support.stand_ins import AKS_KAITO, environment, prepare  # noqa: E402

_ANSWER_SECONDS = 0.3
_GOAL_SECONDS = 3


def main(rounds: int) -> None:
    """Print a row for each environment, and one for the process alone."""
    print(f"Each answer takes {_ANSWER_SECONDS} s; {rounds} rounds; {os.cpu_count()} processors.\n")
    print("| | median s | max s | CPU s | requests | at once | ratio to one answer |\n|---|---|---|---|---|---|---|")
    for name, text in (("dev", DEV), ("prod", PROD)):
        with tempfile.TemporaryDirectory() as folder:
            _measure(name, text, Path(folder), rounds)


def _measure(name: str, text: str, folder: Path, rounds: int) -> None:
    seconds = []
    before = _cpu_seconds()
    with running() as azure, running_dns() as public:
        ready.prepare(azure, written(folder, text, name))
        azure.seconds = _ANSWER_SECONDS
        chosen = {**environment(folder, text, name), "AKS_KAITO_ARM_ENDPOINT": azure.endpoint}
        chosen["AKS_KAITO_DNS_SERVER"] = public.address
        variables = prepare(folder, answers={"account show": OWN_ID}, variables=chosen)
        for _ in range(rounds):
            azure.requests.clear()
            began = time.monotonic()
            subprocess.run([*AKS_KAITO, "preflight", name], env=variables, stdout=subprocess.DEVNULL, check=True)
            seconds.append(time.monotonic() - began)
        requests, most = len(azure.requests), azure.most_at_once
    median, cpu = statistics.median(seconds), (_cpu_seconds() - before) / rounds
    times = f"{median:.2f} | {max(seconds):.2f} | {cpu:.2f}"
    row = f"| {name} | {times} | {requests} | {most} | {median / _ANSWER_SECONDS:.1f} |"
    print(f"{row}{'' if max(seconds) <= _GOAL_SECONDS else ' **missed**'}", flush=True)


def _cpu_seconds() -> float:
    """Return the processor's time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 5)
