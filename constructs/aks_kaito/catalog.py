"""What is known of Azure's GPU sizes, KAITO's models and AKS's Kubernetes versions, and since when.

The facts are data, in `catalog.toml`, with their sources and the day somebody last looked; this module only
reads them. They go stale: refresh the file, not the code.
"""

import os
import tomllib
from datetime import date
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

# With the first model, pydantic would read the metadata of every installed package in search of plugins: time that a
# synthesis has better use for.
# See: https://docs.pydantic.dev/latest/concepts/plugins/
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Meta(_Fact):
    """Where the catalog's facts come from and the day they were last compared with it."""

    checked_on: date
    sources: tuple[str, ...]


class KaitoVersion(_Fact):
    """A KAITO release that an environment may choose, and who ships it.

    `any_n_size_accepted`: its webhook takes GPU sizes outside its own table, as long as they start with Standard_N.
    """

    released_as: str
    any_n_size_accepted: bool
    source: str


class KubernetesSupport(_Fact):
    """When AKS supports a Kubernetes minor version; `lts_end` needs the Premium tier."""

    ga: date
    end_of_support: date
    lts_end: date | None = None


class GpuSize(_Fact):
    """A GPU VM size; `gpu_memory_gib` is that of all the node's GPUs together."""

    gpus: int
    gpu_model: str
    gpu_memory_gib: float
    vcpus: int
    quota_family: str
    kaito_versions: tuple[str, ...]
    note: str = ""


class RetiredGpuSize(_Fact):
    """A GPU VM size that can no longer be allocated."""

    retired_on: date
    replacement: str
    source: str


class Model(_Fact):
    """A KAITO preset: the GPU memory it asks for, and the KAITO versions that know its short name."""

    gpu_memory_gib: float
    kaito_versions: tuple[str, ...]
    licence_token_required: bool
    tensor_parallel: bool
    note: str = ""

    def usable_gib(self, size: GpuSize, node_count: int) -> float:
        """The GPU memory that the model can use: of all GPUs when it can be split over them, else of one."""
        return size.gpu_memory_gib * node_count if self.tensor_parallel else size.gpu_memory_gib / size.gpus


class Regions(_Fact):
    """The public regions, as azurerm's `location` names them."""

    names: frozenset[str]


class Catalog(_Fact):
    """Everything in `catalog.toml`."""

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
