"""KAITO's tables of GPU sizes, presets and models, by version, from `kaito_catalog.toml`."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any, TypeVar

_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Size:
    """The GPUs of a VM size; `memory_gib` is the total over all GPUs of a node."""

    gpus: int
    memory_gib: int
    gpu_model: str

    @property
    def memory_per_gpu_gib(self) -> int:
        """The memory of one GPU; KAITO rounds down."""
        return self.memory_gib // self.gpus


@dataclass(frozen=True)
class Model:
    """A model's weights and shape. `token_bytes` is the size of a token in the KV cache, with 16 bits per element."""

    weights_gib: float
    layers: int
    attention_heads: int
    kv_heads: int
    head_size: int
    token_bytes: int
    token_limit: int
    token_required: bool

    def divides_among(self, gpus: int) -> bool:
        """Return whether vLLM can share the attention heads between this number of GPUs."""
        kv_heads_divide = self.kv_heads % gpus == 0 or gpus % self.kv_heads == 0
        return self.attention_heads % gpus == 0 and kv_heads_divide


@dataclass(frozen=True)
class Requirements:
    """The minimum that a version with fixed requirements checks for a preset.

    Attributes:
        gpus: Number of GPUs over all nodes.
        memory_gib: GPU memory over all nodes.
        memory_per_gpu_gib: Memory of each GPU.
        distributed: Several nodes can share the model.
        tensor_parallel: The GPUs of a node share the model; otherwise it uses one of them.
    """

    gpus: int
    memory_gib: float
    memory_per_gpu_gib: float
    distributed: bool
    tensor_parallel: bool


@dataclass(frozen=True)
class Estimator:
    """The numbers with which a version counts nodes; `context` is the length without a configured one."""

    utilization: float
    weight_factor: float
    base_gib: float
    runtime_share: float
    context: int


@dataclass(frozen=True)
class Preset:
    """A model under a name that a version accepts; `requirements` is None if the version estimates."""

    model: Model
    requirements: Requirements | None
    token_required: bool


@dataclass(frozen=True)
class Tables:
    """KAITO's tables of one version.

    Attributes:
        tag: Git tag that they come from.
        read_on: Date of the reading.
        sizes: GPU sizes by VM size.
        presets: Presets by short name.
        models: Models by Hugging Face id.
        estimator: None if the version creates the configured number of nodes and checks fixed requirements.
    """

    tag: str
    read_on: date
    sizes: Mapping[str, Size]
    presets: Mapping[str, Preset]
    models: Mapping[str, Model]
    estimator: Estimator | None

    def find(self, name: str) -> Preset | None:
        """Return the preset with a short name, or a known model with a Hugging Face id in any case."""
        if "/" not in name:
            return self.presets.get(name)
        if self.estimator is None:
            return None
        known = (model for each, model in self.models.items() if each.lower() == name.lower())
        model = next(known, None)
        return Preset(model, None, model.token_required) if model else None


def _tables(data: Mapping[str, Any], version: str) -> Tables:
    models = _rows(Model, data["models"][version])
    estimator = data["estimators"].get(version)
    return Tables(
        **data["versions"][version],
        sizes=_rows(Size, data["sizes"][version]),
        presets={name: _preset(row, models) for name, row in data["presets"][version].items()},
        models=models,
        estimator=Estimator(**estimator) if estimator else None,
    )


def _rows(kind: Callable[..., _Row], rows: Mapping[str, Mapping[str, Any]]) -> dict[str, _Row]:
    return {name: kind(**row) for name, row in rows.items()}


def _preset(row: Mapping[str, Any], models: Mapping[str, Model]) -> Preset:
    facts = dict(row)
    model = models[facts.pop("model")]
    token_required = facts.pop("token_required", model.token_required)
    return Preset(model, Requirements(**facts) if facts else None, token_required)


def _read() -> dict[str, Tables]:
    text = files("aks_kaito").joinpath("kaito_catalog.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    return {version: _tables(data, version) for version in data["versions"]}


KAITO = _read()
"""The tables by KAITO version."""
