"""Facts about Azure's regions and VM sizes, KAITO's models, and AKS's Kubernetes versions.

`catalog.toml` holds them as data, one per row, with their sources and the date of the last check. They go stale:
refresh that file, not this module.
"""

import os
import re
import tomllib
from datetime import date
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

# Without this, pydantic searches the metadata of every installed package for plugins when the first model is defined,
# which slows each synthesis.
# See: https://docs.pydantic.dev/latest/concepts/plugins/
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Meta(_Fact):
    """The sources of the facts, and the date of the last comparison with them."""

    checked_on: date
    sources: tuple[str, ...]


class KaitoVersion(_Fact):
    """A KAITO release that an environment can choose, and how it is shipped.

    `any_n_size_accepted`: the admission webhook accepts GPU sizes outside KAITO's table if they start with Standard_N.
    """

    released_as: str
    any_n_size_accepted: bool
    source: str


class KubernetesSupport(_Fact):
    """AKS's support dates of a Kubernetes minor version; `lts_end` applies to the Premium tier only."""

    ga: date
    end_of_support: date
    lts_end: date | None = None


class GpuSize(_Fact):
    """A GPU VM size; `gpu_memory_gib` is the total over all GPUs of a node."""

    gpus: int
    gpu_model: str
    gpu_memory_gib: float
    vcpus: int
    quota_family: str
    kaito_versions: tuple[str, ...]
    note: str = ""


class RetiredGpuSize(_Fact):
    """A GPU VM size that Azure no longer allocates."""

    retired_on: date
    replacement: str
    source: str


class Model(_Fact):
    """A KAITO preset: the GPU memory that it needs, and the KAITO versions that accept its short name."""

    gpu_memory_gib: float
    kaito_versions: tuple[str, ...]
    licence_token_required: bool
    tensor_parallel: bool
    note: str = ""

    def usable_gib(self, size: GpuSize, node_count: int) -> float:
        """Return the GPU memory that the model can use: of all GPUs if tensor parallelism works, else of one."""
        return size.gpu_memory_gib * node_count if self.tensor_parallel else size.gpu_memory_gib / size.gpus


class Region(_Fact):
    """A public region. Unconfirmed facts are None."""

    availability_zones: bool | None = None
    paired_region: str | None = None
    retired_on: date | None = None


class VmFamily(_Fact):
    """VM sizes that differ in one number, as described in `catalog.toml`."""

    sizes: tuple[int, ...]
    vcpus: tuple[int, ...] = ()
    ephemeral_gib: tuple[int, ...] | None = None
    architecture: Literal["x64", "Arm64"]
    generations: tuple[int, ...]
    burstable: bool = False
    retires_on: date | None = None
    page: str

    def ephemeral(self, place: int) -> int | None:
        """Return the room for an ephemeral OS disk on the size at a position, in GiB."""
        if self.ephemeral_gib is None:
            return None
        return self.ephemeral_gib[place] if self.ephemeral_gib else 0


class VmSize(_Fact):
    """A VM size as Azure spells it, with its facts; `ephemeral_gib` is 0 if Azure refuses ephemeral OS disks."""

    name: str
    vcpus: int
    ephemeral_gib: int | None
    family: VmFamily

    @property
    def premium_disks(self) -> bool:
        """Whether Premium disks can be attached, for which the letter s stands in a size's name.

        See: https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions
        """
        return re.match(r"Standard_(DS|[A-Z]+\d+[a-z]*s)", self.name) is not None


class ReservedNames(_Fact):
    """Names that Azure, AKS or Kubernetes keeps, as described in `catalog.toml`."""

    usernames: frozenset[str]
    words_anywhere: tuple[str, ...]
    words_first: tuple[str, ...]
    words: frozenset[str]
    namespaces: frozenset[str]


class Catalog(_Fact):
    """The whole of `catalog.toml`."""

    meta: Meta
    kaito_versions: dict[str, KaitoVersion]
    kubernetes_versions: dict[str, KubernetesSupport]
    gpu_sizes: dict[str, GpuSize]
    retired_gpu_sizes: dict[str, RetiredGpuSize]
    models: dict[str, Model]
    regions: dict[str, Region]
    sovereign_regions: dict[str, str]
    vm_families: dict[str, VmFamily]
    reserved_names: ReservedNames

    def vm_size(self, name: str) -> VmSize | None:
        """Return the facts of a VM size, compared without regard to case, or None if the size is unknown."""
        parts = re.fullmatch(r"([a-z]+_[a-z]+)([1-9]\d*)(\w*)", name.lower(), re.ASCII)
        if parts is None:
            return None
        head, digits, tail = parts.groups()
        for pattern, family in self.vm_families.items():
            if pattern.lower() == f"{head}*{tail}" and int(digits) in family.sizes:
                place = family.sizes.index(int(digits))
                return VmSize(
                    name=pattern.replace("*", digits),
                    vcpus=family.vcpus[place] if family.vcpus else int(digits),
                    ephemeral_gib=family.ephemeral(place),
                    family=family,
                )
        return None

    def spelled(self, name: str) -> str:
        """Return Azure's spelling of a VM size, or the name itself if the size is unknown."""
        size = self.vm_size(name)
        if size is not None:
            return size.name
        known = (*self.gpu_sizes, *self.retired_gpu_sizes)
        return next((each for each in known if each.lower() == name.lower()), name)


def _read() -> Catalog:
    text = files("aks_kaito").joinpath("catalog.toml").read_text(encoding="utf-8")
    return Catalog.model_validate(tomllib.loads(text))


CATALOG = _read()
