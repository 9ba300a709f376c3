"""The stacks of an environment, in the order in which they are deployed: `platform` is Azure's side."""

from collections.abc import Sequence
from pathlib import Path

from cdktn import App

from aks_kaito.settings import Environment
from aks_kaito.stacks.platform import PlatformStack


def synthesize(environments: Sequence[Environment]) -> list[Path]:
    """Write the Terraform JSON of all environments to `cdktf.out`, or where the CDK CLI wants it; the files."""
    app = App()
    stacks = [PlatformStack(app, environment) for environment in environments]
    app.synth()
    return [Path(app.outdir, "stacks", stack.node.id, "cdk.tf.json") for stack in stacks]
