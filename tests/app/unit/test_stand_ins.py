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
import chainlit.callbacks, chainlit.data, chainlit.session
from chainlit.step import Step
from fastapi.encoders import jsonable_encoder
absent = {"chevron", "grpc", "literalai", "mcp", "traceloop"}
print(sorted(name for name in sys.modules if name.partition(".")[0] in absent))
print([name for name in sys.modules if name.partition(".")[0] in absent and hasattr(sys.modules[name], "__file__")])
print(Step.__init__.__annotations__["type"], jsonable_encoder({"a": 1}), sys.modules["pydantic.v1"])
"""


def test_chainlit_gets_the_stand_ins_even_where_the_packages_are_installed(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "app"), "CHAINLIT_APP_ROOT": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", CODE], env=env, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    names = "['literalai', 'literalai.observability', 'literalai.observability.step', 'mcp']"
    assert ran.stdout.splitlines()[-3:] == [names, "[]", "<class 'str'> {'a': 1} None"]


@pytest.mark.parametrize(("package", "left_out"), [("chainlit", {"literalai", "mcp"})], ids=["chainlit"])
def test_the_lock_names_all_other_dependencies_of_the_installed_version(package: str, left_out: set[str]) -> None:
    project = tomllib.loads((ROOT / "app" / "pyproject.toml").read_text(encoding="utf-8"))
    (metadata,) = [each for each in project["tool"]["uv"]["dependency-metadata"] if each["name"] == package]
    declared = {each for each in requires(package) or () if "extra ==" not in each}
    dropped = declared - set(metadata["requires-dist"])
    assert metadata["version"] == version(package)
    assert {name for name in left_out if any(each.startswith(name) for each in dropped)} == left_out
    assert len(declared) - len(metadata["requires-dist"]) == len(left_out)
    assert "grpcio==" not in (ROOT / "app" / "requirements.txt").read_text(encoding="utf-8")
