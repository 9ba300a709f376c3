"""The program that jsii starts: ours for the version that it was made for, jsii's own in every other case."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from aks_kaito import node
from support.project import ROOT

VARIABLES = ("JSII_RUNTIME", "JSII_PROGRAM", "JSII_NODE", "JSII_DEBUG", "NODE_OPTIONS", "NODE_COMPILE_CACHE")
OURS = str(Path(node.__file__).with_name("jsii_runtime.cjs"))


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Unset the variables of Node.js and jsii for one test."""
    for name in (*VARIABLES, "AKS_KAITO_EAGER", "CDKTN_DISABLE_CREATION_STACK"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def python(folder: Path, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process that has none of the variables, with its temporary files in a folder."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-O", "-c", f"from aks_kaito import node\nnode.select()\n{code}"],
        cwd=folder,
        env={**kept, "TMPDIR": str(temporary), "AKS_KAITO_EAGER": "0", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.usefixtures("variables")
def test_the_version_is_the_installed_one() -> None:
    node.select()
    assert os.environ["JSII_RUNTIME"] == OURS
    assert Path(os.environ["JSII_PROGRAM"]).name == "lib__program.js"
    assert "--preserve-symlinks" in os.environ["NODE_OPTIONS"]
    before = dict(os.environ)
    node.select()
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AKS_KAITO_EAGER", "1"),
        ("JSII_NODE", "/their/own/node"),
        ("JSII_DEBUG", "1"),
        ("JSII_RUNTIME", "/their/own.js"),
    ],
)
def test_jsiis_own_program_runs_in_other_cases(variables: pytest.MonkeyPatch, name: str, value: str) -> None:
    variables.setenv(name, value)
    node.select()
    assert os.environ.get("JSII_RUNTIME") == (value if name == "JSII_RUNTIME" else None)
    assert "JSII_PROGRAM" not in os.environ
    assert "NODE_COMPILE_CACHE" not in os.environ
    assert "--preserve-symlinks" not in os.environ.get("NODE_OPTIONS", "")


@pytest.mark.parametrize("metadata", ['{"jsii-runtime": {"version": "1.999.0"}}', "{}", "no JSON", None])
def test_another_version_of_jsii_runs_its_own_program(
    variables: pytest.MonkeyPatch, tmp_path: Path, metadata: str | None
) -> None:
    package = tmp_path / "jsii"
    (package / "_embedded" / "jsii").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "_embedded" / "jsii" / "lib__program.js").touch()
    if metadata is not None:
        (package / "_metadata.json").write_text(metadata, encoding="utf-8")
    variables.syspath_prepend(tmp_path)
    variables.delitem(sys.modules, "jsii", raising=False)
    node.select()
    assert "JSII_RUNTIME" not in os.environ
    assert "--preserve-symlinks" not in os.environ["NODE_OPTIONS"]


def test_no_code_is_kept_outside_of_a_virtual_environment(variables: pytest.MonkeyPatch) -> None:
    variables.setattr(sys, "prefix", sys.base_prefix)
    node.select()
    assert os.environ["JSII_RUNTIME"] == OURS
    assert "NODE_COMPILE_CACHE" not in os.environ


def test_one_process_serves_python_and_leaves_nothing_behind(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    code = """
import subprocess, os
from cdktn import App
App(outdir="out").synth()
listed = subprocess.run(["ps", "-ww", "-o", "args=", "--ppid", str(os.getpid())], capture_output=True, text=True).stdout
mine = [line for line in listed.splitlines() if "node" in line]
print(len(mine), "jsii_runtime.cjs" in mine[0])
"""
    if shutil.which("ps") is None:
        code = code.partition("listed")[0] + "print(1, True)"
    counts = []
    for _ in range(2):
        ran = python(tmp_path, code, NODE_COMPILE_CACHE=str(cache))
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "1 True\n", "")
        counts.append(sorted(path.name for path in cache.rglob("*") if path.is_file()))
    assert counts[0] == counts[1]
    assert len(counts[0]) > 50
    assert list((tmp_path / "temporary").iterdir()) == []


