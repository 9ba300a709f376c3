"""A synthesized copy of the project, once a session."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.project import ROOT


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of links to this one, with a `cdktf.out` of its own in which all environments are synthesized."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("app", "charts", "cli", "environments", "main.py"):
        (folder / name).symlink_to(ROOT / name)
    subprocess.run([sys.executable, "-O", "main.py"], cwd=folder, check=True, capture_output=True, timeout=120)
    return folder
