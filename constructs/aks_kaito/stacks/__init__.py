"""The stacks of an environment, in the order in which they are deployed: `platform` is Azure's side."""

from collections.abc import Sequence
from pathlib import Path

from cdktn import App, TerraformStack

from aks_kaito.settings import Environment
from aks_kaito.stacks.platform import PlatformStack


def synthesize(environments: Sequence[Environment]) -> dict[str, list[Path]]:
    """Write the Terraform JSON of all environments to `cdktf.out`, or where the CDK CLI wants it.

    Returns the files of each environment, by its name, in the order in which they are deployed.
    """
    app = App()
    stacks = {environment.name: add(app, environment) for environment in environments}
    app.synth()
    return {name: [Path(app.outdir, "stacks", stack.node.id, "cdk.tf.json") for stack in of] for name, of in stacks.items()}


def add(app: App, environment: Environment) -> list[TerraformStack]:
    """Define the stacks of one environment in an app, in the order in which they are deployed."""
    return [PlatformStack(app, environment)]
