"""Facts about Azure's GPU sizes, KAITO's models, and AKS's Kubernetes versions and regions.

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


class Regions(_Fact):
    """The public regions, as azurerm's `location` spells them."""

    names: frozenset[str]


class Catalog(_Fact):
    """The whole of `catalog.toml`."""

    meta: Meta
    kaito_versions: dict[str, KaitoVersion]
    kubernetes_versions: dict[str, KubernetesSupport]
    gpu_sizes: dict[str, GpuSize]
    retired_gpu_sizes: dict[str, RetiredGpuSize]
    models: dict[str, Model]
    regions: Regions


def _read() -> Catalog:
    text = files("aks_kaito").joinpath("catalog.toml").read_text(encoding="utf-8")
    return Catalog.model_validate(tomllib.loads(text))


CATALOG = _read()
