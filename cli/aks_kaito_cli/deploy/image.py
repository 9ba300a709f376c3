"""The chat application's image in an environment's registry: whether it is there, and how it gets there."""

import re

from aks_kaito.charts.names import IMAGE_REPOSITORY
from aks_kaito.charts.names import image as chat_image
from aks_kaito.settings import Environment
from deploy_steps import ROOT, Step, StepError, ask, az, run, subscription

# What a registry takes for a tag.
TAG = r"[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}"
# How a registry says that it has no such repository, tag or manifest; other things may be "not found" too.
_NOT_THERE = re.compile(
    r"repository name not known|(NAME|TAG|MANIFEST)_UNKNOWN"
    r"|\b(manifest|repository|tag)\b.*(is not found|not found|does not exist|unknown)",
    re.IGNORECASE,
)


class NoImageError(StepError):
    """The registry has no such image."""


def digest(environment: Environment, version: str) -> str:
    """The digest of a tag, or of a digest.

    Raises:
        NoImageError: There is none.
        StepError: It cannot be found out.
    """
    image = f"{IMAGE_REPOSITORY}{'@' if version.startswith('sha256:') else ':'}{version}"
    arguments = ("--name", environment.names.registry, "--image", image, "--query", "digest", "--output", "tsv")
    find = Step("find the image", az(environment, "acr", "repository", "show", *arguments))
    try:
        return ask(find, environment)
    except StepError as error:
        if _NOT_THERE.search(error.said):
            look = "" if "@" in image else f"it is built by: {build(environment, version).typed()}"
            raise NoImageError(find._replace(look=look), "the registry has no such image", error.said) from None
        raise


def digest_of_built(environment: Environment, tag: str) -> str:
    """The digest of a tag; the image is built if the tag is not there yet.

    Whatever else is wrong, nothing is built: it would take the place of an image that runs.
    """
    try:
        return digest(environment, tag)
    except NoImageError:
        run(build(environment, tag), environment)
    return digest(environment, tag)


def build(environment: Environment, tag: str) -> Step:
    """Build the image, in the registry, or for a private one on this machine."""
    registry = environment.names.registry
    if environment.settings.network.private_endpoints_enabled:
        image = f"{chat_image(environment)}:{tag}"
        chosen = subscription(environment)
        variables = {"ARM_SUBSCRIPTION_ID": chosen} if chosen else {}
        command = (str(ROOT / "tools" / "image.sh"), image, registry, "here")
        return Step("build the image", command, variables=variables)
    image = f"{IMAGE_REPOSITORY}:{tag}"
    return Step("build the image", az(environment, "acr", "build", "--registry", registry, "--image", image, "app"))
