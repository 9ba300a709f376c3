"""Synthesize the stacks of every selected environment: `python main.py`, or a CDK CLI, which runs it.

`AKS_KAITO_ENV` selects one environment (unset: all), `AKS_KAITO_ENVIRONMENTS_DIR` moves the folder they are
read from. Exit status: 0, or 2 with the problems on standard error and nothing written.
"""

import sys
from pathlib import Path

from aks_kaito import node
from aks_kaito.settings import SettingsError, selected


def main() -> int:
    """Read all settings before anything is synthesized, so that a refused file leaves no trace."""
    try:
        environments = selected(Path(__file__).parent / "environments")
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    for environment in environments:
        for warning in environment.warnings:
            print(f"warning: {warning}", file=sys.stderr)
    node.select()
    # Imported here because it starts Node.js: settings are refused in a blink, not after seconds.
    from aks_kaito.stacks import synthesize

    for path in synthesize(environments):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
