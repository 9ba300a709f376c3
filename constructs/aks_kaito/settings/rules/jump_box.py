"""Rules on the jump box: its image, which secure boot restricts, and its disk.

See: https://learn.microsoft.com/azure/virtual-machines/generation-2
"""

import re
from collections.abc import Iterator

from aks_kaito.catalog import CATALOG, VmSize
from aks_kaito.settings.problems import Problem
from aks_kaito.settings.rules.rule import Context, rule
from aks_kaito.settings.services import VmImage

_SECURE_BOOT_GENERATION = 2
# Beginnings of offers whose images are of generation 1 unless their names say otherwise.
_FIRST_GENERATION_OFFERS = (
    "0001-com-ubuntu-",
    "azure-linux-",
    "cbl-mariner",
    "centos",
    "debian-",
    "oracle-linux",
    "rhel",
    "ubuntuserver",
)
# Beginnings of offers whose images are of generation 2 unless their names say otherwise.
_SECOND_GENERATION_OFFERS = ("ubuntu-",)
_WINDOWS_PUBLISHERS = ("microsoftwindowsserver", "microsoftwindowsdesktop", "microsoftvisualstudio")


@rule("jump_box")
def jump_box_can_boot_its_image(context: Context) -> Iterator[Problem]:
    """The jump box's image is of Linux, has the size's architecture, and generation 2, which secure boot requires."""
    jump_box = context.settings.jump_box
    if not jump_box.enabled:
        return
    image = jump_box.image
    if image.publisher.lower() in _WINDOWS_PUBLISHERS:
        yield Problem("jump_box.image.publisher", image.publisher, "must be a publisher of Linux images, as Canonical")
    elif _generation(image) == 1:
        allowed = 'must be of generation 2, which secure boot requires, such as "server" or "22_04-lts-gen2"'
        yield Problem("jump_box.image.sku", image.sku, allowed)
    size = CATALOG.vm_size(jump_box.vm_size)
    if size is not None:
        yield from _mismatches(size, image, jump_box.os_disk_storage_account_type)


@rule("jump_box")
def generation_of_the_image_is_known(context: Context) -> Iterator[Problem]:
    """The image's name has its generation. This is a warning: names of other publishers follow no rule."""
    image = context.settings.jump_box.image
    is_windows = image.publisher.lower() in _WINDOWS_PUBLISHERS
    if context.settings.jump_box.enabled and not is_windows and _generation(image) is None:
        text = (
            "has no generation in its name; secure boot requires generation 2 (`az vm image show` has hyperVGeneration)"
        )
        yield Problem("jump_box.image.sku", image.sku, text)


def _generation(image: VmImage) -> int | None:
    """Return the generation that the names of an image say or imply; Arm64 images are of generation 2."""
    name = f"{image.offer} {image.sku}".lower()
    if found := re.search(r"gen([12])|(?<![a-z0-9])g([12])(?![a-z0-9])", name):
        return int(found[1] or found[2])
    if _is_arm(image):
        return 2
    if name.startswith(_FIRST_GENERATION_OFFERS):
        return 1
    return 2 if name.startswith(_SECOND_GENERATION_OFFERS) else None


def _is_arm(image: VmImage) -> bool:
    return re.search(r"arm64|aarch64", f"{image.offer} {image.sku}".lower()) is not None


def _mismatches(size: VmSize, image: VmImage, disk: str) -> Iterator[Problem]:
    """Yield the problems of the jump box's size with its image and its disk."""
    architecture = "Arm64" if _is_arm(image) else "x64"
    if size.family.architecture != architecture:
        allowed = f"must be an {architecture} size for the image {image.sku}; it is {size.family.architecture}"
        yield Problem("jump_box.vm_size", size.name, allowed)
    if _SECURE_BOOT_GENERATION not in size.family.generations:
        yield Problem("jump_box.vm_size", size.name, "must support generation 2, which secure boot requires")
    if disk.startswith("Premium_") and not size.premium_disks:
        allowed = f"must not be a Premium type with {size.name}, which does not support these disks"
        yield Problem("jump_box.os_disk_storage_account_type", disk, allowed)
