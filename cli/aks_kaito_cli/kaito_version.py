"""Comparison of the KAITO version in the cluster with the one in the environment's file.

AKS updates the managed add-on by itself, and its documentation can name an older version. The open-source chart has the
version of the file, unless somebody else upgraded its release.
"""

import re
import shlex

from aks_kaito.catalog import CATALOG
from aks_kaito.charts.names import kaito_namespace
from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.shell import Shell, Step, StepError


def compared(shell: Shell, kubectl: Kubectl) -> str:
    """Return a sentence on both versions; a cluster that cannot be read is no failure."""
    settings = shell.environment.settings
    namespace = kaito_namespace(settings)
    command = kubectl.kaito_image(namespace)
    try:
        image = shell.ask(Step("read the version of KAITO", command))
    except StepError as error:
        typed = shlex.join(Kubectl(settings.chat.namespace).kaito_image(namespace))
        return f"the version in the cluster is unknown ({error.last_line or error}); read the tag of: {typed}"
    expected = settings.kaito.version
    remedy = f"; {way_out(image)}" if way_out(image) and version_of(image) != expected else ""
    return f"{sentence(image, expected)}{remedy}"


def sentence(image: str, expected: str) -> str:
    """Return a sentence on the version of the controller's image and the expected one."""
    running = version_of(image)
    if running is None:
        return f"the version in the cluster is unknown: its image is {image or 'missing'}"
    if running == expected:
        return f"the cluster runs {running}, as kaito.version says"
    return (
        f'the cluster runs {running}, but kaito.version = "{expected}": presets, GPU sizes and nodes were checked for'
        f" {expected}"
    )


def way_out(image: str) -> str:
    """Return the setting for the version of an image, or the versions that the catalog knows; empty if it has none."""
    running = version_of(image)
    if running is None:
        return ""
    known = ", ".join(CATALOG.kaito_versions)
    return f'set kaito.version = "{running}"' if running in CATALOG.kaito_versions else f"the catalog knows {known}"


def version_of(image: str) -> str | None:
    """Return the version in an image's tag, without `v` and a build suffix; None if the tag has none."""
    match = re.fullmatch(r"[^@]*:v?(\d+\.\d+\.\d+)(?:[-+.][\w.-]+)?(?:@.*)?", image)
    return match[1] if match else None
