"""Facts about Azure's regions and VM sizes, and AKS's Kubernetes versions.

`catalog.toml` holds them as data, one per row, with their sources and the date of the last check. They go stale:
refresh that file, not this module.
"""

import os
import re
import tomllib
from datetime import date
from functools import cached_property
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

# Without this, pydantic searches the metadata of every installed package for plugins when the first model is defined,
# which slows each synthesis.
# See: https://docs.pydantic.dev/latest/concepts/plugins/
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

# The end of promotional names of sizes, such as Standard_NC6_Promo, in lower case.
_PROMO = "_promo"


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Meta(_Fact):
    """The sources of the facts, and the date of the last comparison with them."""

    checked_on: date
    sources: tuple[str, ...]


class KaitoVersion(_Fact):
    """A KAITO release that an environment can choose, and how it is shipped.

    `presets_need_known_size`: its controller refuses presets on GPU sizes outside KAITO's table; `is_chart`: the
    open-source chart of this version can be installed.
    """

    released_as: str
    presets_need_known_size: bool
    is_chart: bool = False
    source: str


class KaitoFeature(_Fact):
    """A feature of KAITO that a model uses; `addon` is the reason why the managed add-on lacks it.

    `keys` are the settings that use it, for the documentation.
    """

    since: str
    until: str | None = None
    addon: str = ""
    keys: str = ""

    def is_in(self, version: str) -> bool:
        """Return whether a KAITO version has the feature."""
        return _number(self.since) <= _number(version) and (not self.until or _number(version) <= _number(self.until))


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


class KubernetesSupport(_Fact):
    """AKS's support dates of a Kubernetes minor version; `lts_end` applies to the Premium tier only."""

    ga: date
    end_of_support: date
    lts_end: date | None = None


class GpuSize(_Fact):
    """A GPU VM size; `kaito_name` is its name in KAITO's table if that differs."""

    vcpus: int
    quota_family: str
    kaito_name: str = ""
    note: str = ""


class UnsupportedGpuSize(_Fact):
    """A GPU VM size on which no model runs; its name may be a pattern."""

    reason: str


class RetiredGpuSize(_Fact):
    """A GPU VM size that Azure no longer allocates."""

    retired_on: date
    replacement: str
    source: str


class Region(_Fact):
    """A public region. Unconfirmed facts are None; `nat_gateway_v2`: it has StandardV2 NAT gateways."""

    availability_zones: bool | None = None
    paired_region: str | None = None
    nat_gateway_v2: bool = True
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
    kaito_features: dict[str, KaitoFeature]
    kubernetes_versions: dict[str, KubernetesSupport]
    gpu_sizes: dict[str, GpuSize]
    unsupported_gpu_sizes: dict[str, UnsupportedGpuSize]
    retired_gpu_sizes: dict[str, RetiredGpuSize]
    regions: dict[str, Region]
    sovereign_regions: dict[str, str]
    vm_families: dict[str, VmFamily]
    reserved_names: ReservedNames

    def retired_gpu_size(self, name: str) -> RetiredGpuSize | None:
        """Return the retirement of a GPU size, compared without regard to case, also under its promotional name."""
        return self._retired_gpu_sizes.get(name.lower().removesuffix(_PROMO))

    @cached_property
    def _retired_gpu_sizes(self) -> dict[str, RetiredGpuSize]:
        return {name.lower(): retired for name, retired in self.retired_gpu_sizes.items()}

    def vm_size(self, name: str) -> VmSize | None:
        """Return the facts of a VM size, compared without regard to case, or None if the size is unknown.

        Older families also have promotional names, which are retired with them.
        """
        lower = name.lower()
        parts = re.fullmatch(r"([a-z]+_[a-z]+)([1-9]\d*)(\w*)", lower.removesuffix(_PROMO), re.ASCII)
        promo = "_Promo" if lower.endswith(_PROMO) else ""
        if parts is None:
            return None
        head, digits, tail = parts.groups()
        for pattern, family in self.vm_families.items():
            if promo and family.retires_on is None:
                continue
            if pattern.lower() == f"{head}*{tail}" and int(digits) in family.sizes:
                place = family.sizes.index(int(digits))
                return VmSize(
                    name=pattern.replace("*", digits) + promo,
                    vcpus=family.vcpus[place] if family.vcpus else int(digits),
                    ephemeral_gib=family.ephemeral(place),
                    family=family,
                )
        return None

    def spelled(self, name: str) -> str:
        """Return Azure's spelling of a size of the VM families, and another name unchanged."""
        size = self.vm_size(name)
        return name if size is None else size.name


def _read() -> Catalog:
    text = files("aks_kaito").joinpath("catalog.toml").read_text(encoding="utf-8")
    return Catalog.model_validate(tomllib.loads(text))


CATALOG = _read()
