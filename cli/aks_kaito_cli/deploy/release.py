"""A release of the chat application alone.

Helm upgrades the chart's release in the environment's own cluster, with the values that the stack wrote and another
image. Values that only a deployment knows, such as the ids of identities, are reused from the release before; without
one, the chart refuses.
"""

import sys

from aks_kaito_cli.deploy import chart
from aks_kaito_cli.deploy.cluster import signed_in
from aks_kaito_cli.deploy.image import NoImageError, digest
from aks_kaito_cli.shell import Shell, StepError


def release(shell: Shell, version: str) -> None:
    """Upgrade the environment's release to a tag or digest; kubectl's current context does not matter.

    Raises:
        StepError: A step failed.
    """
    _find_image(shell, version)
    with signed_in(shell) as kubectl:
        chart.upgrade(shell, kubectl, version)


def _find_image(shell: Shell, version: str) -> None:
    """Check that the image exists, if the registry can be asked: pods would wait ten minutes for a missing one.

    Raises:
        NoImageError: The registry has no such image.
    """
    try:
        digest(shell, version)
    except NoImageError:
        raise
    except StepError as error:
        sys.stderr.write(f"continuing without checking the image: {error}\n")
