"""Command lines of `app/image.sh`, which builds the chat application's image with docker or podman."""

from aks_kaito_cli.commands import Command
from aks_kaito_cli.project import ROOT


def build_and_push(image: str, registry: str) -> Command:
    """Build an image on this machine and push it to a private registry."""
    return (str(ROOT / "app" / "image.sh"), image, registry, "here")
