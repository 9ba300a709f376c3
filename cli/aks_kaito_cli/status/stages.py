"""The stages until a model answers, with their times.

The typical times are those of a public measurement with one A100 and a model of 52 GiB.
See: https://github.com/kaito-project/kaito/issues/2325
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from aks_kaito_cli.status.objects import Condition, at, conditions, listed, text, time
from aks_kaito_cli.status.replicas import Replica

SOURCE = "https://github.com/kaito-project/kaito/issues/2325"
# Lines of vLLM's log.
_LOADED = ("Model loading took", "Loading weights took")
_SERVES = ("Application startup complete", "Uvicorn running on")


class Stage(StrEnum):
    """Stages in their order."""

    NODE = "GPU node"
    INITIALIZATION = "node initialization"
    PULL = "image pull"
    LOAD = "model download and load"
    ENGINE = "engine start"
    BENCHMARK = "benchmark"


# LOAD is the sum of the measurement's phases between the container's start and the loaded weights.
TYPICAL_SECONDS = {
    Stage.NODE: 284,
    Stage.INITIALIZATION: 126,
    Stage.PULL: 101,
    Stage.LOAD: 157,
    Stage.ENGINE: 195,
    Stage.BENCHMARK: 92,
}


@dataclass(frozen=True)
class Step:
    """A stage of one replica.

    Attributes:
        seconds: The time that it took, or has taken until now; None if that is unknown.
    """

    stage: Stage
    state: Literal["done", "now", "waiting"]
    seconds: float | None = None


class _Mark:
    """The end of a stage: whether it has come, and when."""

    def __init__(self, reached: object, when: datetime | None = None) -> None:
        self.reached = bool(reached)
        self.when = when if reached else None


def steps(replica: Replica, now: datetime) -> list[Step]:
    """Return the stages of a replica; a stage before a reached one is done."""
    marks = {stage: mark for stage, mark in _marks(replica).items() if mark is not None}
    order = list(marks)
    last = max((index for index, stage in enumerate(order) if marks[stage].reached), default=-1)
    if replica.ready:
        last = len(order) - 1
    found: list[Step] = []
    began = replica.created
    for index, stage in enumerate(order):
        if index <= last:
            end = marks[stage].when
            found.append(Step(stage, "done", _between(began, end)))
            began = end
        elif index == last + 1:
            found.append(Step(stage, "now", _between(began, now)))
        else:
            found.append(Step(stage, "waiting"))
    return found


def current(found: list[Step]) -> Step | None:
    """Return the stage that is in progress; None if all are done."""
    return next((each for each in found if each.state == "now"), None)


def _marks(replica: Replica) -> dict[Stage, _Mark | None]:
    claimed = [_claimed(conditions(each)) for each in replica.claims]
    node = bool(claimed) and all(each is not None for each in claimed)
    ready = replica.conditions.get("InferenceReady")
    finished = _Mark(replica.ready, ready.since if ready else None)
    benchmark = replica.conditions.get("BenchmarkCompleted")
    loaded, serves = _logged(replica, _LOADED), _logged(replica, _SERVES)
    return {
        Stage.NODE: _Mark(node, max((each for each in claimed if each), default=None)),
        Stage.INITIALIZATION: _Mark(replica.nodes_ready, _nodes_ready_since(replica)),
        Stage.PULL: _started(replica),
        Stage.LOAD: loaded,
        Stage.ENGINE: serves if benchmark else finished,
        Stage.BENCHMARK: (_Mark(benchmark.true, benchmark.since) if benchmark else None),
    }


def _claimed(found: dict[str, Condition]) -> datetime | None:
    """Return the time at which the node of a NodeClaim joined the cluster."""
    for kind in ("Registered", "Launched"):
        if kind in found and found[kind].true:
            return found[kind].since
    return None


def _nodes_ready_since(replica: Replica) -> datetime | None:
    for kind in ("ResourceReady", "NodesReady"):
        found = replica.conditions.get(kind)
        if found and found.true:
            return found.since
    return None


def _started(replica: Replica) -> _Mark:
    """Return the first start of the server's container, whose image is then there."""
    for state in listed(replica.pod, "status", "containerStatuses"):
        started = [
            time(text(state, *path, "startedAt"))
            for path in (("lastState", "terminated"), ("state", "running"), ("state", "terminated"))
            if at(state, *path) is not None
        ]
        if started or at(state, "restartCount"):
            return _Mark(reached=True, when=min((each for each in started if each), default=None))
    return _Mark(reached=False)


def _logged(replica: Replica, words: tuple[str, ...]) -> _Mark:
    found = next((each for each in replica.log if any(word in each.text for word in words)), None)
    return _Mark(found, found.time if found else None)


def _between(began: datetime | None, end: datetime | None) -> float | None:
    return None if began is None or end is None else max(0.0, (end - began).total_seconds())
