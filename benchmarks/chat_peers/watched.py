"""The chat application, which writes the pauses of its garbage collections to a file at its end.

The pauses are milliseconds by generation: `{"0": [0.4], "1": [], "2": [61.2]}`.
"""

import gc
import json
import os
import runpy
import time
from pathlib import Path

pauses: dict[int, list[float]] = {0: [], 1: [], 2: []}
began = [0.0]


def watch(phase: str, info: dict[str, int]) -> None:
    """Measure one collection."""
    if phase == "start":
        began[0] = time.perf_counter()
    else:
        pauses[info["generation"]].append((time.perf_counter() - began[0]) * 1000)


gc.callbacks.append(watch)
try:
    runpy.run_module("kaito_chat", run_name="__main__")
finally:
    Path(os.environ["PAUSES_FILE"]).write_text(json.dumps(pauses), encoding="utf-8")
