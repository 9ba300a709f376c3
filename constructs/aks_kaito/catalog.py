"""Facts about Azure's GPU sizes, and AKS's Kubernetes versions and regions.

`catalog.toml` holds them as data, one per row, with their sources and the date of the last check. They go stale:
refresh that file, not this module.
"""

import os
import tomllib
from datetime import date
from importlib.resources import files

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

    `presets_need_known_size`: its controller refuses presets on GPU sizes outside KAITO's table.
    """

    released_as: str
    presets_need_known_size: bool
    source: str


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


class Regions(_Fact):
    """The public regions, as azurerm's `location` spells them."""

    names: frozenset[str]


class Catalog(_Fact):
    """The whole of `catalog.toml`."""

    meta: Meta
    kaito_versions: dict[str, KaitoVersion]
    kubernetes_versions: dict[str, KubernetesSupport]
    gpu_sizes: dict[str, GpuSize]
    unsupported_gpu_sizes: dict[str, UnsupportedGpuSize]
    retired_gpu_sizes: dict[str, RetiredGpuSize]
    regions: Regions


def _read() -> Catalog:
    text = files("aks_kaito").joinpath("catalog.toml").read_text(encoding="utf-8")
    return Catalog.model_validate(tomllib.loads(text))


CATALOG = _read()
