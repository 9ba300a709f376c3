"""The benchmark's baseline: the CDK's core without provider bindings.

`core.py OUTDIR` synthesizes an empty stack, `core.py OUTDIR FILE` the resources of a `cdk.tf.json` as the core's
untyped resources, which is the least work that the CDK allows for them.
"""

import json
import sys
from pathlib import Path

from cdktn import App, TerraformOutput, TerraformResource, TerraformStack


def main(outdir: str, source: str | None = None) -> None:
    """Define the stack and synthesize it."""
    app = App(outdir=outdir)
    stack = TerraformStack(app, "core")
    TerraformOutput(stack, "output", value="1")
    if source:
        for kind, named in json.loads(Path(source).read_text(encoding="utf-8"))["resource"].items():
            for name, arguments in named.items():
                resource = TerraformResource(stack, f"{kind}-{name}", terraform_resource_type=kind)
                for key, value in arguments.items():
                    if key != "//":
                        resource.add_override(key, value)
    app.synth()


if __name__ == "__main__":
    main(*sys.argv[1:])
