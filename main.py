"""Synthesize the stacks of every selected environment: `python main.py`, or a CDK CLI, which runs it.

`AKS_KAITO_ENV` selects one environment (unset: all), `AKS_KAITO_ENVIRONMENTS_DIR` moves the folder they are
read from. Exit status: 0, or 2 with the problems on standard error and nothing written.
"""

import argparse
import gc
import sys
from pathlib import Path

from aks_kaito import node
from aks_kaito.settings import SettingsError, selected


def main() -> int:
    """Read all settings before anything is synthesized, so that a refused file leaves no trace."""
    parser = argparse.ArgumentParser(description="Synthesize the stacks of every selected environment.")
    parser.add_argument("--show", choices=("paths", "table", "json"), default="paths", help="what to print of them")
    parser.add_argument("--json", action="store_const", const="json", dest="show", help="the same as --show json")
    form = parser.parse_args().show
    try:
        environments = selected(Path(__file__).parent / "environments")
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    node.select()
    # Imported here because they start Node.js: settings are refused in a blink, not after seconds.
    from aks_kaito.review import summary
    from aks_kaito.stacks.synthesis import synthesize

    summary.show(environments, synthesize(environments), form)
    return 0


if __name__ == "__main__":
    # The process is too short for collecting to pay; frozen objects are not looked through once more at its end.
    gc.disable()
    status = main()
    gc.freeze()
    sys.exit(status)
