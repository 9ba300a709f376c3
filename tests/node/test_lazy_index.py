"""The preload that loads provider bindings lazily, in a real Node.js with generated packages."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from aks_kaito import node

PRELOAD = Path(node.__file__).with_name("lazy_index.cjs")
HELPERS = """"use strict";
/** A licence. */
var __importStar = (this && this.__importStar) || function (mod) { return mod; };
Object.defineProperty(exports, "__esModule", { value: true });
exports.second = exports.first = void 0;
// generated
"""
REEXPORTS = """exports.first = __importStar(require("./first/index"));
exports.second = __importStar(require("./second/index"));
"""
COMMENT = "//# sourceMappingURL=data:application/json;base64,require"


@pytest.fixture
def program() -> Path:
    """Return the Node.js that synthesis uses."""
    found = node.bundled()
    assert found is not None
    return found


def package(folder: Path, index: str, name: str = "@cdktn/provider-made-up", file: str = "lib/index.js") -> Path:
    """Write a package with two submodules and return its index, at `file`."""
    path = folder / "node_modules" / name / file
    for submodule in ("first", "second"):
        (path.parent / submodule).mkdir(parents=True)
        text = f"global.loaded = [...(global.loaded ?? []), '{submodule}']; exports.Name = '{submodule}';"
        (path.parent / submodule / "index.js").write_text(text, encoding="utf-8")
    path.write_text(index, encoding="utf-8")
    return path


def run(program: Path, index: Path, script: str, *options: str) -> object:
    """Return what `script` returns; it can use the exports, `made`, and a list of loaded submodules, `loaded()`."""
    code = f"""
        const loaded = () => [...(global.loaded ?? [])];
        const run = (made, loaded) => {{ {script} }};
        console.log(JSON.stringify(run(require({json.dumps(str(index))}), loaded)));
    """
    ran = subprocess.run(
        [str(program), *(options or [f"--require={PRELOAD}"]), "-e", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(ran.stdout)


def test_a_submodule_is_loaded_when_it_is_first_used(program: Path, tmp_path: Path) -> None:
    index = package(tmp_path, HELPERS + REEXPORTS + COMMENT)
    script = "const before = loaded(); const name = made.second.Name; return [before, name, loaded()];"
    assert run(program, index, script) == [[], "second", ["second"]]


def test_exports_are_the_same_as_without_the_preload(program: Path, tmp_path: Path) -> None:
    index = package(tmp_path, HELPERS + REEXPORTS)
    script = """
        const once = made.first;
        return [Object.keys(made), made.__esModule, made.first === once, { ...made }, loaded(),
                Object.getOwnPropertyDescriptors(made)];
    """
    lazily = run(program, index, script)
    assert lazily == run(program, index, script, "--no-warnings")
    assert isinstance(lazily, list)
    assert lazily[3] == {"first": {"Name": "first"}, "second": {"Name": "second"}}


@pytest.mark.parametrize(
    "index",
    [
        pytest.param(HELPERS + REEXPORTS + "exports.first.Name.length;\n", id="the index uses a submodule itself"),
        pytest.param(HELPERS + REEXPORTS + 'require("./second/index");\n', id="the index loads in another way too"),
        pytest.param(HELPERS + REEXPORTS + "module.exports.third = 3;\n", id="the index exports in another way too"),
        pytest.param(
            '"use strict";\nexports.first = require("./first/index");\nexports.second = require("./second/index");\n',
            id="another compiler wrote it",
        ),
    ],
)
def test_an_index_of_another_shape_is_loaded_at_once(program: Path, tmp_path: Path, index: str) -> None:
    assert run(program, package(tmp_path, index), "return loaded();") == ["first", "second"]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("cdktn", "lib/index.js"),
        ("@cdktn/commons", "lib/index.js"),
        ("@elsewhere/provider-made-up", "lib/index.js"),
        ("@cdktn/provider-made-up", "lib/main.js"),
        ("@cdktn/provider-made-up", "lib/resource/index.js"),
    ],
)
def test_every_other_file_is_loaded_unchanged(program: Path, tmp_path: Path, name: str, file: str) -> None:
    index = package(tmp_path, HELPERS + REEXPORTS, name, file)
    assert run(program, index, "return loaded();") == ["first", "second"]


def test_an_index_with_a_syntax_error_fails_as_without_the_preload(program: Path, tmp_path: Path) -> None:
    index = package(tmp_path, "exports.first = (;")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run(program, index, "return 1;")
    assert "SyntaxError" in caught.value.stderr


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Unset the variables of Node.js for one test."""
    names = ("NODE_OPTIONS", "JSII_NODE", "AKS_KAITO_EAGER", "CDKTN_DISABLE_CREATION_STACK", "JSII_RUNTIME")
    for name in (*names, "JSII_PROGRAM", "NODE_COMPILE_CACHE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_the_options_of_the_caller_stay_and_the_preload_is_added_once(options: pytest.MonkeyPatch) -> None:
    options.setenv("NODE_OPTIONS", "--max-old-space-size=4096")
    options.setenv("JSII_NODE", "/their/own/node")
    node.select()
    node.select()
    assert os.environ["NODE_OPTIONS"] == f'--max-old-space-size=4096 --require="{PRELOAD}"'
    assert os.environ["JSII_NODE"] == "/their/own/node"


@pytest.mark.parametrize("name", ["with space", 'with "quote"', "with \\ backslash"])
def test_any_path_is_quoted_for_node(options: pytest.MonkeyPatch, program: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / name / PRELOAD.name
    copy.parent.mkdir()
    copy.write_bytes(PRELOAD.read_bytes())
    options.setattr(node, "_PRELOAD", copy)
    node.select()
    index = package(tmp_path, HELPERS + REEXPORTS)
    code = f"require({json.dumps(str(index))}); console.log(global.loaded === undefined);"
    ran = subprocess.run([str(program), "-e", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "true\n"


@pytest.mark.parametrize(("value", "is_lazy"), [("1", False), ("yes", False), ("0", True), ("", True)])
def test_eager_loading_is_a_switch(options: pytest.MonkeyPatch, value: str, *, is_lazy: bool) -> None:
    options.setenv("AKS_KAITO_EAGER", value)
    node.select()
    assert ("NODE_OPTIONS" in os.environ) is is_lazy
