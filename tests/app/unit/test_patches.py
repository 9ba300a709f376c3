"""Patches of Chainlit that other checks make unreachable in the running application."""

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from support.project import ROOT

# Runs in a subprocess, because Chainlit writes files when it is imported.
FOLDER = """
import sys
from kaito_chat.chat.chainlit_patches import guard_files
from chainlit.session import HTTPSession
guard_files()
try:
    session = HTTPSession(id=sys.argv[1], client_type="webapp", thread_id=None, user=None, token=None, user_env=None)
    print(session.files_dir)
except ValueError as error:
    print("refused:", error)
"""


@pytest.mark.parametrize("session_id", ["/srv/x", "..", "../x", "", "x", "A" * 36])
def test_a_session_has_no_folder_outside_of_chainlits_own(session_id: str, tmp_path: Path) -> None:
    assert folder_of(session_id, tmp_path) == "refused: the id of a session must be a UUID"


def test_a_session_has_its_folder(tmp_path: Path) -> None:
    session_id = str(uuid.uuid4())
    assert Path(folder_of(session_id, tmp_path)) == tmp_path / ".files" / session_id


def folder_of(session_id: str, root: Path) -> str:
    environment = os.environ | {"CHAINLIT_APP_ROOT": str(root), "PYTHONPATH": str(ROOT / "app")}
    command = [sys.executable, "-c", FOLDER, session_id]
    run = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, timeout=60, check=True)
    return run.stdout.strip().splitlines()[-1]
