"""Synthesize the stacks of every selected environment: `python main.py`, or a CDK CLI, which runs it.

`AKS_KAITO_ENV` selects one environment (unset: all), `AKS_KAITO_ENVIRONMENTS_DIR` replaces the folder of environment
files, `AKS_KAITO_PREVENT_DESTROY=false` lifts the protection of database, vault and address, as `make destroy` does.
Exit status: 0, or 2 with the problems on standard error and nothing written.
"""

import argparse
import gc
import sys
from pathlib import Path

from aks_kaito import node
from aks_kaito.settings import SettingsError, prevents_destroy, selected


def main() -> int:
    """Read all settings before the synthesis, so that an invalid file has no effect."""
    parser = argparse.ArgumentParser(description="Synthesize the stacks of every selected environment.")
    parser.add_argument("--show", choices=("paths", "table", "json"), default="paths", help="what to print")
    parser.add_argument("--json", action="store_const", const="json", dest="show", help="the same as --show json")
    form = parser.parse_args().show
    try:
        folder = Path(__file__).parent / "environments"
        environments, prevent_destroy = selected(folder), prevents_destroy(folder)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    node.select()
    # Imported late because this starts Node.js, which takes seconds: problems of settings appear at once.
    from aks_kaito.review import output
    from aks_kaito.stacks.synthesis import synthesize

    locks = Path(__file__).parent / "locks"
    written = synthesize(environments, prevent_destroy=prevent_destroy, locks=locks)
    output.show(environments, written, form)
    return 0


if __name__ == "__main__":
    # Garbage collection does not pay in a short process; frozen objects are not collected at its end either.
    gc.disable()
    status = main()
    gc.freeze()
    sys.exit(status)
