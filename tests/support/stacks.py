"""Synthesized stacks, each made once in a test run, by whichever of its processes needs it first."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from filelock import FileLock

from aks_kaito.settings import Environment

# The folder of a run's stacks. Its processes inherit the variable from the one that starts them.
_FOLDER = "AKS_KAITO_TEST_STACKS"


def begin() -> bool:
    """Make the folder of this run's stacks; return False in a process whose run has one."""
    if _FOLDER in os.environ:
        return False
    os.environ[_FOLDER] = tempfile.mkdtemp(prefix="aks-kaito-stacks-")
    return True


def end() -> None:
    """Remove the folder of this run's stacks."""
    shutil.rmtree(os.environ.pop(_FOLDER))


def synthesized(environment: Environment, part: str = "platform") -> dict[str, Any]:
    """Return the Terraform JSON of one of an environment's stacks, without backend and paths."""
    settings = environment.settings
    text = f"{part} {environment.name} {settings.model_dump_json()} {list(settings.all_models)} {environment.templates}"
    path = Path(os.environ[_FOLDER]) / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            path.write_text(_synthesize(environment, part), encoding="utf-8")
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _synthesize(environment: Environment, part: str) -> str:
    # Imported late because this starts Node.js, which tests of settings do without.
    from cdktn import Testing as CdkTesting  # noqa: PLC0415

    from aks_kaito.stacks.platform import PlatformStack  # noqa: PLC0415
    from aks_kaito.stacks.workloads import WorkloadsStack  # noqa: PLC0415

    stack = {"platform": PlatformStack, "workloads": WorkloadsStack}[part](CdkTesting.app(), environment)
    text: str = CdkTesting.synth(stack, True)  # noqa: FBT003  (jsii takes no keyword)
    return text
