import os
import subprocess
import sys
import tomllib
from importlib.metadata import requires, version
from pathlib import Path

import pytest

from support.project import ROOT

CODE = """
import sys
import kaito_chat
import chainlit.callbacks, chainlit.data, chainlit.session, chainlit.step
from literalai.client import Traceloop
print(sorted(name for name in sys.modules if name.partition(".")[0] in {"grpc", "mcp", "traceloop"}))
print(sys.modules["mcp"].__file__ if hasattr(sys.modules["mcp"], "__file__") else None, vars(Traceloop).get("init"))
"""


def test_chainlit_gets_the_stand_ins_even_where_the_packages_are_installed(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "app"), "CHAINLIT_APP_ROOT": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", CODE], env=env, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-2:] == ["['mcp', 'traceloop', 'traceloop.sdk']", "None None"]


@pytest.mark.parametrize(
    ("package", "left_out"), [("chainlit", {"mcp"}), ("literalai", {"traceloop-sdk"})], ids=["chainlit", "literalai"]
)
def test_the_lock_names_all_other_dependencies_of_the_installed_version(package: str, left_out: set[str]) -> None:
    project = tomllib.loads((ROOT / "app" / "pyproject.toml").read_text(encoding="utf-8"))
    (metadata,) = [each for each in project["tool"]["uv"]["dependency-metadata"] if each["name"] == package]
    declared = {each for each in requires(package) or () if "extra ==" not in each}
    dropped = declared - set(metadata["requires-dist"])
    assert metadata["version"] == version(package)
    assert {name for name in left_out if any(each.startswith(name) for each in dropped)} == left_out
    assert len(declared) - len(metadata["requires-dist"]) == len(left_out)
    assert "grpcio==" not in (ROOT / "app" / "requirements.txt").read_text(encoding="utf-8")
