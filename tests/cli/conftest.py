"""A synthesized copy of the project, once a session."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.stand_ins import linked


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of links to this one, with a `cdktf.out` of its own in which all environments are synthesized."""
    folder = linked(tmp_path_factory.mktemp("project"))
    subprocess.run([sys.executable, "-O", "main.py"], cwd=folder, check=True, capture_output=True, timeout=120)
    return folder
