"""A release of the chat application alone.

Helm upgrades the chat's release in the environment's own cluster, with the values that the stack wrote and another
image, which is pinned by its digest. Values that only a deployment knows, such as the ids of identities, are reused
from the release before; without one, the chart refuses.
"""

import sys

from aks_kaito_cli.cluster import signed_in
from aks_kaito_cli.deploy import chart
from aks_kaito_cli.deploy.image import NoImageError, digest
from aks_kaito_cli.shell import Shell, StepError


def release(shell: Shell, version: str) -> None:
    """Upgrade the environment's release to a tag or digest; kubectl's current context does not matter.

    Raises:
        StepError: A step failed.
    """
    pinned = _digest(shell, version)
    with signed_in(shell) as kubectl:
        chart.upgrade(shell, kubectl, pinned)


def _digest(shell: Shell, version: str) -> str:
    """Return the digest of a tag, which another image could take; a given digest needs no registry.

    Raises:
        NoImageError: The registry has no such image: its pods would wait ten minutes.
        StepError: The registry cannot be asked for a tag.
    """
    try:
        return digest(shell, version)
    except NoImageError:
        raise
    except StepError as error:
        if version.startswith("sha256:"):
            sys.stderr.write(f"continuing without checking the image: {error}\n")
            return version
        error.hint = f"give the digest instead of the tag {version}: TAG=sha256:..."
        raise
