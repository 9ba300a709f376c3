"""Synthesize the stacks of every selected environment; the CDK CLIs run this file.

`AKS_KAITO_ENV` selects one environment; the default is all. `AKS_KAITO_ENVIRONMENTS_DIR` replaces the folder
`environments`. The exit status is 2 if a file is refused: its problems are on standard error, and nothing is written.
"""

import argparse
import gc
import sys
from pathlib import Path

from aks_kaito import node
from aks_kaito.settings import SettingsError, selected


def main() -> int:
    """Read all settings first, so that nothing is written if a file is refused."""
    parser = argparse.ArgumentParser(description="Synthesize the stacks of every selected environment.")
    parser.add_argument(
        "--show", choices=("paths", "table", "json"), default="paths", help="what to print of the stacks"
    )
    parser.add_argument("--json", action="store_const", const="json", dest="show", help="the same as --show json")
    form = parser.parse_args().show
    try:
        environments = selected(Path(__file__).parent / "environments")
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    node.select()
    # Imported late because they start Node.js, which takes seconds: refused settings are reported without it.
    from aks_kaito.review import summary
    from aks_kaito.stacks.synthesis import synthesize

    summary.show(environments, synthesize(environments), form)
    return 0


if __name__ == "__main__":
    # Garbage collection costs more than it frees in so short a process; freezing skips the collection at exit.
    gc.disable()
    status = main()
    gc.freeze()
    sys.exit(status)
