"""Patches of Chainlit that other checks make unreachable in the running application."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from support.project import ROOT

# Runs in a subprocess, because Chainlit writes files when it is imported.
FOLDERS = """
import json, sys
from kaito_chat.chat.chainlit_patches import guard_files
from chainlit.session import HTTPSession
guard_files()
def folder(id):
    try:
        session = HTTPSession(id=id, client_type="webapp", thread_id=None, user=None, token=None, user_env=None)
        return str(session.files_dir)
    except ValueError as error:
        return f"refused: {error}"
print(json.dumps({id: folder(id) for id in sys.argv[1:]}))
"""
OURS = str(uuid.uuid4())
OTHERS = ["/srv/x", "..", "../x", "", "x", "A" * 36]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chainlit")


@pytest.fixture(scope="module")
def folders(root: Path) -> dict[str, str]:
    """Return the folder of each session, or its refusal."""
    environment = os.environ | {"CHAINLIT_APP_ROOT": str(root), "PYTHONPATH": str(ROOT / "app")}
    command = [sys.executable, "-c", FOLDERS, *OTHERS, OURS]
    run = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, str] = json.loads(run.stdout.strip().splitlines()[-1])
    return found


@pytest.mark.parametrize("session_id", OTHERS)
def test_a_session_has_no_folder_outside_of_chainlits_own(folders: dict[str, str], session_id: str) -> None:
    assert folders[session_id] == "refused: the id of a session must be a UUID"


def test_a_session_has_its_folder(folders: dict[str, str], root: Path) -> None:
    assert Path(folders[OURS]) == root / ".files" / OURS
