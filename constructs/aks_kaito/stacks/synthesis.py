"""Synthesis of the stacks of all selected environments."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from cdktn import App, TerraformStack

from aks_kaito import protection, state
from aks_kaito.charts import ours
from aks_kaito.settings import Environment
from aks_kaito.stacks.platform import PlatformStack
from aks_kaito.stacks.workloads import WorkloadsStack

# The name that Terraform reads.
_LOCK = ".terraform.lock.hcl"


def synthesize(
    environments: Sequence[Environment],
    outdir: Path | None = None,
    *,
    prevent_destroy: bool = True,
    locks: Path | None = None,
) -> dict[str, list[Path]]:
    """Write the Terraform JSON of all environments to `outdir`, by default `cdktf.out` or the CDK CLI's folder.

    `locks` is the folder of the provider locks, which Terraform finds beside the JSON. Return the files of each
    environment by its name, in the order in which they are deployed.
    """
    app = App(outdir=str(outdir) if outdir else None, context={protection.CONTEXT_KEY: prevent_destroy})
    stacks = {environment.name: add(app, environment) for environment in environments}
    app.synth()
    write_values(environments, Path(app.outdir, "values"))
    folder = Path(app.outdir, "stacks")
    if locks is not None:
        copy_locks(environments, locks, folder)
    return {name: [folder / stack.node.id / "cdk.tf.json" for stack in found] for name, found in stacks.items()}


def copy_locks(environments: Sequence[Environment], locks: Path, stacks: Path) -> None:
    """Copy the lock of each stack's providers beside its JSON; without one, Terraform keeps its own."""
    for part in state.PARTS:
        lock = locks / state.provider_lock(part)
        if lock.exists():
            for environment in environments:
                shutil.copyfile(lock, stacks / state.stack(environment, part) / _LOCK)


def write_values(environments: Sequence[Environment], folder: Path) -> None:
    """Write the chat chart's values of each environment, as JSON, which is valid YAML."""
    folder.mkdir(parents=True, exist_ok=True)
    for environment in environments:
        text = json.dumps(ours.chat(environment), indent=2, sort_keys=True)
        head = f"# Values of charts/kaito-chat for {environment.name}, less the ids that a deployment finds out.\n"
        (folder / f"{environment.name}.yaml").write_text(f"{head}{text}\n", encoding="utf-8")


def add(app: App, environment: Environment) -> list[TerraformStack]:
    """Define the stacks of one environment in an app, in the order in which they are deployed."""
    platform, workloads = PlatformStack(app, environment), WorkloadsStack(app, environment)
    workloads.add_dependency(platform)  # the CDK CLIs deploy in this order and destroy in reverse
    return [platform, workloads]
