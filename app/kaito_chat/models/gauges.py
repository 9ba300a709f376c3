"""The gauges of a model and its servers."""

from collections.abc import Sequence

from kaito_chat.backends.errors import FAULTS, Kind
from kaito_chat.models.replica import Replica
from kaito_chat.telemetry import metrics


class Gauges:
    """The gauges of one model, under one name at a time.

    Args:
        replicas: Its servers.
    """

    def __init__(self, replicas: Sequence[Replica]) -> None:
        self._replicas = replicas
        self._name = ""

    def set(self, name: str, *, ready: bool, asleep: bool) -> None:
        """Set the gauges; those of the name before a renaming are removed.

        Args:
            name: The model's name.
            ready: Whether it accepts questions.
            asleep: Whether it is scaled to zero.
        """
        if self._name != name:
            if self._name:
                metrics.end(self._name, [each.name for each in self._replicas])
            metrics.begin(name, outcomes=Kind, errors=FAULTS)
        self._name = name
        metrics.MODEL_READY.labels(name).set(ready)
        metrics.MODEL_ASLEEP.labels(name).set(asleep)
        for each in self._replicas:
            metrics.REPLICA_READY.labels(name, each.name).set(each.ready and not each.suspect)
            metrics.REPLICA_STREAMS.labels(name, each.name).set(each.running)
