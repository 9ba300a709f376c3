"""Summary of a synthesized environment: its stacks, their exposure, its model, and the next command."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aks_kaito.catalog import CATALOG
from aks_kaito.charts.names import IMAGE_TAG
from aks_kaito.models import copies, sizes
from aks_kaito.review import documents, kinds
from aks_kaito.review.exposure import Exposure, exposures
from aks_kaito.settings import Environment, Settings
from aks_kaito.settings.model import Kaito, Model
from aks_kaito.settings.tuning import Tuning


@dataclass(frozen=True)
class Gpu:
    """A model, and the GPU nodes that KAITO creates for it; memory in GiB of one copy, vCPUs in total over all copies.

    `name` is the key of the model, `replicas` the largest number of copies, `node_count` the nodes of one, and
    `hours_per_week` those of a schedule, None without one. Another value is None if the size or the model is in no
    catalog, and then KAITO's decision is unknown.
    """

    name: str
    preset: str
    instance_type: str
    min_replicas: int
    replicas: int
    hours_per_week: float | None
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
    """A synthesized environment; `models`, `standbys` and `tunings` are empty while KAITO is off.

    `kaito` is the distribution, its version and its provisioner in words; empty while KAITO is off.
    `quota` is the vCPUs of all of them by quota family; None if their number is unknown.
    """

    environment: str
    location: str
    stacks: list[Stack]
    kaito: str
    models: list[Gpu]
    standbys: list[Gpu]
    tunings: list[Gpu]
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
    found, standbys = models(settings)
    return Summary(
        environment=environment.name,
        location=settings.location,
        stacks=stacks,
        kaito=_kaito(settings.kaito),
        models=found,
        standbys=standbys,
        tunings=tunings(settings),
        quota=_quota([*found, *standbys, *tunings(settings)]),
        warnings=list(environment.warnings),
        next_command=f"make deploy ENV={environment.name} TAG={IMAGE_TAG}",
    )


def _kaito(kaito: Kaito) -> str:
    if kaito.is_add_on:
        return f"managed add-on, {kaito.version} expected"
    provisioner = {"none": "existing nodes"}.get(kaito.provisioner, f"nodes by {kaito.provisioner}")
    return f"open-source chart {kaito.version}, {provisioner}" if kaito.is_open_source else ""


def _stack(path: Path) -> Stack:
    document = documents.read(path)
    return Stack(document.name, str(path), kinds.grouped(document), exposures(document))


def models(settings: Settings) -> tuple[list[Gpu], list[Gpu]]:
    """Return the models and their standbys with their GPU nodes; none while KAITO is off."""
    version = settings.kaito.version
    served = settings.all_models if settings.kaito.enabled else {}
    second = {name: model.standby() for name, model in served.items()}
    return (
        [_planned(name, model, version) for name, model in served.items()],
        [_planned(name, model, version) for name, model in second.items() if model is not None],
    )


def tunings(settings: Settings) -> list[Gpu]:
    """Return the tunings that run, with the one GPU node of each."""
    return [_of_tuning(name, each) for name, each in settings.running_tunings.items()]


def _of_tuning(name: str, tuning: Tuning) -> Gpu:
    gpus, azure = sizes.hardware(tuning.instance_type), CATALOG.gpu_sizes.get(tuning.instance_type)
    return Gpu(
        name=name,
        preset=tuning.preset,
        instance_type=tuning.instance_type,
        min_replicas=1,
        replicas=1,
        hours_per_week=None,
        node_count=1,
        gpus=gpus.gpus if gpus else None,
        gpu_model=gpus.gpu_model if gpus else None,
        needed_gib=None,
        usable_gib=None,
        vcpus=azure.vcpus if azure else None,
        quota_family=azure.quota_family if azure else None,
        note="",
    )


def _quota(models: Sequence[Gpu]) -> dict[str, int | None]:
    """Return the sum of vCPUs for each quota family."""
    found: dict[str, int | None] = {}
    for gpu in models:
        if gpu.quota_family is not None:
            before = found.get(gpu.quota_family, 0)
            found[gpu.quota_family] = None if before is None or gpu.vcpus is None else before + gpu.vcpus
    return found


def _planned(key: str, model: Model, version: str) -> Gpu:
    name = model.instance_type
    gpus = sizes.hardware(name)
    azure = CATALOG.gpu_sizes.get(name)
    cpu = None if azure or not name else CATALOG.vm_size(name)
    planned, nodes = copies.of_one(model, version), copies.nodes(model, version)
    vcpus = azure.vcpus if azure else cpu.vcpus if cpu else None
    return Gpu(
        name=key,
        preset=model.title,
        instance_type=name,
        min_replicas=model.min_replicas or model.replicas,
        replicas=model.most_replicas,
        hours_per_week=None if model.schedule is None else model.schedule.hours_per_week,
        node_count=planned.nodes,
        gpus=gpus.gpus if gpus else None,
        gpu_model=gpus.gpu_model if gpus else None,
        needed_gib=planned.needed_gib,
        usable_gib=planned.usable_gib,
        vcpus=vcpus * nodes if vcpus and nodes else None,
        quota_family=azure.quota_family if azure else None,
        note=azure.note if azure else "",
    )
