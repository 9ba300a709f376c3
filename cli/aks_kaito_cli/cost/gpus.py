"""GPU nodes of an environment, from the summary that its synthesis prints.

The only place that knows the form of the summary. A revision to compare with may have the one of before several models.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aks_kaito_cli.cost.meters import virtual_machine
from aks_kaito_cli.cost.resources import Line

HOURS_OF_A_WEEK = 168
# Lists of models, and the single ones of before.
_LISTS = {"models": "model", "standbys": "standby", "tunings": "tuning"}
_SINGLE = {"gpu": "model", "standby": "standby"}
_DEFAULT = "default"


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
        hours_per_week: Hours in which a schedule lets the model run; None without one.
    """

    name: str
    preset: str
    size: str
    region: str
    nodes: int | None
    minimum: int = 1
    maximum: int = 1
    hours_per_week: Decimal | None = None

    @property
    def line(self) -> Line:
        """The nodes as a line of meters; without a known number, those of one node."""
        nodes = self.nodes or 1
        label = f"GPU nodes of the {self.name}, {self.size}"
        least, most = nodes * self.minimum, nodes * self.maximum
        share = Decimal(1) if self.hours_per_week is None else self.hours_per_week / HOURS_OF_A_WEEK
        return Line(label, virtual_machine(self.size), self.region, least, most, share)


def of_summary(summary: Mapping[str, Any]) -> Iterator[Gpu]:
    """Yield the nodes that KAITO creates for each model; none for a model on nodes that exist already."""
    region = str(summary.get("location") or "")
    for role, found in _models(summary):
        if not found["instance_type"] or found["node_count"] == 0:
            continue
        name = str(found.get("name") or _DEFAULT)
        most = int(found.get("replicas") or 1)
        yield Gpu(
            name=role if name == _DEFAULT else f"{role} {name}",
            preset=str(found["preset"]),
            size=str(found["instance_type"]),
            region=region,
            nodes=found["node_count"],
            minimum=int(found.get("min_replicas") or most),
            maximum=most,
            hours_per_week=None if found.get("hours_per_week") is None else Decimal(str(found["hours_per_week"])),
        )


def _models(summary: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each model with its role."""
    for key, role in _LISTS.items():
        yield from ((role, each) for each in summary.get(key) or [])
    for key, role in _SINGLE.items():
        if summary.get(key):
            yield role, summary[key]
