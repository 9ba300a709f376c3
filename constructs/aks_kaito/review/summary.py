"""Summary of a synthesized environment: its stacks, their exposure, its model, and the next command."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aks_kaito.catalog import CATALOG
from aks_kaito.charts.names import IMAGE_TAG
from aks_kaito.models import Wanted, plan, sizes
from aks_kaito.review import documents, kinds
from aks_kaito.review.exposure import Exposure, exposures
from aks_kaito.settings import Environment, Settings


@dataclass(frozen=True)
class Gpu:
    """The model, and the GPU nodes that KAITO creates for it; memory in GiB, vCPUs in total over all nodes.

    A value is None if the size or the model is in no catalog, and then KAITO's decision is unknown.
    """

    preset: str
    instance_type: str
    node_count: int | None
    gpus: int | None
    gpu_model: str | None
    needed_gib: float | None
    usable_gib: float | None
    vcpus: int | None
    quota_family: str | None
    note: str


@dataclass(frozen=True)
class Stack:
    """A synthesized stack: its file, the number of resources per type by group, and their exposure."""

    name: str
    path: str
    resources: dict[str, dict[str, int]]
    exposures: list[Exposure]

    @property
    def count(self) -> int:
        """The number of resources."""
        return sum(count for of_group in self.resources.values() for count in of_group.values())


@dataclass(frozen=True)
class Summary:
    """A synthesized environment; `gpu` is None while KAITO is off, and `standby` without a second model.

    `quota` is the vCPUs of both models by quota family; None if their number is unknown.
    """

    environment: str
    location: str
    stacks: list[Stack]
    gpu: Gpu | None
    standby: Gpu | None
    quota: dict[str, int | None]
    warnings: list[str]
    next_command: str

    def as_json(self) -> dict[str, Any]:
        """Return the summary as plain data, with the number of resources of each stack."""
        counts = {stack.name: stack.count for stack in self.stacks}
        found = asdict(self)
        return {**found, "stacks": [{**stack, "count": counts[stack["name"]]} for stack in found["stacks"]]}


def summarize(environment: Environment, paths: Sequence[Path]) -> Summary:
    """Summarize an environment whose stacks are in `paths`, in the order of deployment."""
    stacks = [_stack(path) for path in paths]
    settings = environment.settings
    gpu, standby = models(settings)
    return Summary(
        environment=environment.name,
        location=settings.location,
        stacks=stacks,
        gpu=gpu,
        standby=standby,
        quota=_quota([each for each in (gpu, standby) if each is not None]),
        warnings=list(environment.warnings),
        next_command=f"make deploy ENV={environment.name} TAG={IMAGE_TAG}",
    )


def _stack(path: Path) -> Stack:
    document = documents.read(path)
    return Stack(document.name, str(path), kinds.grouped(document), exposures(document))


def models(settings: Settings) -> tuple[Gpu | None, Gpu | None]:
    """Return the model and its standby with their GPU nodes; None for each that there is not."""
    return _gpu(settings, settings.model), _gpu(settings, settings.model.standby())


def _gpu(settings: Settings, model: Wanted | None) -> Gpu | None:
    if model is None or not settings.kaito.enabled:
        return None
    return _planned(model, settings.kaito.version)


def _quota(models: Sequence[Gpu]) -> dict[str, int | None]:
    """Return the sum of vCPUs for each quota family."""
    found: dict[str, int | None] = {}
    for gpu in models:
        if gpu.quota_family is not None:
            before = found.get(gpu.quota_family, 0)
            found[gpu.quota_family] = None if before is None or gpu.vcpus is None else before + gpu.vcpus
    return found


def _planned(model: Wanted, version: str) -> Gpu:
    name = model.instance_type
    gpus = sizes.hardware(name)
    azure = CATALOG.gpu_sizes.get(name)
    planned = plan(model, version)
    return Gpu(
        preset=model.preset,
        instance_type=name,
        node_count=planned.nodes,
        gpus=gpus.gpus if gpus else None,
        gpu_model=gpus.gpu_model if gpus else None,
        needed_gib=planned.needed_gib,
        usable_gib=planned.usable_gib,
        vcpus=azure.vcpus * planned.nodes if azure and planned.nodes else None,
        quota_family=azure.quota_family if azure else None,
        note=azure.note if azure else "",
    )
