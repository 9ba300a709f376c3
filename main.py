"""Synthesize the stacks of every selected environment: `python main.py`, or a CDK CLI, which runs it.

`AKS_KAITO_ENV` selects one environment (unset: all), `AKS_KAITO_ENVIRONMENTS_DIR` replaces the folder of environment
files, `AKS_KAITO_PREVENT_DESTROY=false` lifts the protection of database, vault and address, as `make destroy` does.
Exit status: 0, or 2 with the problems on standard error and nothing written.
"""

import argparse
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread

from aks_kaito import node

# In the order in which they depend on each other.
BINDINGS = (
    "cdktn",
    "cdktn_provider_azurerm",
    "cdktn_provider_azapi",
    "cdktn_provider_helm",
    "cdktn_provider_kubernetes",
)


def main() -> int:
    """Read all settings before the synthesis, so that an invalid file has no effect."""
    parser = argparse.ArgumentParser(description="Synthesize the stacks of every selected environment.")
    parser.add_argument("--show", choices=("paths", "table", "json"), default="paths", help="what to print")
    parser.add_argument("--json", action="store_const", const="json", dest="show", help="the same as --show json")
    form = parser.parse_args().show
    node.select()
    with bindings_loading():
        # Imported here so that Node.js starts, and reads the bindings, in the meantime.
        from aks_kaito.settings import SettingsError, prevents_destroy, selected

        try:
            folder = Path(__file__).parent / "environments"
            environments, prevent_destroy = selected(folder), prevents_destroy(folder)
        except SettingsError as error:
            print(error, file=sys.stderr)
            return 2
    from aks_kaito.review import output
    from aks_kaito.stacks.synthesis import synthesize

    locks = Path(__file__).parent / "locks"
    written = synthesize(environments, prevent_destroy=prevent_destroy, locks=locks)
    output.show(environments, written, form)
    return 0


@contextmanager
def bindings_loading() -> Iterator[None]:
    """Load the bindings in a thread, which waits for Node.js most of the time, until the block ends.

    The block must not import the CDK.
    """
    failures: list[Exception] = []

    def load() -> None:
        try:
            for name in BINDINGS:
                import_module(name)
        except Exception as error:  # noqa: BLE001 - raised in the main thread
            failures.append(error)

    # jsii in this thread: it imports the same modules of the standard library as the block.
    import_module("jsii")
    if node.is_selected():
        import_module("aks_kaito.jsii_client").install()
    thread = Thread(target=load)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    for failure in failures:
        raise failure


if __name__ == "__main__":
    # Garbage collection does not pay in a short process; frozen objects are not collected at its end either.
    gc.disable()
    status = main()
    gc.freeze()
    sys.exit(status)
