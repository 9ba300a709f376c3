"""GPU nodes of an environment, from the summary that its synthesis prints.

The only place that knows the form of the summary, so that a revision may have another one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aks_kaito_cli.cost.meters import virtual_machine
from aks_kaito_cli.cost.resources import Line

_MODELS = {"gpu": "model", "standby": "standby"}


@dataclass(frozen=True)
class Gpu:
    """The GPU nodes of one model.

    Attributes:
        name: The model's role.
        preset: The model.
        size: The VM size.
        nodes: Number of nodes of one replica; None if it is unknown here.
        minimum: The smallest number of replicas.
        maximum: The largest number.
    """

    name: str
    preset: str
    size: str
    region: str
    nodes: int | None
    minimum: int = 1
    maximum: int = 1

    @property
    def line(self) -> Line:
        """The nodes as a line of meters; without a known number, those of one node."""
        nodes = self.nodes or 1
        label = f"GPU nodes of the {self.name}, {self.size}"
        return Line(label, virtual_machine(self.size), self.region, nodes * self.minimum, nodes * self.maximum)


def of_summary(summary: Mapping[str, Any]) -> Iterator[Gpu]:
    """Yield the GPU nodes of each model."""
    region = str(summary.get("location") or "")
    for key, name in _MODELS.items():
        found = summary.get(key)
        if found:
            yield Gpu(name, str(found["preset"]), str(found["instance_type"]), region, found["node_count"])