SPY = """
const fs = require("node:fs");
const { openSync, readFileSync } = fs;
const note = (path) => fs.appendFileSync(process.env.SPIED, `${path}\\n`);
fs.openSync = (path, ...rest) => { note(path); return openSync(path, ...rest); };
fs.readFileSync = (path, ...rest) => { note(`whole ${path}`); return readFileSync(path, ...rest); };
"""


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[], list[str]]:
    """Return a function that defines a resource in a new process and returns the files that Node.js opened."""
    spy, spied = tmp_path / "spy.cjs", tmp_path / "spied"
    spy.write_text(SPY, encoding="utf-8")
    code = """
from cdktn import App, TerraformStack
from cdktn_provider_helm.release import Release
stack = TerraformStack(App(outdir="out"), "stack")
print(Release(stack, "release", name="a", chart="b").name_input)
"""

    def run() -> list[str]:
        spied.write_text("", encoding="utf-8")
        variables = {"NODE_COMPILE_CACHE": str(tmp_path / "cache"), "SPIED": str(spied)}
        ran = python(tmp_path, code, NODE_OPTIONS=f"--require={spy}", **variables)
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "a\n", "")
        return spied.read_text(encoding="utf-8").splitlines()

    return run


def test_an_archive_is_hashed_once_for_each_of_its_versions(tmp_path: Path, opened: Callable[[], list[str]]) -> None:
    def archives() -> list[str]:
        return [Path(path).name.partition("@")[0] for path in opened() if path.endswith(".tgz")]

    assert sorted(archives()) == ["cdktn", "constructs", "provider-helm"]
    assert archives() == []
    digests = tmp_path / "cache" / "digests.json"
    known = json.loads(digests.read_text(encoding="utf-8"))
    # Key: the path, then what changes with the file.
    of_helm = next(key for key in known if "provider-helm" in key.partition("\n")[0])
    assert known[of_helm] == _hash_of(of_helm)
    for stale in (
        {**{key: value for key, value in known.items() if key != of_helm}, of_helm.replace("\n", "\n1", 1): "0" * 64},
        {**known, of_helm: "not a hash"},
    ):
        digests.write_text(json.dumps(stale), encoding="utf-8")
        assert archives() == ["provider-helm"]
        assert json.loads(digests.read_text(encoding="utf-8")) == known
    digests.write_text("no JSON", encoding="utf-8")
    assert len(archives()) == 3
    assert json.loads(digests.read_text(encoding="utf-8")) == known


def _hash_of(key: str) -> str:
    """Return the name that jsii's cache has for an archive."""
    archive, *_, name, version = key.split("\n")
    return hashlib.sha256(b"\0".join((Path(archive).read_bytes(), name.encode(), version.encode()))).hexdigest()


def test_without_a_place_for_them_archives_are_hashed_at_each_run(
    tmp_path: Path, opened: Callable[[], list[str]]
) -> None:
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    for _ in range(2):
        assert len([path for path in opened() if path.endswith(".tgz")]) == 3


def test_only_the_used_definitions_of_types_are_read(opened: Callable[[], list[str]]) -> None:
    opened()  # jsii writes the definitions of a package when it first loads it
    found = opened()
    definitions = [path for path in found if ".jsii.runtime-defs" in path]
    assert len(definitions) == len(set(definitions)) > 0
    assert not [path for path in definitions if path.startswith("whole ")]
    assert not [path for path in found if path.endswith(".jsii")]


def test_what_the_program_prints_reaches_the_terminal(tmp_path: Path) -> None:
    preload = tmp_path / "printing.cjs"
    preload.write_text(
        """setTimeout(() => 0, 0);
        const run = require("node:module").prototype._compile;
        require("node:module").prototype._compile = function (content, filename, ...rest) {
            if (/[\\/]lib[\\/]construct\\.js$/.test(filename)) {
                console.log("printed \u00e9");
                console.error("complained");
                process.stdout.write("x".repeat(200000) + "\\n");
            }
            return run.call(this, content, filename, ...rest);
        };""",
        encoding="utf-8",
    )
    ran = python(tmp_path, "import constructs", NODE_OPTIONS=f"--require={preload}")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.replace("\n", "") == "printed \u00e9" + "x" * 200000
    assert "complained" in ran.stderr
    assert "stdout" not in ran.stderr


def test_an_error_of_javascript_is_an_error_in_python(tmp_path: Path) -> None:
    code = "from cdktn import App, TerraformStack\nTerraformStack(App(outdir='out'), 'two words')"
    ran = python(tmp_path, code)
    assert ran.returncode == 1
    assert "RuntimeError: " in ran.stderr
    assert "two words" in ran.stderr


def test_a_file_with_problems_leaves_no_node_and_no_trace(tmp_path: Path) -> None:
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "bad.toml").write_text("prefix = 3", encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    temporary = tempfile.mkdtemp(dir=tmp_path)
    ran = subprocess.run(
        [sys.executable, "-O", str(ROOT / "main.py")],
        cwd=tmp_path,
        env={**kept, "TMPDIR": temporary, "AKS_KAITO_ENVIRONMENTS_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert list(Path(temporary).iterdir()) == []
    assert not (tmp_path / "cdktf.out").exists()
    assert json.dumps(ran.stdout) == '""'
