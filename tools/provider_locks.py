"""Write the hashes of Terraform's providers to locks/, for the platforms of the machines that deploy.

Every environment has the same providers, so the synthesis of one serves all. Needs Terraform, and the registry or a
mirror that `TF_CLI_ARGS_providers_lock` names.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from aks_kaito import node
from aks_kaito.settings import SettingsError, load
from aks_kaito.state import PARTS, provider_lock, stack
from aks_kaito_cli.commands.terraform import Terraform

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Write both locks, and return the status of the first Terraform that fails.

    Raises:
        SettingsError: The environment's file is invalid.
    """
    node.select()
    from aks_kaito.stacks.synthesis import synthesize  # noqa: PLC0415 - it starts Node.js

    # Any will do.
    environment = load(min((ROOT / "environments").glob("*.toml")))
    target = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "locks"
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        synthesize([environment], Path(folder))
        for part in PARTS:
            place = Path(folder, "stacks", stack(environment, part))
            terraform = Terraform(os.environ.get("TERRAFORM_BINARY_NAME", "terraform"), str(place))
            try:
                status = subprocess.run(terraform.lock_providers(), check=False).returncode
            except FileNotFoundError:
                print(f"{terraform.program} is not installed", file=sys.stderr)
                return 2
            if status:
                return status
            shutil.copyfile(place / ".terraform.lock.hcl", target / provider_lock(part))
            print(f"wrote {target / provider_lock(part)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SettingsError as problem:
        print(problem, file=sys.stderr)
        sys.exit(2)
