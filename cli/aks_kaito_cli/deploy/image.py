"""The chat application's image in the environment's registry: find it, or build it."""

import re

from aks_kaito.charts import names
from aks_kaito_cli.commands import image as local
from aks_kaito_cli.shell import Shell, Step, StepError

# The registry's messages for a missing repository, tag or manifest; other things may be "not found" too.
_NOT_THERE = re.compile(
    r"repository name not known|(NAME|TAG|MANIFEST)_UNKNOWN"
    r"|\b(manifest|repository|tag)\b.*(is not found|not found|does not exist|unknown)",
    re.IGNORECASE,
)


class NoImageError(StepError):
    """The registry has no such image."""


def digest(shell: Shell, version: str) -> str:
    """Return the digest of a tag, or of a digest.

    Raises:
        NoImageError: The registry has no such image.
        StepError: The registry cannot be asked.
    """
    image = f"{names.IMAGE_REPOSITORY}{'@' if version.startswith('sha256:') else ':'}{version}"
    find = Step("find the image", shell.azure.image_digest(image))
    try:
        return shell.ask(find)
    except StepError as error:
        if _NOT_THERE.search(error.last_line):
            hint = "" if "@" in image else f"it is built by: {_build(shell, version).typed()}"
            raise NoImageError(find._replace(hint=hint), "the registry has no such image", error.last_line) from None
        raise


def digest_of_built(shell: Shell, tag: str) -> str:
    """Return the digest of a tag; build the image if the tag does not exist yet.

    After any other failure nothing is built: it could replace an image that runs.
    """
    try:
        return digest(shell, tag)
    except NoImageError:
        shell.run(_build(shell, tag))
    return digest(shell, tag)


def _build(shell: Shell, tag: str) -> Step:
    """Build the image on the registry's machines, or, as those cannot reach a private registry, on this one."""
    environment, azure = shell.environment, shell.azure
    if not environment.settings.network.services_are_private:
        return Step("build the image", azure.build_image(f"{names.IMAGE_REPOSITORY}:{tag}", "app"))
    image = f"{names.image(environment)}:{tag}"
    variables = {"ARM_SUBSCRIPTION_ID": azure.subscription} if azure.subscription else {}
    return Step("build the image", local.build_and_push(image, environment.names.registry), variables=variables)
