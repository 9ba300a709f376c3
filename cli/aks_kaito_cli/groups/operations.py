"""The extra `operations`, without which the subcommands that ask Azure cannot work."""

from importlib.util import find_spec

import typer

from aks_kaito_cli.answers import UNUSABLE, show_failure

# A package of each distribution of the extra.
_PACKAGES = ("azure.identity", "azure.mgmt.core", "dns", "hcl2", "requests")
_MISSING = "this subcommand needs the extra `operations`, which is not installed ({missing}): make operations"


def require(*, as_json: bool = False) -> None:
    """Exit with 2 and one sentence where the extra is not installed."""
    if missing := [name for name in _PACKAGES if not _installed(name)]:
        sentence = _MISSING.format(missing=", ".join(missing))
        raise typer.Exit(show_failure(sentence, exit_status=UNUSABLE, as_json=as_json))


def _installed(name: str) -> bool:
    """Return whether a package can be imported, without importing more than its parents."""
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
