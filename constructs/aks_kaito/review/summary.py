"""What a synthesis ends with: for each environment its stacks, who can reach them, its model, and what comes next."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from aks_kaito.catalog import CATALOG
from aks_kaito.charts import ours
from aks_kaito.review import documents, kinds
from aks_kaito.review.exposure import Exposure, exposures
from aks_kaito.settings import Environment

Form = Literal["paths", "table", "json"]


@dataclass(frozen=True)
class Gpu:
    """The model and the GPU nodes that KAITO makes for it; memory in GiB, vCPUs of all nodes together."""

    preset: str
    instance_type: str
    node_count: int
    gpus: int
    gpu_model: str
    needed_gib: float
    usable_gib: float
    vcpus: int
    quota_family: str
    note: str


@dataclass(frozen=True)
class Stack:
    """A synthesized stack: its file, how many resources of each type it has by group, and who can reach them."""

    name: str
    path: str
    resources: dict[str, dict[str, int]]
    exposures: list[Exposure]

    @property
    def count(self) -> int:
        """How many resources the stack has."""
        return sum(count for of_group in self.resources.values() for count in of_group.values())


@dataclass(frozen=True)
class Summary:
    """An environment as it was synthesized; `gpu` is None where KAITO is off."""

    environment: str
    location: str
    stacks: list[Stack]
    gpu: Gpu | None
    warnings: list[str]
    next_command: str

    def as_json(self) -> dict[str, Any]:
        """The same for programs, with the number of resources of each stack."""
        counts = {stack.name: stack.count for stack in self.stacks}
        found = asdict(self)
        return {**found, "stacks": [{**stack, "count": counts[stack["name"]]} for stack in found["stacks"]]}


def summarize(environment: Environment, paths: Sequence[Path]) -> Summary:
    """The summary of one environment, whose stacks are in `paths` in the order of their deployment."""
    stacks = [_stack(path) for path in paths]
    return Summary(
        environment=environment.name,
        location=environment.settings.location,
        stacks=stacks,
        gpu=_gpu(environment),
        warnings=list(environment.warnings),
        next_command=f"make deploy ENV={environment.name} TAG={ours.IMAGE_TAG}",
    )


def _stack(path: Path) -> Stack:
    document = documents.read(path)
    return Stack(document.name, str(path), kinds.grouped(document), exposures(document))


def _gpu(environment: Environment) -> Gpu | None:
    settings = environment.settings
    if not settings.kaito.enabled:
        return None
    size = CATALOG.gpu_sizes[settings.model.instance_type]
    model = CATALOG.models[settings.model.preset]
    return Gpu(
        preset=settings.model.preset,
        instance_type=settings.model.instance_type,
        node_count=settings.model.node_count,
        gpus=size.gpus,
        gpu_model=size.gpu_model,
        needed_gib=model.gpu_memory_gib,
        usable_gib=model.usable_gib(size, settings.model.node_count),
        vcpus=size.vcpus * settings.model.node_count,
        quota_family=size.quota_family,
        note=size.note,
    )


def show(environments: Sequence[Environment], written: Mapping[str, Sequence[Path]], form: Form) -> None:
    """Print what was written for each environment: only the files, everything in a table, or everything as JSON.

    Warnings go to standard error, except where a table shows them.
    """
    if form == "table":
        # Imported here because the CDK CLIs never ask for it and rich takes a while to import.
        from aks_kaito.review import table  # noqa: PLC0415

        table.show([summarize(environment, written[environment.name]) for environment in environments])
        return
    for warning in (warning for environment in environments for warning in environment.warnings):
        print(f"warning: {warning}", file=sys.stderr)
    if form == "json":
        summaries = [summarize(environment, written[environment.name]) for environment in environments]
        print(json.dumps([summary.as_json() for summary in summaries], indent=2))
    else:
        print(*(path for paths in written.values() for path in paths), sep="\n")
