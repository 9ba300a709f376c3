import subprocess
import sys

from support.chat.processes import ROOT


def test_the_page_of_settings_is_current() -> None:
    command = [sys.executable, str(ROOT / "tools" / "chat_docs.py"), "--check"]
    ran = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT / "app")}, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
